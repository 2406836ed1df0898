import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { isJsonObject, singleHeader } from '../core/index.ts';
import type { Caller } from './caller.ts';
import { callerKey, credentialKey } from './caller.ts';
import type { ClientLimits } from './client-limits.ts';
import type { ServedSession } from './exchange.ts';
import { type HttpAnswer, sendAnswer, sendWebResponse } from './http-answer.ts';
import type { Message } from './json-rpc.ts';
import { type Listener, serveListen } from './listen-stream.ts';
import { buildMcpServer } from './mcp-server.ts';
import { disagreeing, paramHeaders } from './param-headers.ts';
import { subscriptions } from './subscriptions.ts';

/** Serves the stateless revision (2026-07-28): one gate session per token, one SDK exchange per request. */
export interface ModernDoor {
  serve(caller: Caller, message: Message, request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Ends the session of a credential that is not valid any more. */
  revoke(caller: Caller): void;
  /** Ends the streams that would never end by themselves. */
  endStreams(): void;
  close(): Promise<void>;
}

export interface ModernDoorOptions {
  readonly version: string;
  readonly limits: ClientLimits;
  readonly open: (caller: Caller) => Promise<ServedSession>;
  readonly onError: (error: unknown) => void;
}

/** The protocol has no session, so the credential is the session: what one run of it learned, no request can shed. */
interface CredentialSession {
  readonly credential: string;
  readonly listener: Promise<Listener>;
}

/** Headers that the SDK compares with the body (MCP 2026-07-28, standard request headers). */
const STANDARD_HEADERS = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

export function modernDoor(options: ModernDoorOptions): ModernDoor {
  const sessions = new Map<string, CredentialSession>();
  const end = (key: string, credential: string | null): void => {
    const known = sessions.get(key);
    if (known === undefined || (credential !== null && known.credential !== credential)) return;
    sessions.delete(key);
    known.listener.then(endListener).catch(options.onError);
  };
  const listenerOf = (caller: Caller): Promise<Listener> => {
    const key = callerKey(caller);
    const credential = credentialKey(caller);
    const known = sessions.get(key);
    if (known?.credential === credential) return known.listener;
    end(key, null);
    const listener = openListener(options, caller);
    const opened = { credential, listener };
    listener.catch(() => sessions.get(key) === opened && sessions.delete(key));
    sessions.set(key, opened);
    return listener;
  };
  const exchange = exchangeOf(options);
  return {
    serve: async (caller, message, request, response) => {
      const listener = await listenerOf(caller);
      const web = webRequest(request, response);
      const header = await wrongParamHeader(listener.session, message, request);
      if (header !== null) return sendAnswer(response, headerMismatch(message, header));
      if (message.kind === 'request' && message.method === 'subscriptions/listen') {
        await serveListen(listener, options, { message, web, response });
      } else await exchange.serve(listener.session, message, web, response);
    },
    revoke: (caller) => end(callerKey(caller), credentialKey(caller)),
    endStreams: () => {
      for (const { listener } of sessions.values()) listener.then(endStreams).catch(options.onError);
    },
    close: async () => {
      for (const key of [...sessions.keys()]) end(key, null);
      await exchange.close();
    },
  };
}

async function openListener({ open, limits }: ModernDoorOptions, caller: Caller): Promise<Listener> {
  const session = await open(caller);
  return { session, held: subscriptions(session, limits.uris), streams: new Set() };
}

const endStreams = ({ streams }: Listener): void => {
  for (const end of [...streams]) end();
};

async function endListener(listener: Listener): Promise<void> {
  endStreams(listener);
  await listener.session.close();
}

interface Exchange {
  serve(session: ServedSession, message: Message, web: Request, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

/** Everything but streams: each request gets a server of its own over its caller's session. */
function exchangeOf({ version, limits, onError }: ModernDoorOptions): Exchange {
  const served = new WeakMap<Request, ServedSession>();
  const handler = createMcpHandler(
    async ({ requestInfo }) => {
      const session = requestInfo === undefined ? undefined : served.get(requestInfo);
      if (session === undefined) throw new TypeError('a request without a session');
      return (await buildMcpServer(session, { version, era: 'modern', limits, onError })).server;
    },
    // INVARIANT: no stream of changes is served here: it would hear a bus that all callers share.
    { legacy: 'reject', maxSubscriptions: 0, keepAliveMs: limits.keepAliveMs, onerror: onError },
  );
  return {
    serve: async (session, message, web, response) => {
      served.set(web, session);
      await sendWebResponse(response, await handler.fetch(web, { parsedBody: message.body }));
    },
    close: () => handler.close(),
  };
}

/** The header `Mcp-Param-…` that does not say what the arguments say; null when none differs. */
async function wrongParamHeader(
  session: ServedSession,
  message: Message,
  request: IncomingMessage,
): Promise<string | null> {
  const params = message.kind === 'request' && message.method === 'tools/call' ? message.body['params'] : null;
  const { name, arguments: args = {} } = isJsonObject(params) ? params : {};
  if (typeof name !== 'string' || !isJsonObject(args)) return null;
  const schema = await session.schemaOf(name);
  if (schema === null) return null;
  return disagreeing(paramHeaders(schema), args, (header) => singleHeader(request, header.toLowerCase()));
}

/** Code of MCP 2026-07-28 for a header that differs from the body. */
const HEADER_MISMATCH = -32_020;

const headerMismatch = (message: Message, header: string): HttpAnswer => ({
  status: 400,
  body: {
    jsonrpc: '2.0',
    id: message.kind === 'request' ? message.id : null,
    error: { code: HEADER_MISMATCH, message: `the header ${header} does not say what the body says` },
  },
});

/** The request in web terms, without its body (it was read) and its credential; it ends when the client goes away. */
function webRequest(request: IncomingMessage, response: ServerResponse): Request {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const headers = new Headers();
  for (const name of STANDARD_HEADERS) {
    const value = singleHeader(request, name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request('http://localhost/mcp', { method: 'POST', headers, signal: gone.signal });
}
