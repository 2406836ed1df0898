import { type JSONRPCMessage, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { isJsonObject, type Limits, SallyportError } from '../core/index.ts';
import { type Allowance, connectionAllowance } from './upstream-allowance.ts';
import { backoffMs, STEADY_MS } from './upstream-backoff.ts';
import { boundedFetch } from './upstream-fetch.ts';
import { failedAnswer, type UpstreamWire } from './upstream-wire.ts';

type SendOptions = NonNullable<Parameters<StreamableHTTPClientTransport['send']>[1]>;

const GOODBYE_MS = 2_000;

/**
 * A remote server as a wire: no redirect is followed, every body has its limit, and all JSON is strict. `onGap` is called when
 * the standing stream of a session broke and is opened again: what the server told meanwhile is lost.
 */
export function httpWire(url: string, limits: Limits, onGap: () => void): UpstreamWire {
  const state = { failure: null as SallyportError | null };
  const fail = (error: SallyportError): void => {
    state.failure ??= error;
    void transport.close();
  };
  const counted = connectionAllowance(limits.resultBinaryBytes);
  const streams = answerStreams(limits, (message) => transport.onmessage?.(message));
  const allowance: Allowance = {
    sent: counted.sent,
    heard: (bytes, body) => {
      counted.heard(bytes, body);
      streams.heard(body);
    },
  };
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    fetch: boundedFetch({ limits, fail, allowance }),
    // Only the standing stream of a session comes to this: other streams carry no event ids.
    reconnectionOptions: { ...NO_DELAYS, maxRetries: Number.MAX_SAFE_INTEGER },
    reconnectionScheduler: standingStreamDelays(onGap),
  });
  const send = transport.send.bind(transport);
  transport.send = (message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions) => {
    allowance.sent(message);
    return send(message, streams.sent(message, options));
  };
  const goodbye = async (): Promise<void> => {
    const said = transport.terminateSession().catch(() => undefined); // a server that cannot hear it forgets by itself
    await Promise.race([said, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
  };
  return { transport, failure: () => state.failure, goodbye, errorTail: () => '', errorBytes: () => 0 };
}

const NO_DELAYS = { initialReconnectionDelay: 0, maxReconnectionDelay: 0, reconnectionDelayGrowFactor: 1 };

/** When a standing stream is opened again: the SDK's own delays begin anew whenever a server accepts and hangs up. */
function standingStreamDelays(onGap: () => void): (reconnect: () => void) => () => void {
  let [failures, last] = [0, 0];
  return (reconnect) => {
    const now = performance.now();
    failures = now - last < 2 * STEADY_MS ? failures + 1 : 1;
    last = now;
    const timer = setTimeout(() => {
      onGap();
      reconnect();
    }, backoffMs(failures)).unref();
    return () => clearTimeout(timer);
  };
}

/** How long a server may go on with the answer to a request that was cancelled. */
const CANCELLED_MS = 2_000;

interface AnswerStreams {
  /** Options to send a message with, so that its answer can be followed. */
  sent(message: JSONRPCMessage | JSONRPCMessage[], options?: SendOptions): SendOptions;
  /** Takes note of what came. */
  heard(body: unknown): void;
}

/**
 * Follows the answer of each request: one whose stream ends before it is a failure of its request, at once; one whose request
 * was cancelled is cut. Whatever wants no answer has `upstreamMs`.
 */
function answerStreams({ upstreamMs }: Limits, answer: (message: JSONRPCMessage) => void): AnswerStreams {
  const cuts = new Map<unknown, AbortController>();
  const cut = (id: unknown): void => {
    const stop = cuts.get(id);
    cuts.delete(id);
    if (stop !== undefined) setTimeout(() => stop.abort(), CANCELLED_MS).unref();
  };
  const following = (id: string | number, options: SendOptions = {}): SendOptions => {
    const stop = new AbortController();
    cuts.set(id, stop);
    const signals = [stop.signal, ...(options.requestSignal === undefined ? [] : [options.requestSignal])];
    const onRequestStreamEnd = (): void => {
      options.onRequestStreamEnd?.();
      if (cuts.delete(id) && options.onRequestStreamEnd === undefined) answer(failedAnswer(id, ended()));
    };
    return { ...options, requestSignal: AbortSignal.any(signals), onRequestStreamEnd };
  };
  return {
    sent: (message, options) => {
      if (!Array.isArray(message) && 'method' in message && 'id' in message) return following(message.id, options);
      const { method, params } = Array.isArray(message) || !('method' in message) ? NOTHING : message;
      if (method === 'notifications/cancelled' && isJsonObject(params)) cut(params['requestId']);
      return { ...options, requestSignal: AbortSignal.timeout(upstreamMs) };
    },
    heard: (body) => {
      if (isJsonObject(body) && body['method'] === undefined) cuts.delete(body['id']);
    },
  };
}

const NOTHING = { method: '', params: undefined };

const ended = (): SallyportError =>
  new SallyportError('SERVER_UNAVAILABLE', 'the server ended its answer before it was complete');
