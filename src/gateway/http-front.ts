import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DEFAULT_LIMITS, type Limits, SallyportError } from '../core/index.ts';
import type { Gate } from '../gate/index.ts';
import type { Caller } from './caller.ts';
import { refusalAnswer, sendAnswer } from './http-answer.ts';
import { authoritiesOf, isLoopback } from './http-guard.ts';
import { type Route, routeRequest } from './http-route.ts';
import { DEFAULT_SESSION_LIMITS, legacySessions, type SessionLimits } from './legacy-sessions.ts';
import { buildMcpServer } from './mcp-server.ts';
import { modernDoor } from './modern-door.ts';
import { type ServedSession, serveSession } from './served-session.ts';

export interface HttpFrontOptions {
  readonly gate: Gate;
  /**
   * Who holds a token, in the same time for every wrong one (the keeper's `authenticate`); or `none`, on a loopback
   * address only: then everybody who can connect is `local`.
   */
  readonly authenticate: ((token: string) => Promise<{ readonly name: string; readonly user: string } | null>) | 'none';
  /** Who calls when nobody has to authenticate. */
  readonly local?: { readonly user: string; readonly agent: string };
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port?: number;
  readonly path?: string;
  /** Host names, besides those of loopback and of `host`, by which clients may call. */
  readonly names?: readonly string[];
  readonly version?: string;
  readonly limits?: Partial<Limits>;
  readonly sessionLimits?: Partial<SessionLimits>;
  /** Milliseconds in which a request must have arrived whole. */
  readonly requestMs?: number;
  /** Runs before tools are listed; see `Upstreams.refresh`. */
  readonly refresh?: () => Promise<void>;
  readonly onError?: (error: unknown) => void;
}

/** Connections at the same time; over HTTP/1.1 each carries one request. */
const MAX_CONNECTIONS = 1_024;

/** A listening gateway. */
export interface HttpFront {
  readonly url: string;
  readonly port: number;
  /** Stops listening, lets calls that run end (at most `drainMs`), then closes every session and connection. */
  close(drainMs?: number): Promise<void>;
}

/**
 * Serves MCP over Streamable HTTP, in the stateless revision (2026-07-28) and in those with sessions, on one path.
 *
 * @throws SallyportError PORT_IN_USE, USAGE (no authentication beyond loopback)
 */
export async function serveHttp(options: HttpFrontOptions): Promise<HttpFront> {
  const host = options.host ?? '127.0.0.1';
  if (options.authenticate === 'none' && !isLoopback(host)) {
    throw new SallyportError('USAGE', 'without authentication the gateway listens on a loopback address only');
  }
  const address = { port: options.port ?? 7332 };
  const route = routeOf(options, () => authoritiesOf(host, address.port, options.names));
  const inFlight = new Set<ServerResponse>();
  const server = createServer(serverOptions(options), (request, response) => {
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
    void answer(route, request, response, options.onError);
  });
  server.maxConnections = MAX_CONNECTIONS;
  address.port = await listen(server, host, address.port);
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${address.port}${route.path}`,
    port: address.port,
    close: (drainMs = 5_000) => close(server, route, inFlight, drainMs),
  };
}

function serverOptions({ requestMs = 30_000 }: HttpFrontOptions): Parameters<typeof createServer>[0] {
  return {
    requestTimeout: requestMs,
    headersTimeout: Math.min(10_000, requestMs),
    connectionsCheckingInterval: Math.min(5_000, requestMs),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384,
  };
}

function routeOf(options: HttpFrontOptions, authorities: Route['authorities']): Route {
  const { authenticate, gate, refresh = async () => undefined, version = '0.0.0' } = options;
  const open = async ({ user, agent, proof }: Caller): Promise<ServedSession> =>
    serveSession(await gate.openSession({ user, agent, proof, surface: 'mcp-http' }), refresh);
  const { user, agent } = options.local ?? { user: 'local', agent: 'local' };
  return {
    path: options.path ?? '/mcp',
    authorities,
    authenticate: async (token) => {
      const holder = authenticate === 'none' ? null : await authenticate(token);
      return holder === null ? null : { user: holder.user, agent: holder.name, proof: 'bearer' };
    },
    local: authenticate === 'none' ? { user, agent, proof: 'local' } : null,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    legacy: legacySessions({
      limits: { ...DEFAULT_SESSION_LIMITS, ...options.sessionLimits },
      now: () => performance.now(),
      open: async (caller) => buildMcpServer(await open(caller), version),
    }),
    modern: modernDoor({ version, open, onError: (error) => options.onError?.(error) }),
  };
}

async function answer(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  onError: HttpFrontOptions['onError'],
): Promise<void> {
  try {
    const answered = await routeRequest(route, request, response);
    if (answered !== null) sendAnswer(response, answered);
  } catch (error) {
    if (!(error instanceof SallyportError)) onError?.(error);
    if (response.headersSent) response.destroy();
    else sendAnswer(response, refusalAnswer(error));
  }
}

function listen(server: HttpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const text = cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${cause.code ?? 'unknown error'})`;
      reject(new SallyportError('PORT_IN_USE', `the address ${host}:${port} ${text}`, { cause }));
    });
    server.listen(port, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

async function close(
  server: HttpServer,
  route: Route,
  inFlight: ReadonlySet<ServerResponse>,
  drainMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const ended = [...inFlight].map((response) => new Promise<void>((resolve) => response.once('close', resolve)));
  await Promise.race([Promise.all(ended), new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref())]);
  await Promise.all([route.legacy.closeAll(), route.modern.close()]);
  server.closeAllConnections();
  await closed;
}
