import * as zlib from 'node:zlib';
import type { Entry } from './entry.ts';
import { decodePayload, type Payload, payloadBytes, writePayload } from './payload.ts';

/**
 * The beginning of a batch. INVARIANT: entries and payloads are UTF-8, in which 0xFF does not occur, so that nobody who
 * chooses their content can make it look like a batch.
 */
const MAGIC = Buffer.from([0xff, 0x53, 0x50, 0x01]);
/** Magic (4), length of the body (4), CRC-32 of all that follows (4), first sequence number (8), entries (4). */
const HEADER_BYTES = 24;
const CHECKED_FROM = 12;

/**
 * A batch of the write-ahead log: everything that one flush makes durable. Numbers are big-endian. Body, for each entry:
 * length (2), bytes, number of payloads (1), payloads.
 */
export function encodeBatch(entries: readonly Entry[]): Buffer {
  const batch = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + encodedBytes(entry), HEADER_BYTES));
  MAGIC.copy(batch);
  batch.writeUInt32BE(batch.length - HEADER_BYTES, 4);
  batch.writeBigUInt64BE(BigInt(entries[0]?.seq ?? 0), 12);
  batch.writeUInt32BE(entries.length, 20);
  let at = HEADER_BYTES;
  for (const entry of entries) at = writeEntry(batch, at, entry);
  batch.writeUInt32BE(zlib.crc32(batch.subarray(CHECKED_FROM)), 8);
  return batch;
}

const encodedBytes = ({ bytes, payloads }: Entry): number =>
  payloads.reduce((sum, payload) => sum + payloadBytes(payload), 2 + bytes.length + 1);

/** Returns where the entry ends. */
function writeEntry(batch: Buffer, at: number, { bytes, payloads }: Entry): number {
  let next = batch.writeUInt16BE(bytes.length, at);
  next += bytes.copy(batch, next);
  next = batch.writeUInt8(payloads.length, next);
  for (const payload of payloads) next = writePayload(batch, next, payload);
  return next;
}

/** What a segment of the write-ahead log holds. */
export interface Segment {
  /** The entries of each good batch, in order. */
  readonly batches: readonly (readonly Entry[])[];
  /** Bytes of the good batches; what follows is torn, if anything does. */
  readonly validBytes: number;
  /** A good batch stands behind a bad one: no crash leaves that. */
  readonly broken: boolean;
}

/** Reads a segment. ATTACKER-CONTROLLED: anything may stand in the file; nothing here throws for it. */
export function decodeSegment(data: Buffer): Segment {
  const batches: Entry[][] = [];
  let at = 0;
  while (at < data.length) {
    const batch = decodeBatch(data, at);
    if (batch === null) return { batches, validBytes: at, broken: hasBatchAfter(data, at + 1) };
    batches.push(batch.entries);
    at = batch.end;
  }
  return { batches, validBytes: at, broken: false };
}

function hasBatchAfter(data: Buffer, from: number): boolean {
  for (let at = data.indexOf(MAGIC, from); at >= 0; at = data.indexOf(MAGIC, at + 1)) {
    if (decodeBatch(data, at) !== null) return true;
  }
  return false;
}

function decodeBatch(data: Buffer, at: number): { entries: Entry[]; end: number } | null {
  const body = at + HEADER_BYTES;
  if (body > data.length || !data.subarray(at, at + MAGIC.length).equals(MAGIC)) return null;
  const end = body + data.readUInt32BE(at + 4);
  if (end > data.length || zlib.crc32(data.subarray(at + CHECKED_FROM, end)) !== data.readUInt32BE(at + 8)) return null;
  const entries = decodeEntries(data.subarray(body, end), data.readBigUInt64BE(at + 12), data.readUInt32BE(at + 20));
  return entries === null ? null : { entries, end };
}

function decodeEntries(body: Buffer, first: bigint, count: number): Entry[] | null {
  if (first + BigInt(count) > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const entries: Entry[] = [];
  let at = 0;
  while (entries.length < count) {
    const decoded = decodeEntry(body, at, Number(first) + entries.length);
    if (decoded === null) return null;
    entries.push(decoded.entry);
    at = decoded.end;
  }
  return at === body.length ? entries : null;
}

function decodeEntry(body: Buffer, at: number, seq: number): { entry: Entry; end: number } | null {
  if (at + 2 > body.length) return null;
  const bytesEnd = at + 2 + body.readUInt16BE(at);
  const count = body[bytesEnd];
  if (count === undefined) return null;
  const payloads: Payload[] = [];
  let end = bytesEnd + 1;
  while (payloads.length < count) {
    const decoded = decodePayload(body, end);
    if (decoded === null) return null;
    payloads.push(decoded.payload);
    end = decoded.end;
  }
  return { entry: { seq, bytes: body.subarray(at + 2, bytesEnd), payloads }, end };
}
