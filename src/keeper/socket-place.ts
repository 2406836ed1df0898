import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';

/** Bytes of the path of a Unix socket (unix(7): 108 with the final NUL). */
const MAX_SOCKET_PATH = 107;

/**
 * Where the owner of a state folder listens: `keeper/socket` in it, or, where that path is too long, in a folder of its own
 * (0700) under `$XDG_RUNTIME_DIR` or the folder for temporary files; `wanted` names another place. Written to
 * `keeper/socket-path`, and free when it returns.
 *
 * @throws SallyportError KEEPER_SOCKET
 */
export function prepareSocket(state: string, wanted: string | null): string {
  const place = join(state, 'keeper');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const path = wanted === null ? defaultPath(state) : resolve(wanted);
  if (!fits(path)) throw problem(`the path of the socket has over ${MAX_SOCKET_PATH} bytes: ${path}`);
  checkFolder(path);
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !there.isSocket()) throw problem(`${path} is there, and is no socket`);
  // INVARIANT: called by the owner of the state folder only, so that a socket that lies there is of one that is gone.
  rmSync(path, { force: true });
  const named = join(place, 'socket-path');
  writeFileSync(`${named}.new`, path, { mode: 0o600 });
  renameSync(`${named}.new`, named);
  return path;
}

/** The socket of the owner of a state folder, or null while there is none. @throws SallyportError KEEPER_SOCKET */
export function findSocket(state: string): string | null {
  let path: string;
  try {
    path = readFileSync(join(state, 'keeper', 'socket-path'), 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return null;
    throw problem('the file keeper/socket-path of the state folder cannot be read', cause);
  }
  return checkSocket(path);
}

/** The path itself if it can be the socket of a keeper. @throws SallyportError KEEPER_SOCKET */
export function checkSocket(path: string): string {
  if (!isAbsolute(path) || !fits(path)) throw problem(`this is no path of a socket: ${path.slice(0, 200)}`);
  checkFolder(path);
  return path;
}

const fits = (path: string): boolean => Buffer.byteLength(path) <= MAX_SOCKET_PATH;

function defaultPath(state: string): string {
  const path = join(state, 'keeper', 'socket');
  if (fits(path)) return path;
  const kept = keptFolder(state);
  return join(kept ?? mkdtempSync(join(runtimeFolder(), 'sallyport-')), 'socket');
}

/** The folder of the owner before, so that owners that follow each other leave one behind, not many. */
function keptFolder(state: string): string | null {
  try {
    const folder = dirname(findSocket(state) ?? '');
    const stat = lstatSync(folder);
    return dirname(folder) === runtimeFolder() && (stat.mode & 0o077) === 0 ? folder : null;
  } catch {
    // Gone, or not to be trusted: another one is made.
    return null;
  }
}

function runtimeFolder(): string {
  const runtime = process.env['XDG_RUNTIME_DIR'];
  return realpathSync(runtime !== undefined && isAbsolute(runtime) ? runtime : tmpdir());
}

/** Who can write to the folder could put another socket there: it would learn nothing, but nobody would be served. */
function checkFolder(path: string): void {
  const folder = dirname(path);
  const stat = lstatSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isDirectory()) throw problem(`the folder of the socket is missing: ${folder}`);
  if ((stat.mode & 0o022) !== 0) throw problem(`others can write to the folder of the socket: ${folder}`);
}

const problem = (message: string, cause?: unknown): SallyportError =>
  new SallyportError('KEEPER_SOCKET', message, { cause });
