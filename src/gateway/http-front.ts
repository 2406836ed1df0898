import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { DEFAULT_LIMITS, isLoopback, type Limits, SallyportError } from '../core/index.ts';
import type { Gate } from '../gate/index.ts';
import type { TokenHolder } from '../keeper/index.ts';
import { APPROVAL_WAIT_MS } from './approval-waits.ts';
import type { Caller } from './caller.ts';
import { type ClientLimits, DEFAULT_CLIENT_LIMITS } from './client-limits.ts';
import type { ServedSession } from './exchange.ts';
import { refusalAnswer, sendAnswer } from './http-answer.ts';
import { authoritiesOf } from './http-guard.ts';
import { type Route, routeRequest } from './http-route.ts';
import { type InFlight, inFlight } from './in-flight.ts';
import { legacySessions } from './legacy-sessions.ts';
import { buildMcpServer } from './mcp-server.ts';
import { modernDoor } from './modern-door.ts';
import { offeredFeatures, servedWhenUsed, serveSession, serving } from './served-session.ts';
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from './session-room.ts';
import type { Upstreams } from './upstreams.ts';

export interface HttpFrontOptions extends HttpListenOptions {
  readonly gate: Gate;
  /** The servers behind the gate; without them only the gate's own tools are served. */
  readonly upstreams?: Upstreams;
  /** How long a call waits for a person where its client did not ask for progress, in milliseconds; 50 seconds if absent. */
  readonly approvalWaitMs?: number;
  /** Where people answer calls that wait, which clients are told: without a token. */
  readonly console?: string;
}

/** How a front listens, whatever sessions it serves. */
export interface HttpListenOptions {
  /**
   * Who holds a token, in the same time for every wrong one (the keeper's `authenticate`); or `none`, on a loopback
   * address only: then everybody who can connect is `local`.
   */
  readonly authenticate: ((token: string) => Promise<TokenHolder | null>) | 'none';
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
  readonly clientLimits?: Partial<ClientLimits>;
  /** Milliseconds in which a request must have arrived whole. */
  readonly requestMs?: number;
  readonly onError?: (error: unknown) => void;
}

/** Opens the session of a caller: for each `initialize` in the older revisions, once per credential in the stateless one. */
export type SessionOpener = (caller: Caller) => Promise<ServedSession>;

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
  const { gate, upstreams = null, approvalWaitMs = APPROVAL_WAIT_MS, console = null } = options;
  const shared = serving(upstreams, gate, console);
  return listenHttp(options, async ({ user, agent, proof }) =>
    servedWhenUsed(
      async () =>
        serveSession(await gate.openSession({ user, agent, proof, surface: 'mcp-http', approvalWaitMs }), shared),
      () => offeredFeatures(upstreams, (name) => gate.mayBeAllowed(name, { user, agent })),
    ),
  );
}

/** {@link serveHttp} over any sessions. @throws SallyportError PORT_IN_USE, USAGE */
export async function listenHttp(options: HttpListenOptions, open: SessionOpener): Promise<HttpFront> {
  const host = options.host ?? '127.0.0.1';
  if (options.authenticate === 'none' && !isLoopback(host)) {
    throw new SallyportError('USAGE', 'without authentication the gateway listens on a loopback address only');
  }
  const address = { port: options.port ?? 7332 };
  const route = routeOf(options, open, () => authoritiesOf(host, address.port, options.names));
  const running = inFlight();
  const server = createServer(serverOptions(options), (request, response) => {
    running.add(response);
    void answer(route, request, response, options.onError);
  });
  server.maxConnections = MAX_CONNECTIONS;
  address.port = await listen(server, host, address.port);
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `http://${shown}:${address.port}${route.path}`,
    port: address.port,
    close: (drainMs = 5_000) => close(server, route, running, drainMs),
  };
}

function serverOptions({ requestMs = 30_000 }: HttpListenOptions): Parameters<typeof createServer>[0] {
  return {
    requestTimeout: requestMs,
    headersTimeout: Math.min(10_000, requestMs),
    connectionsCheckingInterval: Math.min(5_000, requestMs),
    keepAliveTimeout: 65_000,
    maxHeaderSize: 16_384,
  };
}

function routeOf(options: HttpListenOptions, open: SessionOpener, authorities: Route['authorities']): Route {
  const { authenticate, version = '0.0.0', onError = () => undefined } = options;
  const clientLimits = { ...DEFAULT_CLIENT_LIMITS, ...options.clientLimits };
  const { user, agent } = options.local ?? { user: 'local', agent: 'local' };
  return {
    path: options.path ?? '/mcp',
    authorities,
    authenticate: async (token) => {
      const holder = authenticate === 'none' ? null : await authenticate(token);
      return holder === null ? null : { user: holder.user, agent: holder.name, proof: 'bearer', credential: holder.id };
    },
    local: authenticate === 'none' ? { user, agent, proof: 'local', credential: null } : null,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    legacy: legacySessions({
      limits: { ...DEFAULT_SESSION_LIMITS, ...options.sessionLimits },
      ...{ clientLimits, onError, now: () => performance.now() },
      open: async (caller) => {
        const served = await open(caller);
        const client = await buildMcpServer(served, { version, era: 'legacy', limits: clientLimits, onError });
        return { served, client };
      },
    }),
    modern: modernDoor({ version, open, onError, limits: clientLimits }),
    recheckMs: clientLimits.recheckMs,
    onError,
  };
}

async function answer(
  route: Route,
  request: IncomingMessage,
  response: ServerResponse,
  onError: HttpListenOptions['onError'],
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

async function close(server: HttpServer, route: Route, running: InFlight, drainMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  route.legacy.endStreams();
  route.modern.endStreams();
  await Promise.race([running.ended(), new Promise<void>((resolve) => setTimeout(resolve, drainMs).unref())]);
  await Promise.all([route.legacy.closeAll(), route.modern.close()]);
  server.closeAllConnections();
  await closed;
}
