import { chmodSync, chownSync } from 'node:fs';
import { createServer, type Server, Socket } from 'node:net';
import { endWithRefusal } from './egress-answer.ts';
import type { EgressAuthority } from './egress-authority.ts';
import { readStart } from './egress-bytes.ts';
import { type HttpFront, openHttpFront } from './egress-http.ts';
import { refuse } from './egress-refusal.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { grantSocks, negotiateSocks, refuseSocks, SOCKS_VERSION } from './egress-socks.ts';
import { readAuthority, unreadableAsk } from './egress-target.ts';
import { terminateTls } from './egress-terminate.ts';
import { serveTunnel, type Tunnel } from './egress-tunnel.ts';

/** The plain-text port of HTTP: a tunnel to it carries requests that can be judged one by one. */
const HTTP_PORT = 80;

/**
 * Listens at `path`, for `owner` only, until the session ends.
 *
 * ATTACKER-CONTROLLED: every connection.
 */
export async function listenForSandbox(
  context: EgressContext,
  authority: EgressAuthority | null,
  { path, owner }: { readonly path: string; readonly owner: { readonly uid: number; readonly gid: number } | null },
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
  // Such as no free descriptor for a connection: it is refused, and the others go on.
  server.on('error', (error) => {
    context.record(refusedEvent(unreadableAsk('tcp'), refuse('EGRESS_BUSY', 'a connection cannot be taken', error)));
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
