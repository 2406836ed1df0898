import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';
import { decodeSegment, encodeBatch } from './batch.ts';
import { type Entry, parseRecord } from './entry.ts';
import type { LogLayout } from './layout.ts';
import { type LogFile, type LogFiles, unlessMissing, writeWhole } from './log-files.ts';
import type { Ownership } from './ownership.ts';
import { diskFull, isNoSpace } from './reserve.ts';

const SEGMENT_NAME = /^[0-9]{16}\.wal$/;

/** A segment is named after the first sequence number it can hold. */
const segmentPath = (layout: LogLayout, first: number): string =>
  path.join(layout.wal, `${String(first).padStart(16, '0')}.wal`);

/** The segments of a log, oldest first. */
export async function listSegments(files: LogFiles, layout: LogLayout): Promise<string[]> {
  const names = (await files.list(layout.wal)).filter((name) => SEGMENT_NAME.test(name));
  return names.sort().map((name) => path.join(layout.wal, name));
}

/** Removes segments that a checkpoint covers. */
export async function dropSegments(files: LogFiles, layout: LogLayout, segments: readonly string[]): Promise<void> {
  for (const segment of segments) await files.remove(segment);
  if (segments.length > 0) await files.syncFolder(layout.wal);
}

/** The write-ahead log: where a record becomes durable. One call at a time. */
export class WalWriter {
  readonly #files: LogFiles;
  readonly #layout: LogLayout;
  readonly #ownership: Ownership;
  #segment: { file: LogFile; path: string; size: number };

  private constructor(
    files: LogFiles,
    layout: LogLayout,
    ownership: Ownership,
    segment: { file: LogFile; path: string },
  ) {
    this.#files = files;
    this.#layout = layout;
    this.#ownership = ownership;
    this.#segment = { ...segment, size: 0 };
  }

  static async open(files: LogFiles, layout: LogLayout, ownership: Ownership, first: number): Promise<WalWriter> {
    return new WalWriter(files, layout, ownership, await createSegment(files, layout, first));
  }

  /**
   * Returns when the entries are durable and nobody else has claimed the log or written to the segment.
   * INVARIANT: after a failure nothing is written again: what a failed fdatasync left behind is unknown. The exception is a
   * full disk while writing: what was half written is cut off, and the segment ends with its last good batch as before.
   *
   * @throws SallyportError DISK_FULL (nothing of the batch is there), AUDIT_WRITE_FAILED
   */
  async write(entries: readonly Entry[]): Promise<void> {
    const batch = encodeBatch(entries);
    const segment = this.#segment;
    await this.#append(segment, batch);
    await segment.file.sync().catch(refuseAsWriteFailure);
    segment.size += batch.length;
    if (!this.#ownership.holds()) throw new SallyportError('AUDIT_WRITE_FAILED', 'another process has opened this log');
    if (segment.file.size() !== segment.size) {
      throw new SallyportError('AUDIT_WRITE_FAILED', 'something else has written to the write-ahead log');
    }
  }

  async #append(segment: { file: LogFile; size: number }, batch: Uint8Array): Promise<void> {
    try {
      await writeWhole(segment.file, batch);
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      await segment.file.truncate(segment.size).catch(refuseAsWriteFailure);
      throw diskFull(error);
    }
  }

  /** Goes on in a new segment, for `first` and later; returns the path of the finished one. */
  async rotate(first: number): Promise<string> {
    const finished = this.#segment;
    this.#segment = { ...(await createSegment(this.#files, this.#layout, first)), size: 0 };
    await finished.file.close();
    return finished.path;
  }

  /** Closes the current segment and returns its path. */
  async close(): Promise<string> {
    await this.#segment.file.close();
    await this.#ownership.release();
    return this.#segment.path;
  }
}

/** Whatever code the system gave: after this nobody knows what is on the disk. */
function refuseAsWriteFailure(cause: unknown): never {
  throw new SallyportError('AUDIT_WRITE_FAILED', 'the write-ahead log cannot be made durable', { cause });
}

async function createSegment(
  files: LogFiles,
  layout: LogLayout,
  first: number,
): Promise<{ file: LogFile; path: string }> {
  const segment = segmentPath(layout, first);
  const file = await files.open(segment, 'create');
  try {
    await files.syncFolder(layout.wal);
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, path: segment };
}

/** What the write-ahead log holds beyond a checkpoint. */
export interface Tail {
  /** In order, the first one being entry `size`. */
  readonly entries: readonly Entry[];
  /** Bytes at the end that are no whole batch: a crash in the middle of a write. */
  readonly tornBytes: number;
  readonly segments: readonly string[];
}

/**
 * Reads what the write-ahead log holds from entry `size` on. A segment that disappears meanwhile was covered by a newer
 * checkpoint.
 *
 * @throws SallyportError AUDIT_CORRUPT: a bad batch before a good one, or entries missing in between
 */
export async function readTail(files: LogFiles, layout: LogLayout, size: number): Promise<Tail> {
  const segments = await listSegments(files, layout);
  const entries: Entry[] = [];
  let tornBytes = 0;
  for (const path of segments) {
    const data = await unlessMissing(files.read(path));
    if (data === null) continue;
    const segment = decodeSegment(data);
    if (segment.broken || tornBytes > 0) throw corrupt('a batch is damaged, and good ones follow it');
    tornBytes = data.length - segment.validBytes;
    for (const batch of segment.batches) addBatch(entries, batch, size);
  }
  return { entries, tornBytes, segments };
}

function addBatch(entries: Entry[], batch: readonly Entry[], size: number): void {
  for (const entry of batch) {
    const expected = size + entries.length;
    if (entry.seq < size) continue;
    if (entry.seq !== expected) throw corrupt(`entry ${expected} is missing`, expected);
    if (parseRecord(entry.bytes).seq !== expected) throw corrupt(`entry ${expected} states another number`, expected);
    entries.push(entry);
  }
}

const corrupt = (message: string, entry?: number): SallyportError =>
  new SallyportError(
    'AUDIT_CORRUPT',
    `the write-ahead log: ${message}`,
    entry === undefined ? {} : { detail: { entry } },
  );
