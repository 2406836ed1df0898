import { isSallyportError, type JsonValue, SallyportError } from '../core/index.ts';
import { statedSize } from './checkpoint.ts';
import { type Entry, parseRecord } from './entry.ts';
import { entrySpans } from './entry-bundle.ts';
import { type LogLayout, layoutOf } from './layout.ts';
import { type LogFiles, realFiles, unlessMissing } from './log-files.ts';
import { commit, decodePayloadBundle, type Payload, payloadValue } from './payload.ts';
import type { LogRecord } from './record.ts';
import { TILE_WIDTH, tileWidth } from './tile-path.ts';
import { readTail } from './wal.ts';

/** A record as a reader gets it: its number, the bytes that the log commits to, and what they say. */
export interface ReadRecord {
  readonly seq: number;
  readonly bytes: Buffer;
  readonly record: LogRecord;
}

/** Tries at one place, for what a writer replaces meanwhile, before it counts as missing. */
const TRIES = 10;

/**
 * The records of a log from `from` (default 0) to before `to`, those that are not yet under a checkpoint included. Reads
 * only, and may run while a writer does. Proves nothing: that is {@link verifyLog}.
 *
 * @throws SallyportError AUDIT_NOT_FOUND (no log there), AUDIT_CORRUPT (something is damaged or missing)
 */
export async function* readRecords(
  directory: string,
  range: { readonly from?: number; readonly to?: number } = {},
): AsyncGenerator<ReadRecord, void, undefined> {
  const layout = layoutOf(directory);
  const to = range.to ?? Number.POSITIVE_INFINITY;
  let next = range.from ?? 0;
  for (let tries = 0; next < to && tries < TRIES; tries++) {
    const size = await publishedSize(layout);
    while (next < Math.min(size, to)) {
      const entries = await readEntries(layout, size, next);
      if (entries === null) break;
      for (const bytes of entries.slice(0, to - next)) yield toRecord(bytes, next++);
      tries = 0;
    }
    if (next < Math.min(size, to)) continue;
    const tail = await tailAfter(layout, next);
    if (tail === null) continue;
    for (const { bytes } of tail.slice(0, to - next)) yield toRecord(bytes, next++);
    return;
  }
  if (next < to) throw new SallyportError('AUDIT_CORRUPT', `entry ${next} is missing`, { detail: { entry: next } });
}

async function publishedSize(layout: LogLayout): Promise<number> {
  const note = await unlessMissing(realFiles.read(layout.checkpoint));
  if (note === null) throw new SallyportError('AUDIT_NOT_FOUND', 'there is no log in this folder');
  return statedSize(note);
}

/** The entries from `next` to the end of its bundle, or null if a writer has just replaced the bundle. */
async function readEntries(layout: LogLayout, size: number, next: number): Promise<Buffer[] | null> {
  const index = Math.floor(next / TILE_WIDTH);
  const bundle = await readBundle(realFiles, layout, { size, index });
  return bundle?.slice(next % TILE_WIDTH) ?? null;
}

/**
 * The entries of a bundle of a log of `size` entries; of a wider bundle if a writer has replaced the one that belongs to
 * this size; null if there is neither.
 * @throws SallyportError AUDIT_CORRUPT
 */
export async function readBundle(
  files: LogFiles,
  layout: LogLayout,
  { size, index }: { size: number; index: number },
): Promise<Buffer[] | null> {
  const width = tileWidth(size, 0, index);
  const partial = await unlessMissing(files.read(layout.tile('entries', index, width)));
  const bundle = partial ?? (await unlessMissing(files.read(layout.tile('entries', index))));
  if (bundle === null) return null;
  const count = partial === null ? TILE_WIDTH : width;
  return entrySpans(bundle, count).map(({ start, end }) => bundle.subarray(start, end));
}

