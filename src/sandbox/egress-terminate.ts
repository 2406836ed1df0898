import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { EgressAuthority } from './egress-authority.ts';
import { readStart } from './egress-bytes.ts';
import type { HttpFront } from './egress-http.ts';
import { refuse } from './egress-refusal.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { type EgressTarget, tunnelAsk } from './egress-target.ts';
import { troubleInStart } from './egress-tunnel.ts';

/**
 * Ends TLS of a granted tunnel here and serves what is inside as requests to its target, each judged by itself. HTTP/1.1 is
 * all that is offered. What is no TLS for that host, and a handshake that fails, is recorded and ended. Never rejects.
 */
export async function terminateTls(
  context: EgressContext,
  parts: {
    readonly socket: Socket;
    readonly target: EgressTarget;
    readonly authority: EgressAuthority;
    readonly front: HttpFront;
  },
): Promise<void> {
  const { socket, target, authority, front } = parts;
  const ask = tunnelAsk(target, 'https');
  const start = readStart(socket);
  const trouble = await troubleInStart(start, { target, context });
  const secureContext = trouble === null ? await authority.secureContextFor(target) : undefined;
  start.release();
  if (trouble !== null) {
    context.record(refusedEvent(ask, trouble));
    return void socket.destroy();
  }
  const encrypted = new TLSSocket(socket, {
    ...{ isServer: true, secureContext, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2' },
  });
  const fail = (error?: unknown): void => {
    settle();
    context.record(refusedEvent(ask, refuse('EGRESS_TUNNEL', 'the handshake with the client failed', error)));
    encrypted.destroy();
    socket.destroy();
  };
  const end = (): void => fail();
  const timer = setTimeout(end, context.limits.headMs);
  const settle = (): void => {
    clearTimeout(timer);
    encrypted
      .off('error', fail)
      .off('end', end)
      .off('close', end)
      .on('error', () => encrypted.destroy());
  };
  encrypted.once('error', fail).once('end', end).once('close', end);
  encrypted.once('secure', () => {
    settle();
    front.serve(encrypted, { kind: 'inside', scheme: 'https', target });
  });
}
