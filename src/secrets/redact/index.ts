/** Takes known values of secrets, in the ways that they are written, out of everything that leaves. */
export { type Credential, findCredentials } from './credential-patterns.ts';
export type { Encoding } from './encodings.ts';
export { DEFAULT_REDACTION_LIMITS, type RedactionLimits } from './limits.ts';
export type { RedactedText, RedactionHit, RedactOptions } from './redact-text.ts';
export type { RedactedValue, ValueHit } from './redact-value.ts';
export type { RedactionStream } from './redaction-stream.ts';
export { createRedactor, type RedactedBytes, type Redactor } from './redactor.ts';
export { estimateBits } from './strength.ts';
