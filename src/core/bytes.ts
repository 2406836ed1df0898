import * as crypto from 'node:crypto';

/** SHA-256 of bytes or of the UTF-8 of a text. */
export const sha256 = (data: Uint8Array | string): Buffer => crypto.createHash('sha256').update(data).digest();

/** SHA-256 as 64 lower-case hexadecimal digits. */
export const sha256Hex: (data: Uint8Array | string) => string =
  typeof crypto.hash === 'function'
    ? (data) => crypto.hash('sha256', data, 'hex')
    : (data) => crypto.createHash('sha256').update(data).digest('hex');

/** Bytes of a block of SHA-256: how far HMAC pads its key. */
const BLOCK = 64;

/**
 * HMAC-SHA-256 (RFC 2104) as 64 lower-case hexadecimal digits, for keys of at most 64 bytes. For the short messages of a log
 * two one-shot hashes take half the time of an Hmac object.
 */
export function hmacSha256Hex(key: Uint8Array, data: Uint8Array): string {
  if (key.length > BLOCK) return crypto.createHmac('sha256', key).update(data).digest('hex');
  const inner = Buffer.allocUnsafe(BLOCK + data.length);
  const outer = Buffer.allocUnsafe(BLOCK + 32);
  for (let at = 0; at < BLOCK; at++) {
    const byte = key[at] ?? 0;
    inner[at] = byte ^ 0x36;
    outer[at] = byte ^ 0x5c;
  }
  inner.set(data, BLOCK);
  outer.write(sha256Hex(inner), BLOCK, 'hex');
  return sha256Hex(outer);
}

/** Compares in a time that depends on the lengths only. */
export const equalBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && crypto.timingSafeEqual(a, b);
