import { setTimeout as delay } from 'node:timers/promises';
import { isSallyportError } from '../core/index.ts';

/** Where the stream of one request stands. */
export interface StreamMarks {
  /** Of the last whole event; null when there is none to go on from. Visible ASCII, at most 1,024 characters. */
  lastEventId: string | null;
  /** When the server wants to be asked again, in milliseconds (100 to 30,000); null when it did not say. */
  retryMs: number | null;
  /** The answer has come. */
  isAnswered: boolean;
  /** Messages that came. */
  messages: number;
}

export const newMarks = (): StreamMarks => ({ lastEventId: null, retryMs: null, isAnswered: false, messages: 0 });

/** How a stream goes on. */
export interface Resumption {
  readonly marks: StreamMarks;
  /** Asks for what came after `lastEventId`; null when the server does not have it. Rejects when it cannot be reached. */
  readonly reopen: (lastEventId: string) => Promise<ReadableStream<Uint8Array> | null>;
  /** Ends with the request. */
  readonly signal: AbortSignal;
}

/** Times that a stream is opened again without a message in between. */
const MAX_TRIES = 40;
/** Tries after which the wait doubles each time. */
const EAGER_TRIES = 5;
const DEFAULT_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;
const MIN_RETRY_MS = 100;

/**
 * The stream of one request, which goes on when the server ends it, or it breaks, before the answer (MCP 2025-11-25, resumability
 * and redelivery): a server may end it at any time and wait to be asked again. Where it cannot go on it ends. The call's own time
 * limit ends it with `signal`.
 */
export function resumedStream(first: ReadableStream<Uint8Array>, resumption: Resumption): ReadableStream<Uint8Array> {
  return ReadableStream.from(parts(first, resumption));
}

async function* parts(
  first: ReadableStream<Uint8Array>,
  { marks, reopen, signal }: Resumption,
): AsyncGenerator<Uint8Array> {
  let stream: ReadableStream<Uint8Array> | null = first;
  let [tries, messages] = [0, 0];
  while (stream !== null) {
    yield* untilItBreaks(stream, marks, signal);
    if (marks.messages > messages) [tries, messages] = [0, marks.messages];
    stream = null;
    while (stream === null) {
      const { lastEventId } = marks;
      if (marks.isAnswered || lastEventId === null || tries >= MAX_TRIES) return;
      tries += 1;
      await delay(waitMs(marks, tries), undefined, { signal, ref: false });
      const opened = await tryOpen(() => reopen(lastEventId), signal);
      if (opened === 'gone') return;
      stream = opened;
    }
  }
}

const waitMs = ({ retryMs }: StreamMarks, tries: number): number =>
  Math.min(MAX_RETRY_MS, (retryMs ?? DEFAULT_RETRY_MS) * 2 ** Math.max(0, tries - EAGER_TRIES));

/** Null for a server that could not be reached: it is tried again. */
async function tryOpen(
  reopen: () => Promise<ReadableStream<Uint8Array> | null>,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | 'gone' | null> {
  try {
    return (await reopen()) ?? 'gone';
  } catch (error) {
    if (signal.aborted || isSallyportError(error)) throw error;
    return null;
  }
}

/** A stream that breaks off is as good as one that ends, as long as there is something to go on from. */
async function* untilItBreaks(
  stream: ReadableStream<Uint8Array>,
  marks: StreamMarks,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    if (signal.aborted || isSallyportError(error) || marks.lastEventId === null) throw error;
  }
}

/** Longest event id that is sent back, in characters. */
const MAX_ID_LENGTH = 1_024;

/** Reads a field of an event that says how the stream goes on. ATTACKER-CONTROLLED: `line`. */
export function readMark(line: string): { readonly id: string | null } | { readonly retryMs: number } | null {
  const colon = line.indexOf(':');
  const name = colon === -1 ? line : line.slice(0, colon);
  const given = colon === -1 ? '' : line.slice(colon + 1);
  const value = given.startsWith(' ') ? given.slice(1) : given;
  if (name === 'id') return { id: value.length <= MAX_ID_LENGTH && /^[\x21-\x7e]+$/.test(value) ? value : null };
  if (name !== 'retry' || !/^\d{1,15}$/.test(value)) return null;
  return { retryMs: Math.min(MAX_RETRY_MS, Math.max(MIN_RETRY_MS, Number(value))) };
}
