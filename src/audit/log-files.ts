import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';

/** An open file of the log. */
export interface LogFile {
  /** Writes at the end; returns how many bytes the system took. */
  write(data: Uint8Array): Promise<number>;
  /** Returns when data and size are on the disk (fdatasync). */
  sync(): Promise<void>;
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  close(): Promise<void>;
}

/** `create`: must not exist; `replace`: emptied; `append`: kept. Files are made with mode 0600. */
export type OpenMode = 'create' | 'replace' | 'append';

/** The system calls that the log makes, so that tests can let each of them fail. */
export interface LogFiles {
  open(file: string, mode: OpenMode): Promise<LogFile>;
  read(file: string): Promise<Buffer>;
  /** Names in a folder. */
  list(folder: string): Promise<string[]>;
  /** `device:inode` of what a path names. */
  identity(file: string): Promise<string>;
  /** Makes a folder and those above it, mode 0700. */
  makeFolder(folder: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(file: string): Promise<void>;
  removeFolder(folder: string): Promise<void>;
  /** Returns when the names in a folder are on the disk. */
  syncFolder(folder: string): Promise<void>;
}

const FLAGS: Readonly<Record<OpenMode, number>> = {
  create: constants.O_CREAT | constants.O_EXCL | constants.O_APPEND,
  replace: constants.O_CREAT | constants.O_TRUNC | constants.O_APPEND,
  append: constants.O_CREAT | constants.O_APPEND,
};

/** The file system of this machine. */
export const realFiles: LogFiles = Object.freeze({
  open: async (file: string, mode: OpenMode) =>
    openFile(await fs.open(file, FLAGS[mode] | constants.O_WRONLY | constants.O_NOFOLLOW, 0o600)),
  read: (file: string) => fs.readFile(file),
  list: (folder: string) => fs.readdir(folder),
  identity: async (file: string) => {
    const { dev, ino } = await fs.lstat(file, { bigint: true });
    return `${dev}:${ino}`;
  },
  makeFolder: async (folder: string) => {
    await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  },
  rename: fs.rename,
  remove: fs.unlink,
  removeFolder: fs.rmdir,
  syncFolder: async (folder: string) => {
    const handle = await fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
});

const openFile = (handle: fs.FileHandle): LogFile => ({
  write: async (data) => (await handle.write(data)).bytesWritten,
  sync: () => handle.datasync(),
  size: async () => (await handle.stat()).size,
  truncate: (size) => handle.truncate(size),
  close: () => handle.close(),
});

/** True for an error of the system that carries `code` (`ENOENT`). */
export const isSystemError = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** What `read` gives, or null where nothing is: every other trouble is thrown. */
export async function unlessMissing<T>(read: Promise<T>): Promise<T | null> {
  try {
    return await read;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Writes all of `data` in one call. A short write is a failure: what is half on the disk is not completed later. */
export async function writeWhole(file: LogFile, data: Uint8Array): Promise<void> {
  const written = await file.write(data);
  if (written !== data.length) {
    throw new SallyportError('AUDIT_WRITE_FAILED', `the disk took ${written} of ${data.length} bytes`);
  }
}

/**
 * Writes a file so that its name never stands for half of it: a temporary file, its bytes on the disk, then the rename.
 * The name itself is durable after {@link LogFiles.syncFolder} of its folder.
 */
export async function writeFileAtomically(files: LogFiles, target: string, data: Uint8Array): Promise<void> {
  const temporary = `${target}.tmp`;
  const file = await files.open(temporary, 'replace');
  try {
    await writeWhole(file, data);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, target);
}

/** {@link writeFileAtomically}, and its name durable too. */
export async function writeFileDurably(files: LogFiles, target: string, data: Uint8Array): Promise<void> {
  await writeFileAtomically(files, target, data);
  await files.syncFolder(path.dirname(target));
}
