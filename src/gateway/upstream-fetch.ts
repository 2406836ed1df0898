import type { FetchLike } from '@modelcontextprotocol/client';
import { canonicalJson, isSallyportError, type Limits, SallyportError } from '../core/index.ts';
import { strictEvents, strictJson } from './event-stream.ts';
import { newMarks, resumedStream, type StreamMarks } from './resumed-stream.ts';
import type { Allowance } from './upstream-allowance.ts';

/** What bounds the answers of one connection. */
export interface Bounds {
  readonly limits: Limits;
  readonly allowance: Allowance;
  /** Ends the connection. */
  readonly fail: (error: SallyportError) => void;
}

/**
 * A fetch towards one server: no redirect is followed, bodies have their limits, and what is JSON is strict JSON. The stream of a
 * request in a session goes on when the server ends it before the answer. It has no time of its own: who sends a request ends it.
 */
export function boundedFetch(bounds: Bounds): FetchLike {
  return async (input, init) => {
    const response = await plainFetch(input, init);
    return boundedResponse(response, bounds, () => reopening(input, init));
  };
}

const plainFetch: FetchLike = async (input, init) => {
  // URL is the operator's: from `servers:` of the policy, never from a message.
  const response = await fetch(input, { ...init, redirect: 'manual' });
  if (response.status >= 300 && response.status < 400) {
    await response.body?.cancel();
    throw new SallyportError('SERVER_UNAVAILABLE', 'the server redirects: name its final URL in the policy');
  }
  return response;
};

type Reopen = (lastEventId: string) => Promise<Response>;
interface Reopening {
  readonly reopen: Reopen;
  readonly signal: AbortSignal;
}

/** How the stream that answers a request is asked for again; null for what is no request in a session. */
function reopening(input: Parameters<FetchLike>[0], init: Parameters<FetchLike>[1]): Reopening | null {
  const headers = new Headers(init?.headers);
  const signal = init?.signal;
  if (init?.method !== 'POST' || !headers.has('mcp-session-id') || !(signal instanceof AbortSignal)) return null;
  headers.delete('content-type');
  headers.set('accept', EVENT_STREAM);
  const reopen: Reopen = (lastEventId) => {
    headers.set('last-event-id', lastEventId);
    return plainFetch(input, { method: 'GET', headers, signal });
  };
  return { reopen, signal };
}

const EVENT_STREAM = 'text/event-stream';

const typeOf = ({ headers }: Response): string =>
  headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';

async function boundedResponse(
  response: Response,
  { limits, fail, allowance }: Bounds,
  reopening: () => Reopening | null,
): Promise<Response> {
  const { status, statusText, headers } = response;
  const type = typeOf(response);
  if (response.body === null) return response;
  if (type === EVENT_STREAM) {
    const marks = newMarks();
    const strict = (body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> =>
      body.pipeThrough(strictEvents(limits, allowance, marks));
    const body = goingOn(strict(response.body), { marks, strict }, response.ok ? reopening() : null);
    return new Response(reportErrors(body, fail), { status, statusText, headers });
  }
  const text = await boundedText(response.body, response.ok ? limits.resultBinaryBytes : limits.resultTextBytes);
  const isJson = type === 'application/json' && response.ok && text !== '';
  const json = isJson ? strictJson(text, limits) : null;
  countBody(allowance, fail, text, json);
  return new Response(json === null ? text : canonicalJson(json), { status, statusText, headers: plain(headers) });
}

interface Reading {
  readonly marks: StreamMarks;
  readonly strict: (body: ReadableStream<Uint8Array>) => ReadableStream<Uint8Array>;
}

function goingOn(
  first: ReadableStream<Uint8Array>,
  { marks, strict }: Reading,
  again: Reopening | null,
): ReadableStream<Uint8Array> {
  if (again === null) return first;
  return resumedStream(first, {
    ...{ marks, signal: again.signal },
    reopen: async (lastEventId) => {
      const response = await again.reopen(lastEventId);
      if (response.ok && response.body !== null && typeOf(response) === EVENT_STREAM) return strict(response.body);
      await response.body?.cancel();
      // A server in trouble may be well again; one that answers otherwise does not have the stream.
      if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
      return null;
    },
  });
}

/** A flood ends the connection: the answer to a question of the server has nobody else who would see the error. */
function countBody(allowance: Allowance, fail: Bounds['fail'], text: string, json: unknown): void {
  try {
    allowance.heard(text.length, json);
  } catch (error) {
    if (isSallyportError(error)) fail(error);
    throw error;
  }
}

/** Headers for a body that was decoded and rewritten. */
function plain(headers: Headers): Headers {
  const copy = new Headers(headers);
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding']) copy.delete(name);
  return copy;
}

async function boundedText(body: ReadableStream<Uint8Array>, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new SallyportError('RESULT_TOO_LARGE', 'the server sent a body beyond the limit');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** A stream that breaks our rules ends the connection: the SDK would only report it, and the call would wait. */
function reportErrors(
  body: ReadableStream<Uint8Array>,
  fail: (error: SallyportError) => void,
): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream({
    pull: async (controller) => {
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        if (isSallyportError(error)) fail(error);
        controller.error(error);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
