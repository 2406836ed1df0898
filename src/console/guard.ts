import type { IncomingMessage } from 'node:http';
import { SallyportError, singleHeader } from '../core/index.ts';

/** Host names by which the console is called: loopback only. */
const NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/** The `HOST:PORT` forms of a console. */
export const authoritiesOf = (port: number): ReadonlySet<string> => new Set(NAMES.map((name) => `${name}:${port}`));

/** The origin that a request was sent to. @throws SallyportError HOST_REFUSED (DNS rebinding). ATTACKER-CONTROLLED: headers */
export function originOf(request: IncomingMessage, authorities: ReadonlySet<string>): string {
  const host = singleHeader(request, 'host');
  if (host !== undefined && authorities.has(host)) return `http://${host}`;
  throw new SallyportError('HOST_REFUSED', 'the Host header is not an address of this console');
}

/**
 * Refuses what a page of another origin caused. A browser says where a request comes from (`Sec-Fetch-Site`, and `Origin` with
 * everything but plain reads); whoever is no browser says the origin itself when it changes something.
 * @throws SallyportError ORIGIN_REFUSED
 */
export function checkOrigin(request: IncomingMessage, origin: string): void {
  const isRead = request.method === 'GET';
  const said = request.headersDistinct['origin'];
  const isOurs = said === undefined ? isRead : singleHeader(request, 'origin') === origin;
  const site = request.headersDistinct['sec-fetch-site'];
  const isSameSite = site === undefined || singleHeader(request, 'sec-fetch-site') === 'same-origin';
  if (!isOurs || !isSameSite) throw refused('the request does not come from the page of this console');
}

/** The page itself may be opened from anywhere, as a page of its own: it holds no data. @throws SallyportError ORIGIN_REFUSED */
export function checkPage(request: IncomingMessage): void {
  const destination = singleHeader(request, 'sec-fetch-dest');
  const site = singleHeader(request, 'sec-fetch-site');
  const isFramed = destination !== undefined && !['document', 'script', 'style', 'empty'].includes(destination);
  const isForeign = destination !== 'document' && site !== undefined && site !== 'same-origin' && site !== 'none';
  if (isFramed || isForeign) throw refused('the page of the console stands alone');
}

/** A server sends an answer that it signed; a browser never does. @throws SallyportError ORIGIN_REFUSED */
export function checkNoBrowser(request: IncomingMessage): void {
  const { origin, 'sec-fetch-site': site, cookie } = request.headersDistinct;
  if (origin !== undefined || site !== undefined || cookie !== undefined)
    throw refused('a webhook is sent by no browser');
}

const refused = (message: string): SallyportError => new SallyportError('ORIGIN_REFUSED', message);
