import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { canonicalJson, equalBytes, type JsonValue } from '../../../core/index.ts';

/** Bytes under AES-256-GCM with a random nonce: nonce, tag and ciphertext in one, as base64. */
export type Box = string;

const NONCE = 12;
const TAG = 16;

/** Encrypts bytes, bound to what they are: they open under the same words only. */
export function closeBox(key: Uint8Array, plain: Uint8Array, words: readonly string[]): Box {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG });
  cipher.setAAD(asBytes(words));
  const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** The bytes, or null when key, words or box are not those that belong together. */
export function openBox(key: Uint8Array, box: Box, words: readonly string[]): Buffer | null {
  const bytes = Buffer.from(box, 'base64');
  if (bytes.length < NONCE + TAG) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE), { authTagLength: TAG });
  decipher.setAAD(asBytes(words));
  decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
  const first = decipher.update(bytes.subarray(NONCE + TAG));
  try {
    const last = decipher.final();
    const plain = Buffer.alloc(first.length + last.length);
    plain.set(first);
    plain.set(last, first.length);
    return plain;
  } catch {
    // What did not authenticate is not a value, and nothing of it is kept.
    return null;
  } finally {
    first.fill(0);
  }
}

/** A seal over a whole document, so that no entry of it can be taken out, put back or exchanged. */
export const sealDocument = (key: Uint8Array, document: JsonValue): string =>
  createHmac('sha256', Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'sallyport keystore seal', 32)))
    .update(canonicalJson(document))
    .digest('base64');

export const sealFits = (key: Uint8Array, document: JsonValue, seal: string): boolean =>
  equalBytes(Buffer.from(sealDocument(key, document)), Buffer.from(seal));

const asBytes = (words: readonly string[]): Buffer => Buffer.from(JSON.stringify(words));
