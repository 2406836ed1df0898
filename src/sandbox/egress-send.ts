import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { SallyportError } from '../core/index.ts';
import type { Dialled } from './egress-dial.ts';
import { answeredHeaders, type Header, headersOf, passedHeaders, valuesOf } from './egress-headers.ts';
import type { EgressContext } from './egress-session.ts';
import type { RequestTarget } from './egress-target.ts';

/** A judged request, and the connection that it may use. */
export interface Sending {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: readonly Header[];
  readonly target: RequestTarget;
  readonly dialled: Dialled;
  readonly admitCredentials: boolean;
  readonly signal: AbortSignal;
}

/** What came of it: the status, and why it did not come to its end. */
export interface Sent {
  readonly status: number | null;
  readonly error: string | null;
}

/**
 * Sends a request, written anew, over a connection of its own and gives its answer back. INVARIANT: what leaves is made from
 * what was judged: method, URL and headers of the reading, never the bytes of the client.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE before anything was answered
 */
export function sendRequest(context: EgressContext, sending: Sending): Promise<Sent> {
  const { incoming, dialled, target, signal } = sending;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      // INVARIANT: the only socket is the judged one; without `agent` there is no pool, no proxy and no look-up.
      createConnection: () => dialled.socket,
      method: incoming.method ?? '',
      path: target.pathAndQuery,
      headers: outgoingHeaders(sending).flat(),
      setHost: false,
      maxHeaderSize: context.limits.headerBytes,
      insecureHTTPParser: false,
    });
    const fail = (cause?: unknown): void => {
      dialled.raw.destroy();
      reject(new SallyportError('ENDPOINT_UNREACHABLE', 'the endpoint gave no HTTP answer', { cause }));
    };
    const stop = (): void => fail(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    dialled.raw.setTimeout(context.limits.idleMs, () => fail());
    outgoing.on('error', fail).once('upgrade', () => fail());
    outgoing.once('close', () => signal.removeEventListener('abort', stop));
    outgoing.once('response', (answer) => {
      signal.removeEventListener('abort', stop);
      outgoing.off('error', fail).on('error', () => dialled.raw.destroy());
      // In a promise: an answer with a status that HTTP does not have must not throw into the event.
      Promise.resolve()
        .then(() => giveBack(answer, sending))
        .then(resolve, reject);
    });
    incoming.pipe(outgoing);
  });
}

function outgoingHeaders({ incoming, headers, target, admitCredentials }: Sending): Header[] {
  const [length] = valuesOf(headers, 'content-length');
  const isChunked = valuesOf(headers, 'transfer-encoding').length > 0;
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(incoming.method ?? '');
  const framing: Header[] = isChunked
    ? [['Transfer-Encoding', 'chunked']]
    : length !== undefined || hasBody
      ? [['Content-Length', length ?? '0']]
      : [];
  return [['Host', target.authority], ...passedHeaders(headers, admitCredentials), ...framing, ['Connection', 'close']];
}

/** Passes an answer on; the client learns of one that breaks off by the end of its connection. */
function giveBack(answer: IncomingMessage, { response, dialled, signal, incoming }: Sending): Promise<Sent> {
  const status = answer.statusCode ?? 502;
  const headers = headersOf(answer.rawHeaders);
  const [length] = valuesOf(headers, 'content-length');
  const framing: Header[] = length === undefined ? [] : [['Content-Length', length]];
  const ending: Header[] = incoming.complete ? [] : [['Connection', 'close']];
  response.writeHead(status, answer.statusMessage, [...answeredHeaders(headers), ...framing, ...ending].flat());
  return new Promise((resolve) => {
    const end = (error: string | null): void => {
      signal.removeEventListener('abort', stop);
      dialled.raw.destroy();
      if (error !== null) response.destroy();
      resolve({ status, error });
    };
    const stop = (): void => end('EGRESS_ABANDONED');
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    answer.once('error', () => end('ENDPOINT_UNREACHABLE'));
    answer.once('close', () => {
      if (!answer.complete) end('ENDPOINT_UNREACHABLE');
    });
    response.once('finish', () => end(null));
    answer.pipe(response);
  });
}
