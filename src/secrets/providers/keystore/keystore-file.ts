import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SallyportError } from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';

/** What was read of a file, and which file it was. */
export interface KeystoreText {
  readonly text: string;
  readonly stamp: string;
}

/**
 * The file of a keystore, or null where there is none.
 * @throws SallyportError SECRET_FILE_UNSAFE, KEYSTORE_CORRUPT
 */
export async function readKeystoreFile(path: string): Promise<KeystoreText | null> {
  const file = await openExisting(path);
  if (file === null) return null;
  try {
    const stats = await file.stat();
    checkOwn(stats, path);
    if (stats.size > DEFAULT_SECRET_LIMITS.keystoreBytes)
      throw new SallyportError('KEYSTORE_CORRUPT', 'the keystore is too large');
    return { text: await file.readFile('utf8'), stamp: stampOf(stats) };
  } finally {
    await file.close();
  }
}

/**
 * Puts a new text in the place of the one that was read, whole or not at all, durably, 0600.
 * INVARIANT: one process writes a state folder. The comparison finds another that wrote meanwhile, up to the moment before
 * the rename; it is no lock.
 * @throws SallyportError KEYSTORE_CHANGED
 */
export async function replaceKeystoreFile(path: string, text: string, read: KeystoreText | null): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${randomBytes(8).toString('hex')}.new`;
  try {
    await writeDurably(fresh, text);
    const now = await readKeystoreFile(path);
    if (now?.stamp !== read?.stamp)
      throw new SallyportError('KEYSTORE_CHANGED', 'the keystore changed since it was read');
    await rename(fresh, path);
  } finally {
    await rm(fresh, { force: true });
  }
  await syncFolder(dirname(path));
}

async function openExisting(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') return null;
    if (code === 'ELOOP') throw new SallyportError('SECRET_FILE_UNSAFE', 'the keystore is a link');
    throw error;
  }
}

function checkOwn(stats: Stats, path: string): void {
  const mine = stats.isFile() && stats.uid === process.geteuid?.() && (stats.mode & 0o077) === 0;
  if (!mine)
    throw new SallyportError(
      'SECRET_FILE_UNSAFE',
      `the keystore ${path} is not a plain file of this user with mode 0600`,
    );
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const stampOf = (stats: Stats): string => `${stats.dev} ${stats.ino} ${stats.mtimeMs} ${stats.size}`;
