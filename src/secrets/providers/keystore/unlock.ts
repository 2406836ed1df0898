import { hkdfSync, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { SallyportError } from '../../../core/index.ts';

/** What opens a keystore: a passphrase that a person knows, or a key file of at least 32 random bytes. */
export type KeystoreKey =
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array }
  | { readonly kind: 'key-file'; readonly bytes: Uint8Array };

/** How the key is stretched, as it stands in the keystore. */
export type KeyStretch =
  | { readonly name: 'scrypt'; readonly n: number; readonly r: number; readonly p: number; readonly salt: string }
  | { readonly name: 'hkdf-sha256'; readonly salt: string };

export const KEY_BYTES = 32;
/** 128 MiB and about half a second: OWASP's first choice of parameters for scrypt. */
export const SCRYPT_COST: { readonly n: number; readonly r: number; readonly p: number } = Object.freeze({
  n: 131_072,
  r: 8,
  p: 1,
});
const MAX_COST = 1_048_576;

const derive = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

/**
 * The key that wraps the keystore's own.
 * @throws SallyportError KEYSTORE_LOCKED when the key is none, or of another kind than the keystore was made with
 */
export async function stretchKey(key: KeystoreKey, stretch: KeyStretch): Promise<Buffer> {
  if (key.kind === 'key-file') {
    if (stretch.name !== 'hkdf-sha256') throw locked('this keystore opens with a passphrase, not with a key file');
    if (key.bytes.length < KEY_BYTES) throw locked(`a key file has at least ${KEY_BYTES} random bytes`);
    return Buffer.from(
      hkdfSync('sha256', key.bytes, Buffer.from(stretch.salt, 'base64'), 'sallyport keystore', KEY_BYTES),
    );
  }
  if (stretch.name !== 'scrypt') throw locked('this keystore opens with a key file, not with a passphrase');
  if (key.bytes.length === 0) throw locked('the passphrase is empty');
  const { n, r, p, salt } = stretch;
  return await derive(key.bytes, Buffer.from(salt, 'base64'), KEY_BYTES, {
    N: n,
    r,
    p,
    maxmem: 129 * n * r * p + 1_048_576,
  });
}

// ATTACKER-CONTROLLED: who can write the file could ask for no work, or for all the memory there is.
export const isCost = (n: number, r: number, p: number): boolean =>
  n >= SCRYPT_COST.n && n <= MAX_COST && (n & (n - 1)) === 0 && r === SCRYPT_COST.r && p >= 1 && p <= 4;

const locked = (why: string): SallyportError => new SallyportError('KEYSTORE_LOCKED', why);
