import { chmodSync, chownSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { SallyportError } from '../core/index.ts';
import type { EgressDoor } from './contract.ts';
import { endWithRefusal } from './egress-answer.ts';
import { type EgressAuthority, makeAuthority } from './egress-authority.ts';
import { readStart } from './egress-bytes.ts';
import { proxyVariables, trustVariables } from './egress-env.ts';
import { type HttpFront, openHttpFront } from './egress-http.ts';
import { EGRESS_LIMITS, type EgressLimits } from './egress-limits.ts';
import { refuse } from './egress-refusal.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { grantSocks, negotiateSocks, refuseSocks, SOCKS_VERSION } from './egress-socks.ts';
import { readAuthority, unreadableAsk } from './egress-target.ts';
import { terminateTls } from './egress-terminate.ts';
import { mintEgressToken } from './egress-token.ts';
import { serveTunnel, type Tunnel } from './egress-tunnel.ts';
import type { EgressSession, OpenEgress } from './parts.ts';

/** Node.js cannot run TypeScript inside: from source, the built files run. */
const BUILT = import.meta.url.endsWith('.ts') ? '../../dist/sandbox/' : './';
const builtFile = (name: string): string => realpathSync(fileURLToPath(new URL(`${BUILT}${name}`, import.meta.url)));

/** Longest path of a Unix socket (sockaddr_un). */
const MAX_SOCKET_PATH = 107;

/** The plain-text port of HTTP: a tunnel to it carries requests that can be judged one by one. */
const HTTP_PORT = 80;

interface EgressParts {
  readonly folder: string;
  readonly owner: { readonly uid: number; readonly gid: number } | null;
  readonly limits?: Partial<EgressLimits>;
}

/**
 * Opens the door to the network of one sandbox: a proxy on a private Unix socket that speaks HTTP, CONNECT and SOCKS5, with a
 * token of its own. Each request and tunnel is judged before its name is looked up, dialled at an address that was judged, and
 * recorded once.
 *
 * @throws SallyportError SANDBOX_FAILED when the socket cannot be made
 */
export const openEgress: OpenEgress = async (door: EgressDoor, parts: EgressParts): Promise<EgressSession> => {
  try {
    return await open(door, parts);
  } catch (cause) {
    if (cause instanceof SallyportError) throw cause;
    throw new SallyportError('SANDBOX_FAILED', 'the door to the network cannot be opened', { cause });
  }
};

async function open(
  door: EgressDoor,
  { folder: parent, owner, limits: given = {} }: EgressParts,
): Promise<EgressSession> {
  const limits = { ...EGRESS_LIMITS, ...given };
  const folder = makeFolder(parent, 'egress', owner);
  const path = join(folder, 'proxy.sock');
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new SallyportError('SANDBOX_FAILED', `the path of the proxy's socket has more than ${MAX_SOCKET_PATH} bytes`);
  }
  const authority = door.terminateTls ? await makeAuthority(limits.certificates) : null;
  const trust =
    authority === null ? null : writeTrust(parent, owner, [authority.certificate, ...(door.certificates ?? [])]);
  const ending = new AbortController();
  const token = mintEgressToken();
  const record = recorder(door, ending);
  const context = { door, limits, token, signal: ending.signal, record };
  const server = await listen(context, authority, { path, owner });
  const [relay, preload] = [builtFile('relay.js'), builtFile('egress-preload.cjs')];
  const node = realpathSync(process.execPath);
  return {
    folder,
    runtime: [relay, preload, node, ...(trust === null ? [] : [trust.folder])],
    wrap: (argv) => [node, relay, path, preload, '--', ...argv],
    env: { ...proxyVariables(token), ...trust?.variables },
    async close() {
      ending.abort();
      await new Promise<void>((done) => void server.close(() => done()));
      for (const made of [folder, trust?.folder])
        if (made !== undefined) rmSync(made, { recursive: true, force: true });
    },
  };
}

/** What cannot be recorded ends the session. */
function recorder(door: EgressDoor, ending: AbortController): EgressContext['record'] {
  return (event) => {
    try {
      door.record(Object.freeze(event));
    } catch (error) {
      ending.abort(error);
    }
  };
}

/** A new folder, for its owner only. */
function makeFolder(parent: string, name: string, owner: EgressParts['owner']): string {
  const folder = join(realpathSync(parent), name);
  mkdirSync(folder, { mode: 0o700 });
  chmodSync(folder, 0o700);
  if (owner !== null) chownSync(folder, owner.uid, owner.gid);
  return folder;
}

