import type { Socket } from 'node:net';
import { rootCertificates, connect as secure, type TLSSocket } from 'node:tls';
import { classifyAddress, SallyportError } from '../core/index.ts';
import { unlessAborted } from './egress-admit.ts';
import type { EgressContext } from './egress-session.ts';
import type { EgressTarget } from './egress-target.ts';

/** A connection to a judged address; bytes are counted on `raw`. */
export interface Dialled {
  readonly raw: Socket;
  /** What requests go through: `raw`, or TLS on it. */
  readonly socket: Socket;
  readonly address: string;
}

/** Addresses of one name that are tried. */
const MAX_TRIES = 4;

/**
 * Connects to the first of the judged addresses that answers, with TLS for `target` where asked.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE, EGRESS_ABANDONED
 */
export async function dialJudged(
  context: EgressContext,
  dialling: {
    readonly target: EgressTarget;
    readonly addresses: readonly string[];
    readonly tls: boolean;
    readonly signal: AbortSignal;
  },
): Promise<Dialled> {
  let cause: unknown;
  for (const address of dialling.addresses.slice(0, MAX_TRIES)) {
    const attempt = deadline(dialling.signal, context.limits.connectMs);
    try {
      return await dialOne(context, { ...dialling, address, signal: attempt.signal });
    } catch (error) {
      cause = error;
      if (dialling.signal.aborted) throw new SallyportError('EGRESS_ABANDONED', 'the client went away', { cause });
    } finally {
      attempt.over();
    }
  }
  const { host, port } = dialling.target;
  throw new SallyportError('ENDPOINT_UNREACHABLE', `no connection to ${host}, port ${port}`, { cause });
}

/**
 * A signal for one attempt. INVARIANT: after `over` it never aborts: a dialler may have bound the connection itself to it, and
 * that lives on.
 */
function deadline(
  outer: AbortSignal,
  milliseconds: number,
): { readonly signal: AbortSignal; readonly over: () => void } {
  const controller = new AbortController();
  const stop = (): void => controller.abort(outer.reason);
  const timer = setTimeout(() => controller.abort(new Error('it took too long')), milliseconds);
  outer.addEventListener('abort', stop, { once: true });
  if (outer.aborted) stop();
  const over = (): void => {
    clearTimeout(timer);
    outer.removeEventListener('abort', stop);
  };
  return { signal: controller.signal, over };
}

async function dialOne(
  context: EgressContext,
  one: { readonly target: EgressTarget; readonly address: string; readonly tls: boolean; readonly signal: AbortSignal },
): Promise<Dialled> {
  const { target, signal } = one;
  const address = classifyAddress(one.address)?.text;
  if (address === undefined) throw new SallyportError('INTERNAL', 'a dialler takes addresses only');
  const dialled = context.door.dial({ address: one.address, port: target.port }, signal);
  const raw = await unlessAborted(dialled, signal).catch((error: unknown) => {
    dialled.then(
      (late) => late.destroy(),
      () => undefined,
    );
    throw error;
  });
  raw.on('error', () => raw.destroy());
  const socket = one.tls ? await encrypt(raw, context, one) : raw;
  return { raw, socket, address: one.address };
}

/** TLS as a client. INVARIANT: certificates are checked whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED). */
function encrypt(
  raw: Socket,
  { door: { certificates = [] } }: EgressContext,
  { target: { host, hostKind }, signal }: { readonly target: EgressTarget; readonly signal: AbortSignal },
): Promise<TLSSocket> {
  const name = hostKind === 'name' ? { servername: host } : {};
  const ca = [...rootCertificates, ...certificates];
  const strict = { rejectUnauthorized: true, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
  const encrypted = secure({ socket: raw, host, ca, ...name, ...strict });
  return new Promise((resolve, reject) => {
    const fail = (error?: unknown): void => {
      raw.destroy();
      reject(error ?? new SallyportError('ENDPOINT_UNREACHABLE', 'the handshake ended'));
    };
    const stop = (): void => fail(signal.reason);
    const onClose = (): void => fail();
    signal.addEventListener('abort', stop, { once: true });
    encrypted.once('error', fail).once('close', onClose);
    encrypted.once('secureConnect', () => {
      signal.removeEventListener('abort', stop);
      encrypted.off('close', onClose).on('error', () => encrypted.destroy());
      resolve(encrypted);
    });
  });
}
