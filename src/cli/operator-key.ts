import { createPrivateKey, sign } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { SallyportError } from '../core/index.ts';

/** A key of this user id, by which an operator proves an answer. */
export interface OperatorKey {
  readonly name: string;
  /** base64url. */
  sign(message: Buffer): string;
}

export interface OperatorFlags {
  /** Name of the operator's credential. */
  readonly as?: string;
  /** File with its private key (PEM, Ed25519, 0600). */
  readonly key?: string;
  /** How long an act waits for the proof of a passkey. */
  readonly wait?: string;
  /** Port of the console in which a passkey proves it. */
  readonly consolePort?: string;
}

/** Bytes of a key file. */
const MAX_BYTES = 8_192;

/** The key that the flags name; null: none. @throws SallyportError USAGE, OPERATOR_INVALID */
export function readOperatorKey({ as: name, key }: OperatorFlags): OperatorKey | null {
  if (name === undefined && key === undefined) return null;
  if (name === undefined || key === undefined) throw new SallyportError('USAGE', '--as and --key go together');
  const privateKey = privateKeyOf(readPrivate(key));
  return { name, sign: (message) => sign(null, message, privateKey).toString('base64url') };
}

function privateKeyOf(pem: string): ReturnType<typeof createPrivateKey> {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new SallyportError('OPERATOR_INVALID', 'the key of an operator cannot be read', { cause });
  }
  throw new SallyportError('OPERATOR_INVALID', 'the key of an operator is Ed25519');
}

/** A file with a key or a secret. INVARIANT: one that others may read is none of one person. @throws SallyportError OPERATOR_INVALID */
export function readPrivate(file: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw new SallyportError('OPERATOR_INVALID', 'the key file cannot be opened', { cause });
  }
  try {
    const { mode, uid, size } = fstatSync(descriptor);
    const isPrivate = (mode & 0o170077) === 0o100000 && uid === process.getuid?.() && size <= MAX_BYTES;
    if (!isPrivate) throw new SallyportError('OPERATOR_INVALID', 'the key file has to be yours alone (chmod 600)');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}
