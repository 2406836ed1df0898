import * as crypto from 'node:crypto';
import * as fs from 'node:fs/promises';
import { SallyportError } from '../core/index.ts';
import type { LogLayout } from './layout.ts';
import { type LogFiles, replaceFile, unlessMissing } from './log-files.ts';
import { type NoteSigner, type NoteVerifier, parseVerifierKey, signerOf } from './signed-note.ts';

/** A new Ed25519 key that signs for `origin`. */
export const newLogKey = (origin: string): NoteSigner =>
  signerOf(origin, crypto.generateKeyPairSync('ed25519').privateKey);

/**
 * Writes the key of a log: `log.vkey` for everybody, then `log.key` (PKCS8), whose presence says that the log was born.
 */
export async function storeLogKey(files: LogFiles, layout: LogLayout, signer: NoteSigner): Promise<void> {
  const pem = signer.privateKey.export({ type: 'pkcs8', format: 'pem' });
  await replaceFile(files, layout.verifierKey, Buffer.from(`${signer.verifier.vkey}\n`));
  await replaceFile(files, layout.privateKey, Buffer.from(pem));
}

/**
 * The key of a log, or null if the log was never born.
 * @throws SallyportError STATE_PERMISSIONS (others may read the key), AUDIT_CORRUPT (the two halves do not fit)
 */
export async function loadLogKey(files: LogFiles, layout: LogLayout): Promise<NoteSigner | null> {
  const pem = await unlessMissing(files.read(layout.privateKey));
  if (pem === null) return null;
  const { mode } = await fs.lstat(layout.privateKey);
  if ((mode & 0o077) !== 0) throw new SallyportError('STATE_PERMISSIONS', 'the key of the log is readable by others');
  const verifier = await loadVerifierKey(files, layout);
  if (verifier === null) throw new SallyportError('AUDIT_CORRUPT', 'keys/log.vkey is missing');
  const signer = signerOf(verifier.name, parsePrivateKey(pem));
  if (signer.verifier.vkey !== verifier.vkey) {
    throw new SallyportError('AUDIT_CORRUPT', 'keys/log.key and keys/log.vkey do not belong together');
  }
  return signer;
}

/**
 * The public key that lies beside the log, or null: as trustworthy as the folder it lies in.
 * @throws SallyportError AUDIT_FORGED
 */
async function loadVerifierKey(files: LogFiles, layout: LogLayout): Promise<NoteVerifier | null> {
  const line = await unlessMissing(files.read(layout.verifierKey));
  return line === null ? null : parseVerifierKey(line.toString('utf8').replace(/\n$/, ''));
}

function parsePrivateKey(pem: Buffer): crypto.KeyObject {
  try {
    return crypto.createPrivateKey(pem);
  } catch (cause) {
    throw new SallyportError('AUDIT_CORRUPT', 'keys/log.key is not a private key', { cause });
  }
}
