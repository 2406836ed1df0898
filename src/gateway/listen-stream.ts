import type { ServerResponse } from 'node:http';
import {
  classifyInboundRequest,
  createMcpHandler,
  type ServerEvent,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import type { ClientLimits } from './client-limits.ts';
import { endWhenStalled } from './client-stream.ts';
import { relayEvents } from './event-relay.ts';
import type { ServedSession, SessionEvent } from './exchange.ts';
import { sendAnswer, sendWebResponse } from './http-answer.ts';
import { INTERNAL_ERROR, INVALID_PARAMS, type Message, protocolError } from './json-rpc.ts';
import { grantedUris, narrowedTo, requestedUris } from './listen-filter.ts';
import { buildMcpServer } from './mcp-server.ts';
import type { Subscriptions } from './subscriptions.ts';

/** One caller's side of `subscriptions/listen` (MCP 2026-07-28). */
export interface Listener {
  readonly session: ServedSession;
  /** What all streams of this caller hear about. */
  readonly held: Subscriptions;
  /** Ends each open stream. */
  readonly streams: Set<() => void>;
}

export interface ListenOptions {
  readonly version: string;
  readonly limits: ClientLimits;
  readonly onError: (error: unknown) => void;
}

/** A `subscriptions/listen` request and the response that becomes its stream. */
export interface ListenRequest {
  readonly message: Message & { readonly kind: 'request' };
  readonly web: Request;
  readonly response: ServerResponse;
}

/**
 * Serves one stream of changes until its client goes away. The SDK frames it, from a handler and a bus of this stream's
 * own: no event of another caller can come near it. URIs that the session does not grant are left out of the filter
 * before the SDK reads it.
 */
export async function serveListen(listener: Listener, options: ListenOptions, listen: ListenRequest): Promise<void> {
  const { message, web, response } = listen;
  const refuse = (code: number, text: string): void =>
    sendAnswer(response, { status: 200, body: protocolError(code, text, message.id) });
  if (listener.streams.size >= options.limits.streams) return refuse(INTERNAL_ERROR, 'Subscription limit reached');
  const wanted = requestedUris(message, options.limits);
  if (wanted === null) return refuse(INVALID_PARAMS, `Invalid params: at most ${options.limits.uris} short URIs`);
  const opened = { close: (): unknown => response.destroy() };
  const end = (): void => void opened.close();
  listener.streams.add(end); // before the first await: streams that are being opened count
  let granted: readonly string[] = [];
  try {
    granted = isWellFramed(message, web) ? await grantedUris(listener.held, wanted) : [];
    await serveStream(listener.session, options, { ...listen, opened }, new Set(granted));
  } finally {
    listener.streams.delete(end);
    await Promise.all(granted.map((uri) => listener.held.remove(uri)));
  }
}

async function serveStream(
  session: ServedSession,
  { version, limits, onError }: ListenOptions,
  { message, web, response, opened }: ListenRequest & { readonly opened: { close: () => unknown } },
  uris: ReadonlySet<string>,
): Promise<void> {
  const bus = busOf(session, response, uris, limits);
  const handler = createMcpHandler(
    async () => (await buildMcpServer(session, { version, era: 'modern', limits, onError })).server,
    { legacy: 'reject', bus, maxSubscriptions: 1, keepAliveMs: limits.keepAliveMs, onerror: onError },
  );
  opened.close = () => handler.close().catch(onError); // tells the client that no more will come
  endWhenStalled(response, limits.keepAliveMs);
  try {
    await sendWebResponse(response, await handler.fetch(web, { parsedBody: narrowedTo(message, [...uris]) }));
  } finally {
    await handler.close();
  }
}

/** True when the SDK will find nothing wrong with header and body: nothing is asked of a server for a request that is refused. */
function isWellFramed({ body }: Message, web: Request): boolean {
  const version = web.headers.get('mcp-protocol-version');
  const method = web.headers.get('mcp-method');
  if (version === null || method === null) return false;
  const read = { httpMethod: 'POST', protocolVersionHeader: version, mcpMethodHeader: method, body };
  return classifyInboundRequest(read).kind === 'modern';
}

/** A bus with one listener, one source and no way to publish on it. */
function busOf(
  session: ServedSession,
  response: ServerResponse,
  uris: ReadonlySet<string>,
  limits: ClientLimits,
): ServerEventBus {
  return {
    publish: () => undefined,
    subscribe: (listener) =>
      relayEvents(
        (heard) => session.listen(heard),
        {
          wants: (event) => event.kind !== 'log' && (event.kind !== 'updated' || uris.has(event.uri)),
          state: () => (response.writableNeedDrain ? 'busy' : 'ready'),
          deliver: (event) => {
            const told = serverEvent(event);
            if (told !== null) listener(told);
          },
        },
        limits.eventMs,
      ).end,
  };
}

/** Log messages belong to a request in this revision: a stream has none. */
function serverEvent(event: SessionEvent): ServerEvent | null {
  switch (event.kind) {
    case 'updated':
      return { kind: 'resource_updated', uri: event.uri };
    case 'log':
      return null;
    default:
      return { kind: `${event.kind}_list_changed` };
  }
}
