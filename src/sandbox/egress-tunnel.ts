import type { Socket } from 'node:net';
import type { EgressAsk } from './contract.ts';
import { admit } from './egress-admit.ts';
import { readStart, type StartReader } from './egress-bytes.ts';
import { type Dialled, dialJudged } from './egress-dial.ts';
import { MORE_BYTES, readClientHello } from './egress-hello.ts';
import { type EgressRefusal, isRefusal, refusalOf, refuse } from './egress-refusal.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { splice } from './egress-splice.ts';
import { type EgressTarget, tunnelAsk } from './egress-target.ts';

/** A tunnel that a client asked for, and how to answer it. */
export interface Tunnel {
  readonly socket: Socket;
  readonly target: EgressTarget;
  readonly grant: () => void;
  readonly refuse: (refusal: EgressRefusal) => void;
}

/** Serves a judged tunnel whose content is not seen: granted, refused or broken, it is recorded once. Never rejects. */
export async function serveTunnel(context: EgressContext, tunnel: Tunnel): Promise<void> {
  const { socket, target } = tunnel;
  const ask = tunnelAsk(target);
  const abandoned = new AbortController();
  const start = readStart(socket, () => abandoned.abort());
  const signal = AbortSignal.any([context.signal, abandoned.signal]);
  const admission = await admit(context, { ask, target, signal });
  if (isRefusal(admission)) {
    start.release();
    context.record(refusedEvent(ask, admission));
    return tunnel.refuse(admission);
  }
  const { rule, tunnel: content } = admission.answer;
  const isOpen = content === 'any';
  try {
    const dialled = await dialJudged(context, { target, addresses: admission.addresses, tls: false, signal });
    await join(context, { ...tunnel, start, dialled, ask, rule, isOpen });
  } catch (error) {
    start.release();
    const refusal = refusalOf(error, 'ENDPOINT_UNREACHABLE');
    context.record({ ...refusedEvent(ask, refusal), allowed: true, rule });
    tunnel.refuse(refusal);
  }
}

interface Joined extends Tunnel {
  readonly start: StartReader;
  readonly dialled: Dialled;
  readonly ask: EgressAsk;
  readonly rule: string;
  /** Anything may go through. */
  readonly isOpen: boolean;
}

async function join(context: EgressContext, joined: Joined): Promise<void> {
  const { socket, start, dialled, target, ask, rule } = joined;
  const { raw, address } = dialled;
  // Bytes of an endpoint that speaks first wait in its socket until the client has shown that it may go on.
  raw.pause();
  joined.grant();
  const trouble = joined.isOpen ? null : await troubleInStart(start, { target, context });
  if (trouble !== null) {
    start.release();
    raw.destroy();
    socket.destroy();
    return context.record({ ...refusedEvent(ask, trouble), address });
  }
  start.release();
  const error = await splice(socket, raw, { idleMs: context.limits.idleMs, signal: context.signal });
  const [sentBytes, receivedBytes] = [raw.bytesWritten, raw.bytesRead];
  context.record({ ask, allowed: true, rule, address, sentBytes, receivedBytes, status: null, error });
}

/**
 * Whether a tunnel starts as TLS for the host that was judged. INVARIANT: nothing of it has been sent when this is known.
 * A name in the ClientHello that differs would reach another site of the same servers; one that is encrypted cannot be told.
 *
 * ATTACKER-CONTROLLED: what `start` reads.
 */
export async function troubleInStart(
  start: StartReader,
  { target, context }: { readonly target: EgressTarget; readonly context: EgressContext },
): Promise<EgressRefusal | null> {
  const deadline = AbortSignal.timeout(context.limits.headMs);
  for (let count = 1; ; ) {
    const bytes = await start.need(count, AbortSignal.any([deadline, context.signal]));
    if (bytes === null) return refuse('EGRESS_TIMEOUT', 'no ClientHello came in time');
    const hello = readClientHello(bytes);
    if (hello === null) return refuse('EGRESS_TUNNEL', 'what goes through the tunnel is not TLS');
    if (hello !== MORE_BYTES) return troubleInHello(hello, target);
    if (bytes.length >= context.limits.helloBytes) return refuse('EGRESS_TUNNEL', 'its ClientHello is too long');
    count = bytes.length + 1;
  }
}

function troubleInHello(
  { serverName, encrypted }: { readonly serverName: string | null; readonly encrypted: boolean },
  { host, hostKind }: EgressTarget,
): EgressRefusal | null {
  if (encrypted) return refuse('EGRESS_TUNNEL', 'its ClientHello is encrypted');
  if (serverName === host || (serverName === null && hostKind === 'address')) return null;
  return refuse('EGRESS_TUNNEL', 'its ClientHello names another host than the one that was asked for');
}