function writeTrust(
  parent: string,
  owner: EgressParts['owner'],
  authorities: readonly string[],
): { readonly folder: string; readonly variables: Record<string, string> } {
  const folder = makeFolder(parent, 'authorities', null);
  const own = join(folder, 'session.pem');
  const bundle = join(folder, 'all.pem');
  const [session = ''] = authorities;
  writeFileSync(own, `${session}\n`, { mode: 0o444 });
  writeFileSync(bundle, `${[...rootCertificates, ...authorities].join('\n')}\n`, { mode: 0o444 });
  // Certificates are no secret, and whoever runs inside may read but not change them.
  chmodSync(folder, owner === null ? 0o700 : 0o755);
  return { folder, variables: trustVariables(own, bundle) };
}

async function listen(
  context: EgressContext,
  authority: EgressAuthority | null,
  { path, owner }: { readonly path: string; readonly owner: EgressParts['owner'] },
): Promise<Server> {
  const front = openHttpFront(context, (socket, written) => {
    const isSocket = socket instanceof Socket;
    if (isSocket) receiveConnect(context, { socket, written, authority, front }).catch(defect(context, socket));
    else socket.destroy();
  });
  const accept = acceptor(context);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (accept(socket)) sort(context, { socket, authority, front }).catch(defect(context, socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  if (owner !== null) chownSync(path, owner.uid, owner.gid);
  return server;
}

/** Takes connections up to the limit. That it was reached is recorded, once until there is room again. */
function acceptor({ limits, signal, record }: EgressContext): (socket: Socket) => boolean {
  const open = new Set<Socket>();
  let isFull = false;
  signal.addEventListener('abort', () => {
    for (const socket of open) socket.destroy();
  });
  return (socket) => {
    socket.on('error', () => socket.destroy());
    if (open.size < limits.connections && !signal.aborted) {
      isFull = false;
      open.add(socket);
      socket.once('close', () => open.delete(socket));
      return true;
    }
    socket.destroy();
    if (!isFull && !signal.aborted) {
      record(refusedEvent(unreadableAsk('tcp'), refuse('EGRESS_BUSY', 'there are too many connections at once')));
    }
    isFull = true;
    return false;
  };
}

/** What went wrong in the proxy itself is recorded, and ends the connection. */
const defect =
  (context: EgressContext, socket: Socket) =>
  (error: unknown): void => {
    context.record(refusedEvent(unreadableAsk('tcp'), refuse('INTERNAL', 'the proxy failed', error)));
    socket.destroy();
  };

interface Received {
  readonly socket: Socket;
  readonly authority: EgressAuthority | null;
  readonly front: HttpFront;
}

/** Tells SOCKS from HTTP by the first byte. */
async function sort(context: EgressContext, received: Received): Promise<void> {
  const { socket, authority, front } = received;
  const start = readStart(socket);
  const deadline = AbortSignal.any([context.signal, AbortSignal.timeout(context.limits.headMs)]);
  const first = await start.need(1, deadline);
  start.release();
  if (first === null) return void socket.destroy();
  if (first[0] !== SOCKS_VERSION) return front.serve(socket, { kind: 'proxy' });
  const target = await negotiateSocks(context, socket);
  if (target === null) return;
  const answers = {
    grant: () => void grantSocks(socket),
    refuse: (refusal: Parameters<typeof refuseSocks>[1]) => refuseSocks(socket, refusal),
  };
  await receiveTunnel(context, { socket, target, ...answers }, { authority, front });
}

async function receiveConnect(
  context: EgressContext,
  received: Received & { readonly written: string },
): Promise<void> {
  const { socket, written, authority, front } = received;
  const target = readAuthority(written);
  if ('trouble' in target) {
    const refusal = refuse('EGRESS_MALFORMED', `the target cannot be used: ${target.detail}`);
    context.record(refusedEvent(unreadableAsk('tcp', written), refusal));
    return endWithRefusal(socket, refusal);
  }
  const grant = (): void => void socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  const tunnel = {
    socket,
    target,
    grant,
    refuse: (refusal: Parameters<typeof endWithRefusal>[1]) => endWithRefusal(socket, refusal),
  };
  await receiveTunnel(context, tunnel, { authority, front });
}

/** A tunnel whose content can be read is granted, and what goes through it is judged; the content of others is not seen. */
async function receiveTunnel(
  context: EgressContext,
  tunnel: Tunnel,
  { authority, front }: Pick<Received, 'authority' | 'front'>,
): Promise<void> {
  const { socket, target, grant } = tunnel;
  if (target.port === HTTP_PORT) {
    grant();
    return front.serve(socket, { kind: 'inside', scheme: 'http', target });
  }
  if (authority === null) return serveTunnel(context, tunnel);
  grant();
  await terminateTls(context, { socket, target, authority, front });
}
