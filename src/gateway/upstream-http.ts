import { type FetchLike, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { isSallyportError, type Limits, SallyportError } from '../core/index.ts';
import { strictEvents, strictText } from './event-stream.ts';
import type { UpstreamWire } from './upstream-wire.ts';

const GOODBYE_MS = 2_000;

/** A remote server as a wire: no redirect is followed, every body has its limit, and all JSON is strict. */
export function httpWire(url: string, limits: Limits): UpstreamWire {
  const state = { failure: null as SallyportError | null, heard: 0 };
  const fail = (error: SallyportError): void => {
    state.failure ??= error;
    void transport.close();
  };
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: boundedFetch(limits, fail, () => {
      state.heard += 1;
    }),
    reconnectionOptions: {
      maxRetries: 0,
      initialReconnectionDelay: 1_000,
      maxReconnectionDelay: 1_000,
      reconnectionDelayGrowFactor: 1,
    },
  });
  const goodbye = async (): Promise<void> => {
    const said = transport.terminateSession().catch(() => undefined); // a server that cannot hear it forgets by itself
    await Promise.race([said, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  };
  return { transport, failure: () => state.failure, heard: () => state.heard, goodbye, errorTail: () => '' };
}

function boundedFetch(limits: Limits, fail: (error: SallyportError) => void, heard: () => void): FetchLike {
  return async (input, init) => {
    const headersLate = AbortSignal.timeout(limits.upstreamMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, headersLate]) : headersLate;
    // URL is the operator's: from `servers:` of the policy, never from a message.
    const response = await fetch(input, {
      ...init,
      signal: isStream(init) ? (init?.signal ?? null) : signal,
      redirect: 'manual',
    });
    heard();
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new SallyportError('SERVER_UNAVAILABLE', 'the server redirects: name its final URL in the policy');
    }
    return boundedResponse(response, limits, fail);
  };
}

/** The standing stream of a session has no end by itself. */
const isStream = (init: RequestInit | undefined): boolean => init?.method === 'GET';

async function boundedResponse(
  response: Response,
  limits: Limits,
  fail: (error: SallyportError) => void,
): Promise<Response> {
  const { status, statusText, headers } = response;
  const type = headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (response.body === null) return response;
  if (type === 'text/event-stream') {
    const body = reportErrors(response.body.pipeThrough(strictEvents(limits)), fail);
    return new Response(body, { status, statusText, headers });
  }
  const text = await boundedText(response.body, response.ok ? limits.resultBinaryBytes : limits.resultTextBytes);
  const isJson = type === 'application/json' && response.ok && text !== '';
  return new Response(isJson ? strictText(text, limits) : text, { status, statusText, headers: plain(headers) });
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
