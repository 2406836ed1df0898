import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SallyportError } from '../core/index.ts';

/** The key that grants are signed with; no other process of Sallyport reads it, and it signs nothing else. */
export interface GrantKey {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/**
 * `keys/grants.key` (PKCS8, 0600) of a state folder, made if it is not there. Without it every grant of before is void.
 * @throws SallyportError STATE_PERMISSIONS (others may read it)
 */
export function openGrantKey(state: string): GrantKey {
  const path = join(state, 'keys', 'grants.key');
  return readKey(path) ?? makeKey(path);
}

function readKey(path: string): GrantKey | null {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return null;
  if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
    throw new SallyportError('STATE_PERMISSIONS', 'the key of grants is readable by others, or no file');
  }
  try {
    const privateKey = createPrivateKey(readFileSync(path));
    if (privateKey.asymmetricKeyType !== 'ed25519') throw new Error('another kind of key');
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    // Damaged: what it signed cannot be verified any more, so nothing is lost by another one.
    rmSync(path, { force: true });
    return null;
  }
}

function makeKey(path: string): GrantKey {
  const pair = generateKeyPairSync('ed25519');
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    });
  } catch {
    // A full disk must not keep an operator from opening the keeper: what this key signs ends with the process.
    rmSync(path, { force: true });
  }
  return pair;
}
