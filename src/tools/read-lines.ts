import type { FileHandle } from 'node:fs/promises';

/** Bytes read at a time. */
const CHUNK = 65_536;
/** Bytes passed over in search of a line, per call. */
const SCAN_BYTES = 268_435_456;
const NEWLINE = 0x0a;

interface LineWindow {
  /** First line wanted, from 1. */
  readonly offset: number;
  readonly limit: number;
  /** Bytes of text wanted at most. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface Lines {
  readonly bytes: Buffer;
  /** Number of whole lines in `bytes`, and a last one that has no newline. */
  readonly count: number;
  /** Why it ends where it ends: `end` of the file, `lines` enough, `bytes` enough (mid-line if count is 0), `scan` limit. */
  readonly stop: 'end' | 'lines' | 'bytes' | 'scan';
  /** Lines passed over before `bytes`. */
  readonly skipped: number;
}

/**
 * Reads lines of a file whose size was looked at once: what is appended meanwhile is not read, so a file that grows as
 * fast as it is read ends all the same.
 */
export async function readLines(file: FileHandle, size: number, window: LineWindow): Promise<Lines> {
  const kept: Buffer[] = [];
  let [position, skipped, count, bytes] = [0, 0, 0, 0];
  let openLine = false;
  while (position < size) {
    window.signal.throwIfAborted();
    if (bytes === 0 && position >= SCAN_BYTES) return { bytes: Buffer.alloc(0), count, skipped, stop: 'scan' };
    const chunk = await readChunk(file, position, Math.min(CHUNK, size - position));
    if (chunk.length === 0) break;
    position += chunk.length;
    const start = skipLines(chunk, window.offset - 1 - skipped);
    skipped += start.lines;
    const part = takeLines(chunk.subarray(start.at), window.limit - count);
    kept.push(part.bytes);
    count += part.lines;
    bytes += part.bytes.length;
    if (part.bytes.length > 0) openLine = part.bytes.at(-1) !== NEWLINE;
    if (bytes > window.maxBytes) return cutToBytes(Buffer.concat(kept), window.maxBytes, skipped);
    if (count >= window.limit) {
      const more = position < size || start.at + part.bytes.length < chunk.length;
      return { bytes: Buffer.concat(kept), count, skipped, stop: more ? 'lines' : 'end' };
    }
  }
  return { bytes: Buffer.concat(kept), count: count + (openLine ? 1 : 0), skipped, stop: 'end' };
}

async function readChunk(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

/** Passes over up to `wanted` lines. */
function skipLines(chunk: Buffer, wanted: number): { at: number; lines: number } {
  let [at, lines] = [0, 0];
  while (lines < wanted) {
    const end = chunk.indexOf(NEWLINE, at);
    if (end < 0) return { at: chunk.length, lines };
    at = end + 1;
    lines += 1;
  }
  return { at, lines };
}

/** Takes up to `wanted` lines, or all there is. */
function takeLines(chunk: Buffer, wanted: number): { bytes: Buffer; lines: number } {
  const { at, lines } = skipLines(chunk, wanted);
  return { bytes: chunk.subarray(0, lines === wanted ? at : chunk.length), lines };
}

/** Whole lines if there are any, else the begin of the line, to a character's end. */
function cutToBytes(all: Buffer, maxBytes: number, skipped: number): Lines {
  const head = all.subarray(0, maxBytes);
  const end = head.lastIndexOf(NEWLINE) + 1;
  const bytes = end > 0 ? head.subarray(0, end) : head.subarray(0, characterEnd(all, maxBytes));
  return { bytes, count: skipLines(bytes, Number.MAX_SAFE_INTEGER).lines, skipped, stop: 'bytes' };
}

/** Steps back from the middle of a UTF-8 sequence, which has at most 4 bytes. */
function characterEnd(bytes: Buffer, at: number): number {
  let end = at;
  while (end > 0 && end > at - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end;
}
