import type { ServerResponse } from 'node:http';
import { COMMON_HEADERS } from './http-answer.ts';

/** An event stream to one client (WHATWG HTML, section 9.2), each message in an event of its own. */
export interface ClientStream {
  /** False when the client is gone or did not read what came before: then it was disconnected. */
  send(message: unknown): boolean;
  /** Ends the stream, with a last message if there is one. */
  end(last?: unknown): void;
  /** True while more than a little waits for the client to read it. */
  isBusy(): boolean;
  readonly closed: boolean;
}

export interface StreamOptions {
  /** Bytes that may wait for the client. Beyond it the client is disconnected: nothing is buffered without limit. */
  readonly streamBytes: number;
  /** How often a comment is sent, so that a client that vanished is noticed. */
  readonly keepAliveMs: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with an event stream and keeps it open. */
export function openStream(response: ServerResponse, options: StreamOptions): ClientStream {
  response.writeHead(200, {
    ...COMMON_HEADERS,
    'content-type': 'text/event-stream',
    'x-accel-buffering': 'no',
    ...options.headers,
  });
  response.flushHeaders();
  const write = (text: string): boolean => {
    if (response.destroyed || response.writableEnded) return false;
    if (response.writableLength > options.streamBytes) {
      response.destroy();
      return false;
    }
    response.write(text);
    return true;
  };
  const beat = setInterval(() => write(': keep-alive\n\n'), options.keepAliveMs).unref();
  response.once('close', () => clearInterval(beat));
  endWhenStalled(response, options.keepAliveMs);
  return {
    send: (message) => write(eventOf(message)),
    end: (last) => {
      if (last !== undefined) write(eventOf(last));
      if (!response.destroyed) response.end();
    },
    isBusy: () => response.writableNeedDrain,
    get closed() {
      return response.destroyed || response.writableEnded;
    },
  };
}

/** How often in a row a client may be found not reading. */
const MAX_STALLS = 4;

/** Disconnects a client that does not read what little a stream sends; one that reads its last message slowly may. */
export function endWhenStalled(response: ServerResponse, everyMs: number): void {
  let stalls = 0;
  const timer = setInterval(() => {
    stalls = response.writableNeedDrain && !response.writableEnded ? stalls + 1 : 0;
    if (stalls >= MAX_STALLS) response.destroy();
  }, everyMs).unref();
  response.once('close', () => clearInterval(timer));
}

/** JSON has no line break outside of a string, and escapes those within. */
const eventOf = (message: unknown): string => `event: message\ndata: ${JSON.stringify(message)}\n\n`;
