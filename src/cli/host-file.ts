import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { randomBytes, SallyportError } from '../core/index.ts';

/** Largest file of a host that is edited, in bytes; Claude Code keeps its history in the same file. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** The file of a host as it was read. */
export interface HostFile {
  /** Where the host looks for it. */
  readonly path: string;
  /** Where it really lies, symbolic links followed. */
  readonly real: string;
  /** Null when there is no such file. */
  readonly text: string | null;
  /** Permission bits; null when there is no such file. */
  readonly mode: number | null;
}

/**
 * Reads the file of a host. ATTACKER-CONTROLLED with `within`: a project can hold links.
 *
 * @param within the real path must stay in this folder (absolute real path); null for the file of a user
 * @throws SallyportError CONNECT_FILE when it is no regular file of this user, too large, not UTF-8, or lies elsewhere
 */
export function readHostFile(path: string, within: string | null): HostFile {
  try {
    return readChecked(path, within);
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw refused(path, 'it cannot be reached', cause);
  }
}

function readChecked(path: string, within: string | null): HostFile {
  const real = realOf(path);
  if (within !== null && !isInside(real, within)) throw refused(path, `it leads to ${real}, outside of the project`);
  const stat = statSync(real, { throwIfNoEntry: false });
  if (stat === undefined) return { path, real, text: null, mode: null };
  if (!stat.isFile()) throw refused(real, 'it is no regular file');
  if (process.getuid !== undefined && stat.uid !== process.getuid()) throw refused(real, 'it belongs to another user');
  if (stat.nlink > 1) throw refused(real, 'it has more than one hard link, and replacing it would part them');
  if (stat.size > MAX_FILE_BYTES) throw refused(real, `it is larger than ${MAX_FILE_BYTES} bytes`);
  return { path, real, text: readText(real), mode: stat.mode & 0o777 };
}

function readText(real: string): string {
  try {
    accessSync(real, constants.R_OK | constants.W_OK);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(real));
  } catch (cause) {
    throw refused(real, cause instanceof TypeError ? 'it is not UTF-8' : 'it cannot be read and written', cause);
  }
}

/** The real path of a file that may not be there yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      throw refused(path, 'it is a link that leads nowhere', cause);
    const parent = dirname(path);
    return parent === path ? path : join(realOf(parent), basename(path));
  }
}

const isInside = (path: string, folder: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * Replaces the file in one step: whoever reads it sees the old text or the new one. Owner, group and mode stay, unless a
 * mode is asked for.
 *
 * @throws SallyportError CONNECT_CHANGED when it is not what was read any more, CONNECT_FILE when it cannot be written
 */
export function replaceHostFile(file: HostFile, text: string, mode: number): void {
  try {
    mkdirSync(dirname(file.real), { recursive: true, mode: 0o700 });
    const temporary = join(dirname(file.real), `.${basename(file.real)}.${randomBytes(8).toString('hex')}`);
    try {
      writeNew(temporary, text, { mode, like: file });
      checkUnchanged(file);
      renameSync(temporary, file.real);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw refused(file.real, 'it cannot be written', cause);
  }
}

/** Removes a file that was made by us. @throws SallyportError CONNECT_CHANGED, CONNECT_FILE */
export function removeHostFile(file: HostFile): void {
  checkUnchanged(file);
  try {
    rmSync(file.real);
  } catch (cause) {
    throw refused(file.real, 'it cannot be removed', cause);
  }
}

function writeNew(path: string, text: string, { mode, like }: { mode: number; like: HostFile }): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    const old = statSync(like.real, { throwIfNoEntry: false });
    if (old !== undefined && process.getuid !== undefined) fchownSync(descriptor, old.uid, old.gid);
    fchmodSync(descriptor, mode);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function checkUnchanged({ path, real, text }: HostFile): void {
  const now = statSync(real, { throwIfNoEntry: false }) === undefined ? null : readText(real);
  if (now !== text || realOf(path) !== real) {
    throw new SallyportError('CONNECT_CHANGED', `another program wrote ${real} meanwhile; nothing was written`);
  }
}

const refused = (path: string, why: string, cause?: unknown): SallyportError =>
  new SallyportError('CONNECT_FILE', `${path} is left as it is: ${why}`, { cause });
