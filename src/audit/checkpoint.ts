import { SallyportError } from '../core/index.ts';
import { HASH_BYTES } from './merkle.ts';
import { decodeBase64, type NoteSigner, type NoteVerifier, openNote, signNote } from './signed-note.ts';

/** What a log commits to with its signature: so many entries, under this root (c2sp.org/tlog-checkpoint). */
interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** A checkpoint with the signed bytes it was read from. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Buffer;
}

/** Signs a checkpoint. The origin is the name of the key. */
export function signCheckpoint(tree: { size: number; root: Buffer }, signer: NoteSigner): SignedCheckpoint {
  const origin = signer.verifier.name;
  const body = `${origin}\n${tree.size}\n${tree.root.toString('base64')}\n`;
  return { origin, size: tree.size, root: tree.root, note: Buffer.from(signNote(body, signer)) };
}

/**
 * Reads a checkpoint and verifies its signature and origin.
 * @throws SallyportError AUDIT_FORGED
 */
export function openCheckpoint(note: Buffer, verifier: NoteVerifier): SignedCheckpoint {
  const checkpoint = parseCheckpointBody(openNote(note, verifier));
  if (checkpoint.origin !== verifier.name) {
    throw new SallyportError('AUDIT_FORGED', 'the checkpoint belongs to another log');
  }
  return { ...checkpoint, note };
}

/**
 * The size that an unverified checkpoint states: enough to find files by, never enough to trust them.
 * @throws SallyportError AUDIT_FORGED
 */
export function statedSize(note: Buffer): number {
  const text = note.toString('utf8');
  return parseCheckpointBody(text.slice(0, text.indexOf('\n\n') + 1)).size;
}

/** ATTACKER-CONTROLLED until the signature is verified. Three lines and no extension. */
function parseCheckpointBody(body: string): Checkpoint {
  const [origin, size, root, rest, ...more] = body.split('\n');
  const hash = decodeBase64(root ?? '');
  const entries = /^(?:0|[1-9][0-9]{0,15})$/.test(size ?? '') ? Number(size) : Number.NaN;
  if (origin === undefined || origin === '' || rest !== '' || more.length > 0 || !Number.isSafeInteger(entries)) {
    throw new SallyportError('AUDIT_FORGED', 'the checkpoint is malformed');
  }
  if (hash === null || hash.length !== HASH_BYTES) {
    throw new SallyportError('AUDIT_FORGED', 'the root hash of the checkpoint is malformed');
  }
  return { origin, size: entries, root: hash };
}
