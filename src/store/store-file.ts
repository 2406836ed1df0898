import { chmodSync, closeSync, fsyncSync, lstatSync, openSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { SallyportError } from '../core/index.ts';

/**
 * Makes the file of a store (0600, durable with its folder) if it is missing, and checks it otherwise: a regular file of this
 * user. SQLite gives its journal the same mode.
 * INVARIANT: an existing file is never opened here: closing any descriptor of it would drop the lock that SQLite holds in this
 * process (POSIX record locks, fcntl(2)).
 *
 * @throws SallyportError STORE_FAILED
 */
export function prepareFile(file: string): void {
  try {
    const found = lstatSync(file, { throwIfNoEntry: false });
    if (found === undefined) createFile(file);
    else checkFile(file, found);
  } catch (cause) {
    throw cause instanceof SallyportError
      ? cause
      : new SallyportError('STORE_FAILED', `cannot make or read the store: ${file}`, { cause });
  }
}

function createFile(file: string): void {
  sync(openSync(file, 'wx', 0o600));
  // Windows cannot open folders, and has no need to.
  if (process.platform !== 'win32') sync(openSync(dirname(file), 'r'));
}

function sync(descriptor: number): void {
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function checkFile(file: string, found: Stats): void {
  const owner = process.getuid?.() ?? found.uid;
  if (!found.isFile() || found.uid !== owner) {
    throw new SallyportError('STORE_FAILED', `the store is no regular file of this user: ${file}`);
  }
  if ((found.mode & 0o077) !== 0) chmodSync(file, 0o600);
}
