import type { IncomingMessage, ServerResponse } from 'node:http';
import { createMcpHandler } from '@modelcontextprotocol/server';
import type { Caller } from './caller.ts';
import { callerKey, credentialKey } from './caller.ts';
import { sendWebResponse } from './http-answer.ts';
import { single } from './http-guard.ts';
import type { Message } from './json-rpc.ts';
import { buildMcpServer } from './mcp-server.ts';
import type { ServedSession } from './served-session.ts';

/** Serves the stateless revision (2026-07-28): one gate session per token, one SDK exchange per request. */
export interface ModernDoor {
  serve(caller: Caller, message: Message, request: IncomingMessage, response: ServerResponse): Promise<void>;
  close(): Promise<void>;
}

export interface ModernDoorOptions {
  readonly version: string;
  readonly open: (caller: Caller) => Promise<ServedSession>;
  readonly onError: (error: Error) => void;
}

/** Headers that the SDK compares with the body (MCP 2026-07-28, standard request headers). */
const STANDARD_HEADERS = ['accept', 'content-type', 'mcp-protocol-version', 'mcp-method', 'mcp-name'];

export function modernDoor(options: ModernDoorOptions): ModernDoor {
  // The protocol has no session, so the credential is the session: what one run of it learned, no request can shed.
  const sessions = new Map<string, { readonly credential: string; readonly session: Promise<ServedSession> }>();
  const sessionOf = (caller: Caller): Promise<ServedSession> => {
    const key = callerKey(caller);
    const known = sessions.get(key);
    const credential = credentialKey(caller);
    if (known?.credential === credential) return known.session;
    const session = options.open(caller);
    session.catch(() => sessions.delete(key));
    sessions.set(key, { credential, session });
    return session;
  };
  const served = new WeakMap<Request, ServedSession>();
  const handler = createMcpHandler(
    ({ requestInfo }) => {
      const session = requestInfo === undefined ? undefined : served.get(requestInfo);
      if (session === undefined) throw new TypeError('a request without a session');
      return buildMcpServer(session, options.version);
    },
    { legacy: 'reject', onerror: options.onError },
  );
  return {
    serve: async (caller, message, request, response) => {
      const web = webRequest(request, response);
      served.set(web, await sessionOf(caller));
      await sendWebResponse(response, await handler.fetch(web, { parsedBody: message.body }));
    },
    close: () => handler.close(),
  };
}

/** The request in web terms, without its body (it was read) and its credential; it ends when the client goes away. */
function webRequest(request: IncomingMessage, response: ServerResponse): Request {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const headers = new Headers();
  for (const name of STANDARD_HEADERS) {
    const value = single(request, name);
    if (value !== undefined) headers.set(name, value);
  }
  return new Request('http://localhost/mcp', { method: 'POST', headers, signal: gone.signal });
}
