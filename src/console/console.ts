import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  isPlainJson,
  isSallyportError,
  type JsonValue,
  parseStrictJson,
  readBody,
  SallyportError,
} from '../core/index.ts';
import type { Keeper } from '../keeper/index.ts';
import type { ConsoleParts } from './context.ts';
import { type ConsoleToken, Entrance } from './credential.ts';
import { EventStreams } from './events.ts';
import { authoritiesOf, checkNoBrowser, checkOrigin, checkPage, originOf } from './guard.ts';
import { errorAnswer, type HttpAnswer, jsonAnswer, sendAnswer } from './http.ts';
import { CONSOLE_LIMITS, type ConsoleLimits } from './limits.ts';
import { pageAnswer } from './page.ts';
import { EVENTS, type Route, routesOf, WEBHOOK_ANSWERS } from './routes.ts';
import { Receipts } from './seen.ts';
import { MAX_SIGNED_BYTES, SignedAnswers } from './webhook.ts';

export interface ConsoleOptions {
  /** A connection of an operator (`role: 'operator'`) that is used for nothing else. */
  readonly keeper: Keeper;
  readonly token: ConsoleToken;
  /** 0 takes any free port. */
  readonly port?: number;
  readonly limits?: Partial<ConsoleLimits>;
  readonly onError?: (error: unknown) => void;
}

/** A console that listens. */
export interface Console {
  /** The address of its page, by the name that passkeys need. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The loopback address: the console listens on no other. */
const HOST = '127.0.0.1';
const DEFAULT_PORT = 7_333;

interface Served extends ConsoleParts {
  readonly limits: ConsoleLimits;
  readonly entrance: Entrance;
  readonly events: EventStreams;
  readonly signed: SignedAnswers;
  readonly authorities: () => ReadonlySet<string>;
  readonly onError: (error: unknown) => void;
}

/**
 * Serves the API of the console, and its page, on an origin of its own. @throws SallyportError PORT_IN_USE
 * @example
 * const console = await openConsole({ keeper, token: ConsoleToken.keptIn(keeper.state) });
 */
export async function openConsole({ keeper, token, ...options }: ConsoleOptions): Promise<Console> {
  const limits = { ...CONSOLE_LIMITS, ...options.limits };
  const address = { port: options.port ?? DEFAULT_PORT };
  const served: Served = {
    ...{ keeper, limits, receipts: new Receipts(), entrance: new Entrance({ token, keeper, limits }) },
    ...{ events: new EventStreams(keeper, limits), signed: new SignedAnswers(keeper, limits) },
    authorities: () => authoritiesOf(address.port),
    onError: options.onError ?? (() => undefined),
  };
  const server = createServer(serverOptions(limits), (request, response) => void answer(served, request, response));
  server.maxConnections = limits.connections;
  address.port = await listen(server, address.port);
  return {
    url: `http://localhost:${address.port}/`,
    port: address.port,
    close: () => close(server, served.events),
  };
}

const serverOptions = (limits: ConsoleLimits): Parameters<typeof createServer>[0] => ({
  requestTimeout: limits.requestMs,
  headersTimeout: limits.headersMs,
  connectionsCheckingInterval: Math.min(1_000, limits.headersMs),
  keepAliveTimeout: 5_000,
  maxHeaderSize: limits.headerBytes,
});

async function answer(served: Served, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const answered = await route(served, request, response);
    if (answered !== null) sendAnswer(response, answered);
  } catch (error) {
    if (!isSallyportError(error)) served.onError(error);
    if (response.headersSent) response.destroy();
    else sendAnswer(response, errorAnswer(error));
  }
}

/** The order is the defence: address, path, method, origin, credential, and only then a byte of the body. Null: written already. */
async function route(served: Served, request: IncomingMessage, response: ServerResponse): Promise<HttpAnswer | null> {
  const origin = originOf(request, served.authorities());
  const path = request.url ?? '';
  if (path.length > served.limits.urlLength) throw new SallyportError('INPUT_TOO_LARGE', 'the address is too long');
  if (path === WEBHOOK_ANSWERS) return webhook(served, request);
  const { routes, name } = routesOf(path);
  if (routes.length === 0 && path !== EVENTS) return page(request, path);
  const found = routes.find(({ method }) => method === request.method);
  const isStream = path === EVENTS && request.method === 'GET';
  if (found === undefined && !isStream) return notAllowed(isStream || path === EVENTS ? ['GET'] : methodsOf(routes));
  checkOrigin(request, origin);
  await served.entrance.check(request);
  if (found === undefined) {
    served.events.serve(response);
    return null;
  }
  const body = found.method === 'POST' ? await readJson(served, request) : null;
  return jsonAnswer(await found.handle(served, { name, body, origin }));
}

async function webhook(served: Served, request: IncomingMessage): Promise<HttpAnswer> {
  if (request.method !== 'POST') return notAllowed(['POST']);
  checkNoBrowser(request);
  checkJson(request);
  return jsonAnswer(await served.signed.take(request, await readBody(request, MAX_SIGNED_BYTES)));
}

async function page(request: IncomingMessage, path: string): Promise<HttpAnswer> {
  if (request.method !== 'GET') return notThere();
  checkPage(request);
  return (await pageAnswer(path)) ?? notThere();
}

async function readJson({ limits }: Served, request: IncomingMessage): Promise<JsonValue> {
  checkJson(request);
  const { bodyBytes: maxBytes, bodyDepth: maxDepth } = limits;
  return parseStrictJson(await readBody(request, maxBytes), { maxBytes, maxDepth });
}

/** INVARIANT: no form and no other "simple" request of a browser has this type. @throws SallyportError CONSOLE_CONTENT */
function checkJson(request: IncomingMessage): void {
  if (isPlainJson(request)) return;
  throw new SallyportError('CONSOLE_CONTENT', 'Content-Type must be application/json, without a coding');
}

const methodsOf = (routes: readonly Route[]): readonly string[] => routes.map(({ method }) => method);
const notThere = (): HttpAnswer => errorAnswer(new SallyportError('CONSOLE_ROUTE', 'there is nothing at this address'));
const notAllowed = (methods: readonly string[]): HttpAnswer => ({
  ...errorAnswer(new SallyportError('CONSOLE_ROUTE', 'the address has no such method'), 405),
  headers: { allow: methods.join(', ') },
});

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const text = cause.code === 'EADDRINUSE' ? 'is in use' : `cannot be opened (${cause.code ?? 'unknown error'})`;
      reject(new SallyportError('PORT_IN_USE', `the address ${HOST}:${port} of the console ${text}`, { cause }));
    });
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });
}

async function close(server: Server, events: EventStreams): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  events.close();
  server.closeIdleConnections();
  server.closeAllConnections();
  await closed;
}
