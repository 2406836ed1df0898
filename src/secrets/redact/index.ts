/** Takes known values of secrets, in the ways that they are written, out of everything that leaves. */
export { findCredentials } from './credential-patterns.ts';
export { createRedactor, type Redactor } from './redactor.ts';
export { estimateBits } from './strength.ts';