/** The entries of the write-ahead log from `next` on, or null if a checkpoint has just taken some of them over. */
async function tailAfter(layout: LogLayout, next: number): Promise<readonly Entry[] | null> {
  try {
    const { entries } = await readTail(realFiles, layout, next);
    if (entries.length > 0) return entries;
  } catch (error) {
    if (isSallyportError(error, 'AUDIT_CORRUPT') && (await publishedSize(layout)) > next) return null;
    throw error;
  }
  return (await publishedSize(layout)) > next ? null : [];
}

function toRecord(bytes: Buffer, seq: number): ReadRecord {
  const record = parseRecord(bytes);
  if (record.seq === seq) return { seq, bytes, record };
  throw new SallyportError('AUDIT_CORRUPT', `entry ${seq} states another number`, { detail: { entry: seq } });
}

/** What became of a payload that a record commits to. */
export type PayloadReading =
  | { readonly name: string; readonly status: 'intact'; readonly value: JsonValue }
  | { readonly name: string; readonly status: 'absent' | 'altered' };

/** Reads payloads of records in the order of the log; keeps the bundle it read last. */
export class PayloadReader {
  readonly #layout: LogLayout;
  #bundle: { covers(seq: number): boolean; readonly payloads: ReadonlyMap<number, readonly Payload[]> } | null = null;

  constructor(directory: string) {
    this.#layout = layoutOf(directory);
  }

  /** Each payload that the record commits to, compared with its commitment. */
  async read(record: LogRecord): Promise<PayloadReading[]> {
    const commitments = Object.entries(record.commitments ?? {});
    if (commitments.length === 0) return [];
    const payloads = await this.#find(record.seq);
    return commitments.map(([name, commitment]) => {
      const payload = payloads.find((candidate) => candidate.name === name);
      if (payload === undefined) return { name, status: 'absent' };
      if (commit(payload) !== commitment) return { name, status: 'altered' };
      return { name, status: 'intact', value: payloadValue(payload) };
    });
  }

  /** A record under the checkpoint has its payloads in the bundle; a later one in the write-ahead log. */
  async #find(seq: number): Promise<readonly Payload[]> {
    if (this.#bundle === null || !this.#bundle.covers(seq)) {
      const size = await publishedSize(this.#layout);
      if (size <= seq) return this.#findInTail(seq);
      const index = Math.floor(seq / TILE_WIDTH);
      const covers = (other: number): boolean => Math.floor(other / TILE_WIDTH) === index && other < size;
      this.#bundle = { covers, payloads: await this.#readBundle(index) };
    }
    return this.#bundle.payloads.get(seq % TILE_WIDTH) ?? [];
  }

  async #findInTail(seq: number): Promise<readonly Payload[]> {
    const entry = await tailAfter(this.#layout, seq);
    return entry === null ? this.#find(seq) : (entry[0]?.payloads ?? []);
  }

  async #readBundle(index: number): Promise<Map<number, Payload[]>> {
    const data = await unlessMissing(realFiles.read(this.#layout.tile('blobs', index)));
    const found = new Map<number, Payload[]>();
    for (const { index: at, payload } of decodePayloadBundle(data ?? Buffer.alloc(0)).payloads) {
      found.set(at, [...(found.get(at) ?? []), payload]);
    }
    return found;
  }
}

/**
 * The payloads of record `seq` that are still there, by name. A payload that was erased is left out.
 * @throws SallyportError AUDIT_INTEGRITY (one does not match its commitment), and the codes of {@link readRecords}
 */
export async function readPayloads(directory: string, seq: number): Promise<Readonly<Record<string, JsonValue>>> {
  const found: Record<string, JsonValue> = {};
  for await (const { record } of readRecords(directory, { from: seq, to: seq + 1 })) {
    for (const reading of await new PayloadReader(directory).read(record)) {
      if (reading.status === 'altered') {
        const message = `payload ${reading.name} of entry ${seq} does not match its commitment`;
        throw new SallyportError('AUDIT_INTEGRITY', message, { detail: { entry: seq } });
      }
      if (reading.status === 'intact') found[reading.name] = reading.value;
    }
  }
  return found;
}
