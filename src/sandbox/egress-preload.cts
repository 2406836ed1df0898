// Loaded into every Node.js program of a sandbox with a network (`--require`). Node.js before 22.21 and 24.5 knows no proxy: this
// leads its fetch, http and https there. It is a convenience for programs inside, and no part of the boundary: there is no
// other way out than the proxy, with or without it.

interface Target {
  readonly host?: string | null;
  readonly hostname?: string | null;
  readonly port?: number | string | null;
}

/** What undici's fetch hands to its dispatcher (undici 5 to 7, `Dispatcher.DispatchOptions`). */
interface DispatchOptions {
  readonly origin: string | URL;
  readonly path: string;
  readonly method: string;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** What fetch is told (undici 5 to 7, `Dispatcher.DispatchHandlers`). */
interface DispatchHandler {
  onConnect?(abort: (reason?: Error) => void, context: null): void;
  onHeaders?(status: number, headers: Buffer[], resume: () => void, message: string): boolean | undefined;
  onData?(chunk: Buffer): boolean | undefined;
  onComplete?(trailers: Buffer[]): void;
  onError?(error: Error): void;
}

interface Proxy {
  readonly host: string;
  readonly port: number;
  readonly authorization: string;
  readonly isDirect: (host: string) => boolean;
}

type Http = typeof import('node:http');
type Https = typeof import('node:https');

/** The proxy of this sandbox; null where there is none, or where Node.js finds it by itself. */
function readProxy(): Proxy | null {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const knowsProxies = major > 24 || (major === 24 && minor >= 5) || (major === 22 && minor >= 21);
  const written = process.env['HTTPS_PROXY'] ?? '';
  if (knowsProxies || !URL.canParse(written)) return null;
  const { hostname: host, port, username, password } = new URL(written);
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const direct = new Set((process.env['NO_PROXY'] ?? '').toLowerCase().split(','));
  return { host, port: Number(port), authorization, isDirect: (name) => direct.has(unbracketed(name).toLowerCase()) };
}

const unbracketed = (host: string): string => host.replace(/^\[|\]$/g, '');
const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
const hostOf = ({ host, hostname }: Target): string => host ?? hostname ?? 'localhost';

/** Plain http: the absolute URL goes to the proxy. Agents that make their own connections are left alone. */
function leadHttp({ Agent }: Http, { host, port, authorization, isDirect }: Proxy): void {
  const own = Agent.prototype;
  const [addRequest, createConnection, createSocket] = ['addRequest', 'createConnection', 'createSocket'].map((name) =>
    Reflect.get(own, name),
  );
  const isOurs = (agent: object, options: Target): boolean =>
    Reflect.get(agent, 'protocol') === 'http:' &&
    Reflect.get(agent, 'createConnection') === createConnection &&
    Reflect.get(agent, 'createSocket') === createSocket &&
    !Reflect.get(options, 'socketPath') &&
    !isDirect(hostOf(options));
  const lead = function (this: object, request: import('node:http').ClientRequest, options: Target): unknown {
    if (!isOurs(this, options)) return Reflect.apply(addRequest, this, [request, options]);
    const path = `http://${bracketed(hostOf(options))}:${options.port ?? 80}${request.path}`;
    const head: unknown = Reflect.get(request, '_header');
    if (typeof head === 'string') rewriteHead(request, `${request.method} ${path} HTTP/1.1`, authorization);
    else request.setHeader('Proxy-Authorization', authorization);
    request.path = path;
    return Reflect.apply(addRequest, this, [request, { ...options, host, port }]);
  };
  Reflect.set(own, 'addRequest', lead);
}

/** A head that has been written already (headers were given as a list) is written again. */
function rewriteHead(request: object, line: string, authorization: string): void {
  const rewrite = (text: string): string =>
    text.replace(/^[^\r]*/, () => `${line}\r\nProxy-Authorization: ${authorization}`);
  const queue: unknown = Reflect.get(request, 'outputData');
  const first: unknown = Array.isArray(queue) ? queue[0] : undefined;
  if (typeof first === 'object' && first !== null)
    Reflect.set(first, 'data', rewrite(String(Reflect.get(first, 'data'))));
  Reflect.set(request, '_header', rewrite(String(Reflect.get(request, '_header'))));
}

type Connected = (error: Error | null, socket?: unknown) => void;

/** https: TLS within a CONNECT. */
function leadHttps(http: Http, https: Https, proxy: Proxy): void {
  const tls: typeof import('node:tls') = require('node:tls');
  const connectDirectly = Reflect.get(https.Agent.prototype, 'createConnection');
  const lead = function (this: object, options: Target, done: Connected): unknown {
    if (proxy.isDirect(hostOf(options)) || Reflect.get(options, 'socketPath')) {
      return Reflect.apply(connectDirectly, this, [options, done]);
    }
    const path = `${bracketed(hostOf(options))}:${options.port ?? 443}`;
    const headers = { Host: path, 'Proxy-Authorization': proxy.authorization };
    const { host, port } = proxy;
    const request = http.request({ host, port, method: 'CONNECT', path, headers, agent: false });
    request.once('error', done);
    request.once('connect', ({ statusCode, headers: answer }, socket) => {
      if (statusCode === 200) return done(null, tls.connect({ ...options, socket, path: undefined } as object));
      socket.destroy();
      done(new Error(`the proxy refused ${path}: ${answer['proxy-status'] ?? statusCode}`));
    });
    request.end();
    return undefined;
  };
  Reflect.set(https.Agent.prototype, 'createConnection', lead);
}

/** Headers come flat, as pairs or as an object. */
function headersOf(given: unknown): Record<string, string> {
  const flat = Array.isArray(given) && !Array.isArray(given[0]) ? given : null;
  const pairs: Iterable<readonly unknown[]> =
    flat !== null
      ? Array.from({ length: flat.length / 2 }, (_, at) => [flat[at * 2], flat[at * 2 + 1]])
      : Symbol.iterator in Object(given)
        ? (given as Iterable<readonly unknown[]>)
        : Object.entries(given ?? {});
  return Object.fromEntries([...pairs].map(([name, value]) => [String(name), String(value)]));
}

/** fetch: its dispatcher sends through `http` and `https`, and so through the proxy. */
function leadFetch(http: Http, https: Https): void {
  const dispatch = (options: DispatchOptions, handler: DispatchHandler): boolean => {
    const { protocol, hostname, port } = new URL(options.origin);
    const { method, path, body } = options;
    const target = { hostname: unbracketed(hostname), port, method, path, headers: headersOf(options.headers) };
    const outgoing = (protocol === 'https:' ? https : http).request(target);
    let isOver = false;
    const fail = (error: Error): void => {
      if (!isOver) handler.onError?.(error);
      isOver = true;
    };
    outgoing.on('error', fail).once('response', (answer) => giveBack(answer, handler, fail));
    handler.onConnect?.((reason) => {
      fail(reason ?? new Error('aborted'));
      outgoing.destroy();
    }, null);
    if (body === null || body === undefined) outgoing.end();
    else if (typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body);
    else sendBody(body as AsyncIterable<Uint8Array>, outgoing, fail);
    return true;
  };
  const value = { dispatch, close: async () => undefined, destroy: async () => undefined };
  const key = Symbol.for('undici.globalDispatcher.1');
  Object.defineProperty(globalThis, key, { value, writable: true, configurable: true, enumerable: false });
}

function sendBody(
  body: AsyncIterable<Uint8Array>,
  outgoing: NodeJS.WritableStream,
  fail: (error: Error) => void,
): void {
  const { Readable }: typeof import('node:stream') = require('node:stream');
  Readable.from(body).on('error', fail).pipe(outgoing);
}

function giveBack(
  answer: import('node:http').IncomingMessage,
  handler: DispatchHandler,
  fail: (error: Error) => void,
): void {
  const raw = answer.rawHeaders.map((text) => Buffer.from(text, 'latin1'));
  const goOn = handler.onHeaders?.(answer.statusCode ?? 0, raw, () => answer.resume(), answer.statusMessage ?? '');
  answer.on('data', (chunk: Buffer) => {
    if (handler.onData?.(chunk) === false) answer.pause();
  });
  if (goOn === false) answer.pause();
  answer.on('error', fail);
  answer.once('end', () => handler.onComplete?.([]));
}

function lead(): void {
  const proxy = readProxy();
  if (proxy === null) return;
  const http: Http = require('node:http');
  const https: Https = require('node:https');
  leadHttp(http, proxy);
  leadHttps(http, https, proxy);
  leadFetch(http, https);
}

lead();
