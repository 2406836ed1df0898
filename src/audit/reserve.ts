import { randomBytes } from 'node:crypto';
import * as path from 'node:path';
import { isSallyportError, SallyportError } from '../core/index.ts';
import type { LogLayout } from './layout.ts';
import { isSystemError, type LogFiles, unlessMissing, writeFile } from './log-files.ts';

/** Bytes that a log holds back on its disk, for refusals and the shutdown when there is no other space left. */
export const RESERVE_BYTES = 1_048_576;

/**
 * Makes the reserve if it is missing or cut short, its blocks on the disk: random, so that no file system keeps less.
 * @throws DISK_FULL or an error of the system: a log without its reserve is not opened
 */
export async function prepareReserve(files: LogFiles, layout: LogLayout): Promise<void> {
  const names = await files.list(layout.log);
  if (names.includes(path.basename(layout.reserve)) && (await sizeOf(files, layout.reserve)) === RESERVE_BYTES) return;
  await writeFile(files, layout.reserve, randomBytes(RESERVE_BYTES));
  await files.syncFolder(layout.log);
}

async function sizeOf(files: LogFiles, file: string): Promise<number> {
  const opened = await files.open(file, 'append');
  try {
    return opened.size();
  } finally {
    await opened.close();
  }
}

/** Gives the reserve back to the disk. */
export async function releaseReserve(files: LogFiles, layout: LogLayout): Promise<void> {
  await unlessMissing(files.remove(layout.reserve));
  await files.syncFolder(layout.log);
}

/**
 * True when the disk, or what this user may take of it, is full and nothing else is wrong. Of a failed sync nobody knows what it
 * left behind: that is never only a full disk.
 */
export function isNoSpace(error: unknown): boolean {
  if (isSallyportError(error, 'DISK_FULL')) return true;
  if (!isSystemError(error, 'ENOSPC') && !isSystemError(error, 'EDQUOT')) return false;
  return !(error instanceof Error && 'syscall' in error && String(error.syscall).endsWith('sync'));
}

/** What everybody is told once the disk was full. */
export const diskFull = (cause: unknown): SallyportError =>
  isSallyportError(cause, 'DISK_FULL')
    ? cause
    : new SallyportError('DISK_FULL', 'the disk that holds the log is full', { cause });
