import {
  CLIENT_HEADERS,
  CONNECTION_HEADERS,
  CONNECTION_PREFIXES,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  METHOD_OVERRIDE_HEADERS,
  quoteForMessage,
  TARGET_OVERRIDE_HEADERS,
} from '../core/index.ts';
import { deny, type Finding } from './finding.ts';

/** Headers of a request that are judged; over it: denied. */
const MAX_HEADERS = 64;
/** Characters of all header names and values together. */
const MAX_HEADER_CHARACTERS = 32_768;

/**
 * Headers that a caller may not set: they belong to the connection (RFC 9110 7.6.1, RFC 9112), or they tell the server
 * that another host, path or client was meant than the one that was judged.
 */
const REFUSED: ReadonlySet<string> = new Set([...CONNECTION_HEADERS, ...CLIENT_HEADERS, ...TARGET_OVERRIDE_HEADERS]);

/** Headers that name the method which the server shall take instead. */
const METHOD_OVERRIDES: ReadonlySet<string> = new Set(METHOD_OVERRIDE_HEADERS);

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
// RFC 9110 5.5: visible ASCII, space, tab and obs-text. CR, LF and NUL would start another header or request.
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A value: a text, or a reference that the keeper resolves after the decision. */
export type HeaderValue = string | { readonly reference: string; readonly prefix: string };

/** What the headers of a request come to: the values by name in lower case, and the methods that they name. */
export interface HeaderReading {
  readonly headers: ReadonlyMap<string, HeaderValue>;
  readonly overrides: readonly string[];
}

const refuse = (name: string, why: string): Finding =>
  deny('ENDPOINT_HEADER', `the header ${quoteForMessage(name, 64)} ${why}`);

/** Underscores and hyphens are one to servers that pass headers on as variables (CGI, WSGI, Rack). */
const fold = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/**
 * Reads the headers of a request; a finding says why they are denied.
 *
 * ATTACKER-CONTROLLED: `given`.
 * @param bodyBytes length of the body that will be sent; a `Content-Length` may only say the same
 */
export function readHeaders(given: JsonObject, bodyBytes: number): HeaderReading | Finding {
  const names = Object.keys(given);
  if (names.length > MAX_HEADERS) return deny('ENDPOINT_HEADER', `a request has at most ${MAX_HEADERS} headers`);
  const headers = new Map<string, HeaderValue>();
  const seen = new Set<string>();
  const overrides: string[] = [];
  let size = 0;
  for (const name of names) {
    const value = readValue(given[name]);
    const trouble = value === null ? 'is neither a plain text nor a secret reference' : troubleInName(name);
    if (value === null || trouble !== null) return refuse(name, trouble ?? '');
    size += name.length + (typeof value === 'string' ? value.length : value.prefix.length);
    const folded = fold(name);
    if (seen.has(folded)) return refuse(name, 'is given twice');
    seen.add(folded);
    if (folded === 'content-length' && value !== String(bodyBytes)) return refuse(name, 'differs from the body');
    if (METHOD_OVERRIDES.has(folded)) overrides.push(typeof value === 'string' ? value : '');
    headers.set(name.toLowerCase(), value);
  }
  if (size > MAX_HEADER_CHARACTERS) {
    return deny('ENDPOINT_HEADER', `the headers of a request have at most ${MAX_HEADER_CHARACTERS} characters`);
  }
  return { headers, overrides };
}

function troubleInName(name: string): string | null {
  if (!TOKEN.test(name)) return 'is not a header name';
  const folded = fold(name);
  const isRefused = REFUSED.has(folded) || CONNECTION_PREFIXES.some((prefix) => folded.startsWith(prefix));
  return isRefused ? 'may not be set by a caller' : null;
}

function readValue(value: JsonValue | undefined): HeaderValue | null {
  if (typeof value === 'string') return VALUE.test(value) ? value.trim() : null;
  if (!isJsonObject(value)) return null;
  const { $secret: reference, prefix = '', ...rest } = value;
  if (typeof reference !== 'string' || typeof prefix !== 'string' || Object.keys(rest).length > 0) return null;
  return VALUE.test(prefix) && /^[\x21-\x7e]{1,512}$/.test(reference) ? Object.freeze({ reference, prefix }) : null;
}
