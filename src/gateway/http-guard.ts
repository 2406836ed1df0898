import type { IncomingMessage } from 'node:http';
import { SallyportError, singleHeader } from '../core/index.ts';

/** `HOST:PORT` forms by which a client may address a listener, lower case. */
export type Authorities = ReadonlySet<string>;

const LOOPBACK_NAMES: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

/** The authorities of a listener: the loopback names at its port, the host it was bound to, and the names an operator adds. */
export function authoritiesOf(host: string, port: number, names: readonly string[] = []): Authorities {
  const bound = host.includes(':') ? `[${host}]` : host;
  const wildcard = host === '0.0.0.0' || host === '::';
  const hosts = [...LOOPBACK_NAMES, ...(wildcard ? [] : [bound]), ...names].map((name) => name.toLowerCase());
  return new Set(hosts.flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])));
}

/**
 * Refuses a request that was not addressed to us by name (DNS rebinding) or that a web page of another origin sent.
 * ATTACKER-CONTROLLED: every header.
 *
 * @throws SallyportError HOST_REFUSED, ORIGIN_REFUSED
 */
export function checkAddress(request: IncomingMessage, authorities: Authorities): void {
  const host = singleHeader(request, 'host')?.toLowerCase();
  if (host === undefined || !authorities.has(host)) {
    throw new SallyportError('HOST_REFUSED', 'the Host header is not an address of this gateway');
  }
  if (request.headersDistinct['origin'] === undefined) return;
  const origin = singleHeader(request, 'origin')?.toLowerCase();
  if (origin === undefined || origin !== `http://${host}`) {
    throw new SallyportError('ORIGIN_REFUSED', 'the request comes from a web page of another origin');
  }
}

const OAUTH_ENDPOINTS: readonly string[] = ['/register', '/authorize', '/token'];

/**
 * True for what clients ask in search of an authorization server: the metadata of RFC 9728, RFC 8414 and OpenID Connect,
 * before and behind the path of the gateway, and the endpoints that MCP 2025-03-26 took for granted.
 */
export function isOAuthProbe(url: string): boolean {
  const path = url.split('?', 1)[0] ?? '';
  return /(?:^|\/)\.well-known\/(?:oauth-|openid-configuration)/.test(path) || OAUTH_ENDPOINTS.includes(path);
}

/** The bearer token of a request, or null. A header sent twice counts as none: two readers could take two. */
export function bearerToken(request: IncomingMessage): string | null {
  const header = singleHeader(request, 'authorization');
  return header === undefined ? null : (/^Bearer ([A-Za-z0-9._~+/-]{1,512}=*)$/i.exec(header)?.[1] ?? null);
}
