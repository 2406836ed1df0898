import * as crypto from 'node:crypto';

/** SHA-256 of bytes or of the UTF-8 of a text. */
export const sha256 = (data: Uint8Array | string): Buffer => crypto.createHash('sha256').update(data).digest();

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256Hex: (data: Uint8Array | string) => string =
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha256', data, 'hex')
    : (data) => crypto.createHash('sha256').update(data).digest('hex');

/** HMAC-SHA-256 (RFC 2104). */
export const hmacSha256 = (key: Uint8Array, data: Uint8Array | string): Buffer =>
  crypto.createHmac('sha256', key).update(data).digest();

/** Compares in a time that depends on the lengths only. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && crypto.timingSafeEqual(a, b);
