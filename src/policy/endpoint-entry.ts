import { type CanonicalUrl, classifyAddress, isUrlTrouble, quoteForMessage, readUrl } from '../core/index.ts';

/** An entry of `allowedEndpoints`, read. */
export interface EndpointPattern {
  readonly scheme: 'http' | 'https';
  /** Lower case; for a wildcard what stands behind `*.`. */
  readonly host: string;
  /** `*.x`: one or more labels below x, not x itself. */
  readonly isWildcard: boolean;
  readonly port: number;
  /** Path that calls must stay in, on segment boundaries, without trailing slash; `null`: any path. */
  readonly path: string | null;
}

/** An entry of `requiresConfirmation.requests`, read. */
export interface RequestPattern {
  /** Upper case, or `*` for any. */
  readonly method: string;
  readonly endpoint: EndpointPattern;
}

/**
 * Reads an entry of `allowedEndpoints` (convention E1): `HOST`, `*.HOST`, `HOST:PORT`, `HOST/PATH`, each with or without
 * `https://` or `http://`. Without a scheme it means https. A text as result says why the entry cannot be used.
 */
export function readEndpointEntry(text: string): EndpointPattern | string {
  const written = text.includes('://') ? text : `https://${text}`;
  const wildcard = /^(https?:\/\/)\*\./i.exec(written);
  const url = readUrl(wildcard === null ? written : `${wildcard[1]}${written.slice(wildcard[0].length)}`);
  const found = troubleInEntry(text, url);
  if (found !== null || isUrlTrouble(url)) return found ?? '';
  if (url.hostKind === 'address') return 'an address cannot be listed here; internalEndpoints takes addresses';
  if (wildcard !== null && !url.host.includes('.'))
    return 'a wildcard needs at least two labels behind it: *.example.com';
  const path = hasPath(written) ? url.path.replace(/\/+$/, '') : null;
  return Object.freeze({ scheme: url.scheme, host: url.host, isWildcard: wildcard !== null, port: url.port, path });
}

function troubleInEntry(text: string, url: ReturnType<typeof readUrl>): string | null {
  if (isUrlTrouble(url)) return url.detail;
  return /[?#]/.test(text) ? 'a query or fragment cannot be part of an entry' : null;
}

const hasPath = (written: string): boolean => written.slice(written.indexOf('://') + 3).includes('/');

/**
 * Reads an entry of `internalEndpoints`: `SCHEME://HOST[:PORT]`, exactly what may be reached on an address that is not
 * public. Metadata services of clouds cannot be listed: they hand out the machine's own credentials.
 */
export function readInternalEntry(text: string): EndpointPattern | string {
  if (!/^https?:\/\//i.test(text)) return 'an internal endpoint names its scheme: http://127.0.0.1:8080';
  const url = readUrl(text);
  const found = troubleInEntry(text, url);
  if (found !== null || isUrlTrouble(url)) return found ?? '';
  if (url.path !== '/') return 'an internal endpoint has scheme, host and port only; limit paths in allowedEndpoints';
  const address = url.hostKind === 'address' ? classifyAddress(url.host) : null;
  if (address !== null && UNUSABLE_KINDS.has(address.kind)) {
    return `${quoteForMessage(url.host)} cannot be listed (${address.kind}: ${address.reference})`;
  }
  return Object.freeze({ scheme: url.scheme, host: url.host, isWildcard: false, port: url.port, path: null });
}

/** What no endpoint of an operator can be: nothing answers there, or everything, or the machine's own credentials. */
export const UNUSABLE_KINDS: ReadonlySet<string> = new Set(['metadata', 'multicast', 'unspecified', 'reserved']);

/** Reads where a secret goes: an entry as of `allowedEndpoints`, or as of `internalEndpoints`. */
export function readDestination(text: string): EndpointPattern | string {
  const endpoint = readEndpointEntry(text);
  if (typeof endpoint !== 'string') return endpoint;
  const internal = readInternalEntry(text);
  return typeof internal === 'string' ? endpoint : internal;
}

/** Methods that are no request for a resource (RFC 9110 9.3.6, 9.3.8), and their relatives. */
const NEVER: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK', 'PRI']);

/** Reads a method: `null` when the text is none, or one that opens tunnels or echoes credentials. Letter case aside. */
export function readMethod(text: string): string | null {
  // INVARIANT: ASCII before upper case, or U+017F would become an S.
  if (!/^[A-Za-z][A-Za-z-]{0,31}$/.test(text)) return null;
  const method = text.toUpperCase();
  return NEVER.has(method) ? null : method;
}

/** Reads an entry of `requiresConfirmation.requests`: `METHOD URL`, `* URL`; the URL as in `allowedEndpoints`. */
export function readRequestEntry(text: string): RequestPattern | string {
  const [word = '', target = '', ...rest] = text.split(' ');
  if (target === '' || rest.length > 0)
    return 'write METHOD URL, with one space: POST https://api.example.com/v1/refunds';
  const method = word === '*' ? word : readMethod(word);
  if (method === null) return `${quoteForMessage(word)} is not a method that can be used`;
  const endpoint = readEndpointEntry(target);
  return typeof endpoint === 'string' ? endpoint : Object.freeze({ method, endpoint });
}

/** True when scheme, host and port are those of the entry. */
export function isOriginOf(entry: EndpointPattern, url: CanonicalUrl): boolean {
  if (entry.scheme !== url.scheme || entry.port !== url.port) return false;
  if (!entry.isWildcard) return entry.host === url.host;
  return url.hostKind === 'name' && url.host.endsWith(`.${entry.host}`);
}

/** True when the URL is one that the entry names; paths compare exactly, on segment boundaries. */
export const namesUrl = (entry: EndpointPattern, url: CanonicalUrl): boolean =>
  isOriginOf(entry, url) && (entry.path === null || url.path === entry.path || url.path.startsWith(`${entry.path}/`));
