import type { IncomingMessage, ServerResponse } from 'node:http';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { type Limits, SallyportError } from '../core/index.ts';
import type { Caller } from './caller.ts';
import { type HttpAnswer, noOAuthAnswer, plainAnswer } from './http-answer.ts';
import { readBody } from './http-body.ts';
import { type Authorities, bearerToken, checkAddress, isOAuthProbe, isPlainJson, single } from './http-guard.ts';
import { admitMessage, type Message, parseMessage } from './json-rpc.ts';
import type { LegacySessions } from './legacy-sessions.ts';
import { LEGACY_VERSIONS } from './mcp-server.ts';
import type { ModernDoor } from './modern-door.ts';

/** What the route of a request needs. */
export interface Route {
  readonly path: string;
  readonly authorities: () => Authorities;
  /** Who holds a token; null for none. Callers without a token when `local` is set. */
  readonly authenticate: (token: string) => Promise<Caller | null>;
  readonly local: Caller | null;
  readonly limits: Limits;
  readonly legacy: LegacySessions;
  readonly modern: ModernDoor;
}

/**
 * Answers one HTTP request. The order is the defence: path, address, method, credential, and only then a byte of the body.
 * Null when the answer was written already.
 */
export async function routeRequest(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<HttpAnswer | null> {
  if (request.url === '/healthz' && request.method === 'GET') return { status: 200, body: { status: 'ok' } };
  if (isOAuthProbe(request.url ?? '')) return noOAuthAnswer();
  if (request.url !== route.path) return plainAnswer(404, 'Not found');
  checkAddress(request, route.authorities());
  if (request.method !== 'POST' && request.method !== 'DELETE') {
    // GET would open a stream for messages of the server's own accord, and there are none (MCP 2025-11-25, transports).
    return plainAnswer(405, 'Method not allowed', { allow: 'POST, DELETE' });
  }
  const caller = await identify(route, request);
  if (request.method === 'DELETE') return route.legacy.end(caller, single(request, 'mcp-session-id'));
  if (!isPlainJson(request)) return plainAnswer(415, 'Content-Type must be application/json, without a coding');
  return routeMessage(route, caller, await readMessage(route, request), request, response);
}

async function identify(route: Route, request: IncomingMessage): Promise<Caller> {
  if (route.local !== null) return route.local;
  if (request.headersDistinct['authorization'] === undefined) {
    throw new SallyportError('TOKEN_MISSING', 'the request has no bearer token');
  }
  const token = bearerToken(request);
  const caller = token === null ? null : await route.authenticate(token);
  if (caller === null) throw new SallyportError('TOKEN_UNKNOWN', 'the bearer token is not known');
  return caller;
}

async function readMessage(route: Route, request: IncomingMessage): Promise<Message> {
  const text = await readBody(request, route.limits.requestBytes);
  return parseMessage(text, { maxBytes: route.limits.requestBytes, maxDepth: route.limits.argumentDepth });
}

async function routeMessage(
  route: Route,
  caller: Caller,
  message: Message,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<HttpAnswer | null> {
  const version = single(request, 'mcp-protocol-version');
  if (isLegacy(message, request, version)) {
    if (version !== undefined && !LEGACY_VERSIONS.includes(version)) {
      return plainAnswer(400, `Unsupported protocol version (supported: ${LEGACY_VERSIONS.join(', ')})`);
    }
    return route.legacy.post(caller, single(request, 'mcp-session-id'), message);
  }
  const verdict = admitMessage(message);
  if (verdict === 'drop') return { status: 202 };
  if (verdict !== 'take') return { status: 404, body: verdict }; // the status of "method not found" in this revision
  await route.modern.serve(caller, message, request, response);
  return null;
}

/** Which era a message belongs to, by the SDK's own reading of header and body. */
function isLegacy(message: Message, request: IncomingMessage, version: string | undefined): boolean {
  const method = single(request, 'mcp-method');
  const name = single(request, 'mcp-name');
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body: message.body,
  });
  return outcome.kind === 'legacy';
}
