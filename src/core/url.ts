import { classifyAddress } from './address.ts';
import { normaliseEncoding, troubleInPath } from './url-path.ts';

/** Longest URL that is read, in UTF-16 units. */
const MAX_URL_LENGTH = 8_192;

/** The one reading of a URL: what is judged is what the connection is made from. Frozen. */
export interface CanonicalUrl {
  /** Scheme, host, port (if not the scheme's own), normalised path and query. No fragment: it is never sent. */
  readonly text: string;
  readonly scheme: 'http' | 'https';
  /** Lower case, ASCII; an IPv6 address without brackets. */
  readonly host: string;
  readonly hostKind: 'name' | 'address';
  readonly port: number;
  /** Scheme, host and port, the port always written out. */
  readonly origin: string;
  /** Starts with a slash, without dot segments, percent-encoding normalised. */
  readonly path: string;
  /** Empty, or from the question mark on. */
  readonly query: string;
}

/** Why a text is not a URL that can be judged. `detail` completes the sentence "the URL cannot be used: …". */
export interface UrlTrouble {
  readonly trouble: 'length' | 'characters' | 'scheme' | 'user' | 'port' | 'host' | 'path';
  readonly detail: string;
}

export const isUrlTrouble = (reading: CanonicalUrl | UrlTrouble): reading is UrlTrouble => 'trouble' in reading;

const trouble = (kind: UrlTrouble['trouble'], detail: string): UrlTrouble => Object.freeze({ trouble: kind, detail });

// Parsers disagree on all of these. The joiners of scripts and emoji (U+200C, U+200D) may stand in paths and queries.
const UNUSABLE = /[\p{Cc}\p{Z}\\\ufeff]|(?![\u200c\u200d])\p{Cf}/u;

/**
 * Reads a URL in the one way that leaves parsers nothing to disagree about: an absolute http or https URL whose authority
 * is written as it will be used (letter case aside). No user, white space, control character, backslash, encoded or
 * non-ASCII host, trailing dot, odd port, or dot segment in disguise. Whether it may be called is policy's question.
 *
 * ATTACKER-CONTROLLED: `raw`.
 * @example
 * readUrl('https://API.example.com:443/a/../b?c#d'); // { text: 'https://api.example.com/b?c', … }
 */
export function readUrl(raw: string): CanonicalUrl | UrlTrouble {
  const found = troubleInText(raw);
  if (found !== null) return found;
  const authority = readAuthority(raw);
  if ('trouble' in authority) return authority;
  if (!URL.canParse(raw)) return trouble('host', 'it is not a URL (WHATWG URL standard)');
  const parsed = new URL(raw);
  if (parsed.hostname !== authority.hostname) return trouble('host', 'its host is not written in canonical form');
  return assemble(parsed, authority);
}

function troubleInText(raw: string): UrlTrouble | null {
  if (raw.length > MAX_URL_LENGTH) return trouble('length', `it has more than ${MAX_URL_LENGTH} characters`);
  if (!raw.isWellFormed() || UNUSABLE.test(raw)) {
    return trouble('characters', 'it has white space, a control or invisible character, or a backslash');
  }
  return null;
}

interface Authority {
  readonly scheme: 'http' | 'https';
  /** As `URL.hostname` must give it back. */
  readonly hostname: string;
  readonly host: string;
  readonly hostKind: 'name' | 'address';
  readonly port: number;
}

const SCHEME = /^(https?):\/\//i;
const HOST_AND_PORT = /^(\[[0-9a-f:.]*\]|[^:[\]]*)(?::([0-9]*))?$/;

function readAuthority(raw: string): Authority | UrlTrouble {
  const prefix = SCHEME.exec(raw);
  if (prefix === null) return trouble('scheme', 'it does not start with https:// (or http://)');
  const scheme = prefix[1]?.toLowerCase() === 'http' ? 'http' : 'https';
  const [written = ''] = raw.slice(prefix[0].length).split(/[/?#]/, 1);
  if (written.includes('@')) return trouble('user', 'it has a user name or password in front of its host');
  const match = HOST_AND_PORT.exec(asciiLowerCase(written));
  if (match === null) return trouble('host', 'its host is not written in canonical form');
  const hostname = match[1] ?? '';
  const port = readPort(match[2], scheme);
  if (port === null) return trouble('port', 'its port is not a number from 1 to 65535 without leading zeros');
  return readHost(hostname, { scheme, port });
}

/** Only A to Z: `toLowerCase` would turn the Kelvin sign and others into ASCII. */
const asciiLowerCase = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());

function readPort(digits: string | undefined, scheme: 'http' | 'https'): number | null {
  if (digits === undefined) return scheme === 'https' ? 443 : 80;
  if (!/^[1-9][0-9]{0,4}$/.test(digits)) return null;
  const port = Number(digits);
  return port <= 65_535 ? port : null;
}

function readHost(hostname: string, rest: { scheme: 'http' | 'https'; port: number }): Authority | UrlTrouble {
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  const address = classifyAddress(host);
  if (address !== null && (address.family === 6) === hostname.startsWith('[')) {
    return { ...rest, hostname, host, hostKind: 'address' };
  }
  if (!isHostName(hostname))
    return trouble('host', 'its host is not a plain name of letters, digits, hyphens and dots');
  return { ...rest, hostname, host, hostKind: 'name' };
}

const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** True for a host name in canonical form (RFC 1123 2.1, and the underscore): lower case, no trailing dot, no empty label. */
export const isHostName = (name: string): boolean =>
  name.length <= 253 && name.split('.').every((label) => LABEL.test(label));

function assemble(parsed: URL, { scheme, hostname, host, hostKind, port }: Authority): CanonicalUrl | UrlTrouble {
  const path = normaliseEncoding(parsed.pathname);
  const found = troubleInPath(path);
  if (found !== null) return trouble('path', found);
  const isOwnPort = port === (scheme === 'https' ? 443 : 80);
  const text = `${scheme}://${hostname}${isOwnPort ? '' : `:${port}`}${path}${parsed.search}`;
  const origin = `${scheme}://${hostname}:${port}`;
  return Object.freeze({ text, scheme, host, hostKind, port, origin, path, query: parsed.search });
}
