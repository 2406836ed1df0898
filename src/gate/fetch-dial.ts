import { promises as dns } from 'node:dns';
import { connect, type Socket } from 'node:net';
import { rootCertificates, connect as secure } from 'node:tls';
import { type CanonicalUrl, classifyAddress, SallyportError } from '../core/index.ts';
import type { Dial, DialTarget } from './fetch-types.ts';

/** Names that mean "it has no address", from getaddrinfo. */
const NO_ADDRESS: ReadonlySet<unknown> = new Set(['ENOTFOUND', 'ENODATA', 'EAI_NODATA', 'EAI_NONAME']);

/** Looks a name up as the system does (with its hosts file): every address, in the system's order. */
export async function systemResolve(host: string): Promise<readonly string[]> {
  try {
    return (await dns.lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
  } catch (cause) {
    if (NO_ADDRESS.has(codeOf(cause))) return [];
    throw new SallyportError('ENDPOINT_UNRESOLVED', 'the name could not be looked up', { cause });
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/**
 * Connects to an address. INVARIANT: to that address and no other; a host name is refused, so that nothing between the
 * judgement and the connection can look it up again. `signal` ends the attempt; what is connected outlives it.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE
 */
export async function systemDial({ address, port }: DialTarget, signal: AbortSignal): Promise<Socket> {
  const wanted = classifyAddress(address)?.text;
  if (wanted === undefined) throw new SallyportError('INTERNAL', 'a dialler takes addresses only');
  signal.throwIfAborted();
  const socket = connect({ host: address, port, autoSelectFamily: false });
  // Not the socket's own `signal`: that would end the connection when the time for connecting is over.
  const stop = (): unknown => socket.destroy(new Error('it took too long or was cancelled'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    await opened(socket, 'connect');
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (classifyAddress(socket.remoteAddress ?? '')?.text === wanted) return socket;
  socket.destroy();
  throw new SallyportError('ENDPOINT_UNREACHABLE', 'the connection does not lead to the address that was judged');
}

/** How one hop is connected. */
export interface Connecting {
  readonly url: CanonicalUrl;
  readonly addresses: readonly string[];
  readonly dial: Dial;
  readonly connectMs: number;
  readonly signal: AbortSignal;
  readonly certificates: readonly string[];
}

/** Addresses of one name that are tried. */
const MAX_TRIES = 4;

/**
 * Connects to the first of the judged addresses that answers, with TLS where the URL says https; the name stays what the
 * certificate is checked against. Nothing of the request has been sent when the next address is tried.
 *
 * @throws SallyportError ENDPOINT_UNREACHABLE
 */
export async function connectToJudged(connecting: Connecting): Promise<{ socket: Socket; address: string }> {
  let cause: unknown;
  for (const address of connecting.addresses.slice(0, MAX_TRIES)) {
    const signal = AbortSignal.any([connecting.signal, AbortSignal.timeout(connecting.connectMs)]);
    try {
      return { socket: await connectOnce(address, connecting, signal), address };
    } catch (error) {
      connecting.signal.throwIfAborted();
      cause = error;
    }
  }
  const { host, port } = connecting.url;
  throw new SallyportError('ENDPOINT_UNREACHABLE', `no connection to ${host}, port ${port}`, { cause });
}

async function connectOnce(
  address: string,
  { url, dial, certificates }: Connecting,
  signal: AbortSignal,
): Promise<Socket> {
  const socket = await beforeAbort(dial({ address, port: url.port }, signal), signal);
  if (url.scheme === 'http') return socket;
  const name = url.hostKind === 'name' ? { servername: url.host } : {};
  const ca = certificates.length === 0 ? {} : { ca: [...rootCertificates, ...certificates] };
  // INVARIANT: certificates are checked whatever the environment says (NODE_TLS_REJECT_UNAUTHORIZED).
  const strict = { rejectUnauthorized: true, minVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] } as const;
  const encrypted = secure({ socket, host: url.host, ...name, ...ca, ...strict });
  const stop = (): unknown => encrypted.destroy(new Error('the handshake took too long or was cancelled'));
  signal.addEventListener('abort', stop, { once: true });
  try {
    await opened(encrypted, 'secureConnect');
    return encrypted;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Waits until a socket is open; it is destroyed if it fails. */
function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error?: Error): void => {
      socket.destroy();
      reject(error ?? new SallyportError('ENDPOINT_UNREACHABLE', 'the connection was closed'));
    };
    const onClose = (): void => fail();
    socket.once('error', fail).once('close', onClose);
    socket.once(event, () => {
      socket.off('error', fail).off('close', onClose);
      resolve();
    });
  });
}

/** The socket of a dialler that may not listen to the signal; one that comes too late is closed. */
async function beforeAbort(dialled: Promise<Socket>, signal: AbortSignal): Promise<Socket> {
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([dialled, aborted]);
  } catch (error) {
    dialled.then(
      (socket) => socket.destroy(),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
