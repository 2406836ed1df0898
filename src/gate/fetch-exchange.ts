import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { SallyportError } from '../core/index.ts';
import { ACCEPT_ENCODING } from './fetch-body.ts';

/** What goes over one connection. */
export interface Exchange {
  readonly socket: Socket;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Host, with its port if that is not the scheme's own. */
  readonly host: string;
  /** Names in lower case; those of the connection are set here and win. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array | null;
  readonly headerBytes: number;
  readonly signal: AbortSignal;
}

/** Methods whose requests say that they have no body (RFC 9110 8.6). */
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** Headers that only the connection decides about; a caller's are dropped. */
const OWN_HEADERS: readonly string[] = ['host', 'connection', 'accept-encoding', 'content-length'];

/**
 * Sends one request over a connection that is already open and gives its answer, the body unread. The connection serves
 * this one request and is closed after it.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE
 */
export function exchange({ socket, method, target, body, signal, ...rest }: Exchange): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      // INVARIANT: the only socket is the judged one. Without `agent` there is no pool, no proxy from the environment and no
      // look-up; with `agent: false` Node.js would make an agent that ignores this function and connects by itself.
      createConnection: () => socket,
      method,
      path: target,
      headers: headersFor(rest, method, body),
      setHost: false,
      maxHeaderSize: rest.headerBytes,
      insecureHTTPParser: false,
      signal,
    });
    let isAnswered = false;
    const fail = (cause?: unknown): void => {
      if (isAnswered) return;
      socket.destroy();
      if (signal.aborted) reject(signal.reason);
      else reject(new SallyportError('ENDPOINT_UNREACHABLE', 'the endpoint gave no HTTP answer', { cause }));
    };
    outgoing.once('response', (response) => {
      isAnswered = true;
      resolve(response);
    });
    outgoing.once('socket', (used) => {
      if (used !== socket) outgoing.destroy(new SallyportError('INTERNAL', 'the request left its connection'));
    });
    outgoing.on('error', fail);
    outgoing.once('upgrade', () => fail());
    outgoing.once('close', () => fail());
    outgoing.end(body ?? undefined);
  });
}

function headersFor(
  { headers, host }: Pick<Exchange, 'headers' | 'host'>,
  method: string,
  body: Uint8Array | null,
): Record<string, string> {
  const all = new Map([['accept', '*/*'], ['user-agent', 'sallyport'], ...headers]);
  for (const name of OWN_HEADERS) all.delete(name);
  const length: [string, string][] =
    body !== null || WITH_BODY.has(method) ? [['content-length', String(body?.length ?? 0)]] : [];
  return Object.fromEntries([
    ['host', host],
    ...all,
    ...length,
    ['accept-encoding', ACCEPT_ENCODING],
    ['connection', 'close'],
  ]);
}

/** All headers of an answer, names in lower case, repeated ones each by itself. */
export const headersOf = ({ rawHeaders }: IncomingMessage): (readonly [string, string])[] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, at) => [
    (rawHeaders[at * 2] ?? '').toLowerCase(),
    rawHeaders[at * 2 + 1] ?? '',
  ]);

/** The values of all Location headers. */
export const locationsOf = (response: IncomingMessage): string[] =>
  headersOf(response)
    .filter(([name]) => name === 'location')
    .map(([, value]) => value);
