import { randomBytes } from 'node:crypto';

/** An unguessable identifier of 128 bits, as `prefix_` and 22 characters of base64url. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('base64url')}`;
