import type { IncomingMessage, ServerResponse } from 'node:http';
import { classifyInboundRequest } from '@modelcontextprotocol/server';
import { isPlainJson, type Limits, readBody, SallyportError, singleHeader } from '../core/index.ts';
import { type Caller, credentialKey } from './caller.ts';
import { type HttpAnswer, noOAuthAnswer, plainAnswer } from './http-answer.ts';
import { type Authorities, bearerToken, checkAddress, isOAuthProbe } from './http-guard.ts';
import { admitMessage, type Message, parseMessage } from './json-rpc.ts';
import type { LegacySessions, Reply } from './legacy-sessions.ts';
import { LEGACY_VERSIONS } from './mcp-server.ts';
import type { ModernDoor } from './modern-door.ts';
import { watchCredential } from './watch-credential.ts';

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
  /** How often it is asked whether the credential of an open response is still valid, in milliseconds. */
  readonly recheckMs: number;
  readonly onError: (error: unknown) => void;
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
  if (request.method !== 'POST' && request.method !== 'DELETE' && request.method !== 'GET') {
    return plainAnswer(405, 'Method not allowed', { allow: 'GET, POST, DELETE' });
  }
  const caller = await identify(route, request);
  if (request.method === 'DELETE') return route.legacy.end(caller, singleHeader(request, 'mcp-session-id'));
  endWithCredential(route, caller, request, response);
  if (request.method === 'GET') return routeStream(route, caller, request, response);
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

/** A token that is taken away ends what is still open for it: the response, and the session behind it. */
function endWithCredential(route: Route, caller: Caller, request: IncomingMessage, response: ServerResponse): void {
  const token = route.local === null ? bearerToken(request) : null;
  if (token === null) return; // everybody on this machine can call, and nobody can be told apart
  const isValid = async (): Promise<boolean> => {
    const now = await route.authenticate(token);
    return now !== null && credentialKey(now) === credentialKey(caller);
  };
  const end = (): void => {
    route.legacy.revoke(caller);
    route.modern.revoke(caller);
  };
  watchCredential(response, { isValid, end, everyMs: route.recheckMs, onError: route.onError });
}

/** The stream of a 2025-era session; the stateless revision has none (MCP 2026-07-28, transports). */
function routeStream(
  route: Route,
  caller: Caller,
  request: IncomingMessage,
  response: ServerResponse,
): HttpAnswer | null {
  const version = singleHeader(request, 'mcp-protocol-version');
  if (version !== undefined && !LEGACY_VERSIONS.includes(version)) return unsupportedVersion();
  return route.legacy.stream(caller, singleHeader(request, 'mcp-session-id'), replyOf(request, response));
}

const unsupportedVersion = (): HttpAnswer =>
  plainAnswer(400, `Unsupported protocol version (supported: ${LEGACY_VERSIONS.join(', ')})`);

const replyOf = (request: IncomingMessage, response: ServerResponse): Reply => ({
  response,
  ...acceptedBy((singleHeader(request, 'accept') ?? '').toLowerCase()),
});

/** Both kinds of answer are offered by most clients; the one they name first is the one that they would rather have. */
function acceptedBy(accept: string): Pick<Reply, 'takesStream' | 'prefersStream'> {
  const stream = accept.indexOf('text/event-stream');
  const json = accept.indexOf('application/json');
  return { takesStream: stream >= 0, prefersStream: stream >= 0 && (json < 0 || stream < json) };
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
  const version = singleHeader(request, 'mcp-protocol-version');
  if (isLegacy(message, request, version)) {
    if (version !== undefined && !LEGACY_VERSIONS.includes(version)) {
      return unsupportedVersion();
    }
    return route.legacy.post(caller, singleHeader(request, 'mcp-session-id'), message, replyOf(request, response));
  }
  const verdict = admitMessage(message);
  if (verdict === 'drop') return { status: 202 };
  if (verdict !== 'take') return { status: 404, body: verdict }; // the status of "method not found" in this revision
  await route.modern.serve(caller, message, request, response);
  return null;
}

/** Which era a message belongs to, by the SDK's own reading of header and body. */
function isLegacy(message: Message, request: IncomingMessage, version: string | undefined): boolean {
  const method = singleHeader(request, 'mcp-method');
  const name = singleHeader(request, 'mcp-name');
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...(version === undefined ? {} : { protocolVersionHeader: version }),
    ...(method === undefined ? {} : { mcpMethodHeader: method }),
    ...(name === undefined ? {} : { mcpNameHeader: name }),
    body: message.body,
  });
  return outcome.kind === 'legacy';
}
