import type { Readable } from 'node:stream';

/** What a byte stream of lines tells its reader. */
export interface LineEvents {
  /** One line without its newline, at most `maxBytes` long. */
  readonly line: (line: Buffer) => void;
  /** A line without a byte: nobody reads it, but it can be counted. */
  readonly blank?: () => void;
  /** A line is longer than `maxBytes`; the rest of it is skipped, unless the reader stops the stream. */
  readonly tooLong: () => void;
  readonly end: () => void;
}

const NEWLINE = 0x0a;

/**
 * Splits a stream into lines, as the stdio transport of MCP frames messages. Holds at most one line of `maxBytes`.
 * ATTACKER-CONTROLLED: every byte. Returns a function that stops reading.
 */
export function readLines(input: Readable, maxBytes: number, events: LineEvents): () => void {
  let held: Buffer[] = [];
  let bytes = 0;
  let skipping = false;
  const take = (part: Buffer, complete: boolean): void => {
    if (!skipping && bytes + part.length > maxBytes) {
      skipping = true;
      held = [];
      events.tooLong();
    }
    if (!skipping) {
      held.push(part);
      bytes += part.length;
    }
    if (!complete) return;
    const line = skipping ? null : Buffer.concat(held);
    held = [];
    bytes = 0;
    skipping = false;
    if (line === null) return;
    if (line.length > 0) events.line(line);
    else events.blank?.();
  };
  let stopped = false;
  const onData = (chunk: Buffer): void => {
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1 && !stopped; at = chunk.indexOf(NEWLINE, start)) {
      take(chunk.subarray(start, at), true);
      start = at + 1;
    }
    if (!stopped && start < chunk.length) take(chunk.subarray(start), false);
  };
  input.on('data', onData);
  input.once('end', events.end);
  return () => {
    stopped = true;
    input.off('data', onData);
    input.off('end', events.end);
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A line as text, or null when it is not UTF-8. */
export function decodeLine(line: Buffer): string | null {
  try {
    return UTF8.decode(line);
  } catch {
    return null;
  }
}
