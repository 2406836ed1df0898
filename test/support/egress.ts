import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EgressAsk, EgressDoor, EgressEvent } from '../../src/sandbox/contract.ts';
import { openEgress } from '../../src/sandbox/egress.ts';
import type { EgressLimits } from '../../src/sandbox/egress-limits.ts';
import type { EgressSession } from '../../src/sandbox/parts.ts';

/** A public address that is data here: what is dialled is loopback. */
export const PUBLIC = '93.184.216.34';

/** A door of a test, with what it saw. */
export interface TestEgress {
  readonly session: EgressSession;
  readonly socket: string;
  readonly token: string;
  readonly asks: EgressAsk[];
  readonly looked: string[];
  readonly dialled: { address: string; port: number }[];
  readonly events: EgressEvent[];
  /** Waits for that many events. */
  seen(count: number): Promise<readonly EgressEvent[]>;
  /** Sends bytes as they are and gives what comes back until the end. */
  raw(text: string | Buffer): Promise<string>;
  close(): Promise<void>;
}

export interface TestDoor extends Partial<Omit<EgressDoor, 'dial' | 'record'>> {
  /** Loopback port behind each `NAME:PORT` or address. */
  readonly ports?: Readonly<Record<number, number>>;
  readonly limits?: Partial<EgressLimits>;
  readonly owner?: { uid: number; gid: number };
  /** Where its folder is made; it must be reachable for the owner. */
  readonly parent?: string;
}

/** Opens a proxy that allows `api.example.com`, which "is" {@link PUBLIC}; dialling goes to loopback ports. */
export async function openTestEgress({
  ports = {},
  limits,
  owner,
  parent,
  ...given
}: TestDoor = {}): Promise<TestEgress> {
  const root = realpathSync(mkdtempSync(join(parent ?? tmpdir(), 'egress-')));
  const [asks, looked, dialled, events]: [EgressAsk[], string[], TestEgress['dialled'], EgressEvent[]] = [
    [],
    [],
    [],
    [],
  ];
  const judge = given.judge ?? allowHosts('api.example.com');
  const resolve = given.resolve ?? (async () => [PUBLIC]);
  let wake = (): void => undefined;
  const door: EgressDoor = {
    ...{ digest: 'test', terminateTls: false, ...given },
    judge: (ask) => {
      asks.push(ask);
      return judge(ask);
    },
    resolve: (host) => {
      looked.push(host);
      return resolve(host);
    },
    async dial(target, signal) {
      dialled.push(target);
      const socket = connect({
        host: '127.0.0.1',
        port: ports[target.port] ?? target.port,
        allowHalfOpen: true,
        signal,
      });
      await once(socket, 'connect');
      return socket;
    },
    record: (event) => {
      events.push(event);
      wake();
    },
  };
  const parts = { folder: root, owner: owner ?? null, ...(limits === undefined ? {} : { limits }) };
  const session = await openEgress(door, parts);
  const socket = join(session.folder, 'proxy.sock');
  return {
    ...{ session, socket, asks, looked, dialled, events },
    token: new URL(session.env['HTTP_PROXY'] ?? '').password,
    async seen(count) {
      while (events.length < count) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      return events;
    },
    raw: (text) => exchange(connect(socket), text),
    async close() {
      await session.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** A judge that allows these names, whatever the port and method. */
export const allowHosts =
  (...hosts: readonly string[]): EgressDoor['judge'] =>
  async ({ host }) =>
    hosts.includes(host)
      ? { allowed: true, rule: 'test.allowed', internal: false }
      : { allowed: false, rule: 'test.default', reason: 'the host is not listed' };

/** Everything that a socket says after `text` was written to it. */
export async function exchange(socket: Socket, text: string | Buffer): Promise<string> {
  socket.on('error', () => socket.destroy());
  if (text.length > 0) socket.write(text);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((done) => void socket.once('close', done));
  return Buffer.concat(chunks).toString('latin1');
}

export interface TestServer {
  readonly port: number;
  readonly requests: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  close(): Promise<void>;
}

/** A web server on loopback that remembers what it got. */
export async function serveHttp(
  listener: RequestListener = (_, response) => void response.end('hello from outside'),
  tls?: { key: string; cert: string },
): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const receive: RequestListener = (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      requests.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
      Object.assign(request, { bodyBytes: Buffer.concat(chunks) });
      listener(request, response);
    });
  };
  return { requests, ...(await listening(tls === undefined ? createHttp(receive) : createHttps(tls, receive))) };
}

/** A server on loopback that gives each connection to `handle`. */
export const serveTcp = (handle: (socket: Socket) => void): Promise<{ port: number; close(): Promise<void> }> =>
  listening(createServer({ allowHalfOpen: true }, handle));

async function listening(server: Server): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket.on('error', () => socket.destroy()));
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** The header that carries a token. */
export const basic = (token: string): string =>
  `Proxy-Authorization: Basic ${Buffer.from(`sallyport:${token}`).toString('base64')}\r\n`;
