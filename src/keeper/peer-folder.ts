import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseStrictJson, randomBytes, SallyportError } from '../core/index.ts';

/** `gate`: makes calls; `operator`: may also take a stop back. */
export type PeerRole = 'gate' | 'operator';

/** What a peer proves that it holds. The token never crosses the socket. */
export interface PeerCredential {
  readonly name: string;
  readonly token: string;
  readonly role: PeerRole;
}

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const TOKEN = /^spk_[A-Za-z0-9_-]{43}$/;
/** A process of the same user names itself `pid-PID-` and eight hexadecimal digits. */
const OWN_NAME = /^pid-([1-9][0-9]{0,9})-[0-9a-f]{8}$/;

/** True for what can name a peer. ATTACKER-CONTROLLED: it becomes a file name. */
const isPeerName = (name: string): boolean => NAME.test(name);

/** The tokens of the peers of a state folder, one file each: `keeper/peers/NAME` (0600). */
export class PeerFolder {
  readonly #folder: string;

  constructor(state: string) {
    this.#folder = join(state, 'keeper', 'peers');
  }

  /** Makes the token of a peer. @throws SallyportError TOKEN_NAME (malformed, reserved, taken), STATE_UNWRITABLE */
  add(name: string, role: PeerRole): PeerCredential {
    if (!isPeerName(name) || name.startsWith('pid-')) {
      throw new SallyportError('TOKEN_NAME', 'a peer name is 1 to 40 of a-z, 0-9 and -, and does not begin with pid-');
    }
    return this.#write(name, role);
  }

  /** The token of this process, until it ends. @throws SallyportError STATE_UNWRITABLE */
  addOwn(role: PeerRole): PeerCredential {
    return this.#write(`pid-${process.pid}-${randomBytes(4).toString('hex')}`, role);
  }

  /** The token of a process of this user that may act as an operator and still runs, or null; its owner takes it away. */
  findOperator(): PeerCredential | null {
    const names = this.#names().filter((name) => OWN_NAME.test(name) && this.mayReturn(name));
    return names.map((name) => this.find(name)).find((found) => found?.role === 'operator') ?? null;
  }

  /** The credential of a name, or null. ATTACKER-CONTROLLED: `name`. */
  find(name: string): PeerCredential | null {
    if (!isPeerName(name)) return null;
    const path = join(this.#folder, name);
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return null;
    try {
      return readCredential(path, name);
    } catch {
      // Half written or damaged: nobody can prove that they hold it.
      return null;
    }
  }

  list(): readonly { readonly name: string; readonly role: PeerRole }[] {
    return this.#names().flatMap((name) => {
      const found = this.find(name);
      return found === null ? [] : [{ name, role: found.role }];
    });
  }

  /** What tells the token file of a name from one that takes its place; null if there is none. Needs no file descriptor. */
  markOf(name: string): string | null {
    if (!isPeerName(name)) return null;
    const stat = statSync(join(this.#folder, name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : `${stat.ino} ${stat.mtimeNs}`;
  }

  /** True if there was such a peer; a keeper that runs cuts its connections within a second. */
  revoke(name: string): boolean {
    const existed = isPeerName(name) && statSync(join(this.#folder, name), { throwIfNoEntry: false }) !== undefined;
    if (existed) rmSync(join(this.#folder, name), { force: true });
    return existed;
  }

  /** False when no process can come back under this name. */
  mayReturn(name: string): boolean {
    if (!isPeerName(name) || statSync(join(this.#folder, name), { throwIfNoEntry: false }) === undefined) return false;
    const pid = OWN_NAME.exec(name)?.[1];
    return pid === undefined || isAlive(Number(pid));
  }

  /** Takes away the tokens of processes that have ended. */
  sweep(): void {
    for (const name of this.#names()) if (OWN_NAME.test(name) && !this.mayReturn(name)) this.revoke(name);
  }

  #names(): string[] {
    if (statSync(this.#folder, { throwIfNoEntry: false }) === undefined) return [];
    return readdirSync(this.#folder).filter(isPeerName);
  }

  #write(name: string, role: PeerRole): PeerCredential {
    const token = `spk_${randomBytes(32).toString('base64url')}`;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(join(this.#folder, name), credentialText({ name, token, role }), { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
        throw new SallyportError('TOKEN_NAME', `a peer named ${name} exists`, { cause });
      }
      rmSync(join(this.#folder, name), { force: true });
      throw new SallyportError('STATE_UNWRITABLE', `cannot write to ${this.#folder}`, { cause });
    }
    return Object.freeze({ name, token, role });
  }
}

/** A credential as a token file holds it. */
export const credentialText = ({ name, token, role }: PeerCredential): string =>
  `${JSON.stringify({ name, token, role })}\n`;

/**
 * Reads a token file, which only its owner (this user, or root) may read.
 * @throws SallyportError PEER_REFUSED: missing, open to others, or no token file
 */
export function readTokenFile(path: string): PeerCredential {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw new SallyportError('PEER_REFUSED', `there is no token file ${path}`);
  if ((stat.mode & 0o077) !== 0 || !isOurs(stat.uid)) {
    throw new SallyportError('PEER_REFUSED', `the token file ${path} is not for this user alone: mode 0600`);
  }
  return readCredential(path, null);
}

/** True for a file of this user or of root. */
const isOurs = (uid: number): boolean => process.getuid === undefined || uid === process.getuid() || uid === 0;

function readCredential(path: string, expected: string | null): PeerCredential {
  try {
    const value = parseStrictJson(readFileSync(path, 'utf8'), { maxBytes: 1_024, maxDepth: 2 });
    const { name, token, role } = isJsonObject(value) ? value : {};
    if (typeof name === 'string' && isPeerName(name) && (expected === null || name === expected)) {
      if (typeof token === 'string' && TOKEN.test(token) && (role === 'gate' || role === 'operator')) {
        return Object.freeze({ name, token, role });
      }
    }
  } catch (cause) {
    throw new SallyportError('PEER_REFUSED', `the token file ${path} cannot be read`, { cause });
  }
  throw new SallyportError('PEER_REFUSED', `${path} is no token file of a peer`);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
