import { constants, fdatasync, fstatSync, lstatSync, write } from 'node:fs';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';

/** An open file of the log. */
export interface LogFile {
  /** Writes at the end; returns how many bytes the system took. */
  write(data: Uint8Array): Promise<number>;
  /** Returns when data and size are on the disk (fdatasync). */
  sync(): Promise<void>;
  /** Bytes so far. Answers at once: a trip through the thread pool would cost a tenth of a flush. */
  size(): number;
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
  /** `device:inode` of what a path names. Answers at once, as {@link LogFile.size}. */
  identity(file: string): string;
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
  identity: (file: string) => {
    const { dev, ino } = lstatSync(file, { bigint: true });
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

/** The callback forms of `node:fs`: their promises take a third longer, and each batch of records waits for two of them. */
const openFile = (handle: fs.FileHandle): LogFile => ({
  write: (data) =>
    new Promise((resolve, reject) => {
      write(handle.fd, data, (error, written) => (error === null ? resolve(written) : reject(error)));
    }),
  sync: () =>
    new Promise((resolve, reject) => {
      fdatasync(handle.fd, (error) => (error === null ? resolve() : reject(error)));
    }),
  size: () => fstatSync(handle.fd).size,
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

/**
 * Writes all of `data` in one call. A short write is a failure: what is half on the disk is not completed later.
 * @throws SallyportError DISK_FULL for a short write, which on a file means that there is no space
 */
export async function writeWhole(file: LogFile, data: Uint8Array): Promise<void> {
  const written = await file.write(data);
  if (written !== data.length) {
    throw new SallyportError('DISK_FULL', `the disk took ${written} of ${data.length} bytes`);
  }
}

/**
 * Writes a file, its bytes on the disk when it returns. A crash can leave half of it under its name: for files that
 * nothing reads before a checkpoint covers them. The name is durable after {@link LogFiles.syncFolder} of its folder.
 */
export async function writeFile(files: LogFiles, target: string, data: Uint8Array): Promise<void> {
  const file = await files.open(target, 'replace');
  try {
    await writeWhole(file, data);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file so that its name never stands for half of it: a temporary file, the rename, the name durable. */
export async function replaceFile(files: LogFiles, target: string, data: Uint8Array): Promise<void> {
  const temporary = `${target}.tmp`;
  await writeFile(files, temporary, data);
  await files.rename(temporary, target);
  await files.syncFolder(path.dirname(target));
}
