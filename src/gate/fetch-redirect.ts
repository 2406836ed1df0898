import { type CanonicalUrl, isUrlTrouble, type JsonObject, readUrl } from '../core/index.ts';
import type { FetchRequest } from './fetch-types.ts';

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * What an answer asks for next: `null`, it is no redirect; a text, why it is not followed; else the next request, still to
 * be judged.
 *
 * ATTACKER-CONTROLLED: `locations`, the values of all Location headers as Node.js gives them (ISO 8859-1).
 */
export function nextRequest(
  request: FetchRequest,
  from: CanonicalUrl,
  { status, locations }: { readonly status: number; readonly locations: readonly string[] },
): FetchRequest | string | null {
  if (!REDIRECTS.has(status) || locations.length === 0) return null;
  if (locations.length > 1) return 'the answer names several locations';
  const to = readLocation(locations[0] ?? '', from);
  if (to === null) return 'the answer names a location that is not a plain URL';
  if (from.scheme === 'https' && to.scheme === 'http') return 'the answer leads from https to http';
  const method = methodAfter(status, request.method.toUpperCase());
  const keepsBody = method === request.method.toUpperCase() && from.origin === to.origin;
  const headers = to.origin === from.origin ? request.headers : onlyHarmless(request.headers);
  return {
    method,
    url: to.text,
    headers: keepsBody ? headers : withoutBodyHeaders(headers),
    body: keepsBody ? request.body : null,
  };
}

/** Fetch standard, 4.4 HTTP-redirect fetch, step 11: what changes its method on the way. */
function methodAfter(status: number, method: string): string {
  if (status === 303) return method === 'HEAD' ? method : 'GET';
  return (status === 301 || status === 302) && method === 'POST' ? 'GET' : method;
}

/** Headers that say nothing about who asks: the only ones that another origin gets. */
const HARMLESS: ReadonlySet<string> = new Set(['accept', 'accept-language', 'user-agent']);

const onlyHarmless = (headers: JsonObject): JsonObject =>
  filterHeaders(headers, (name, value) => HARMLESS.has(name) && typeof value === 'string');

const withoutBodyHeaders = (headers: JsonObject): JsonObject =>
  filterHeaders(headers, (name) => !name.startsWith('content-'));

const filterHeaders = (headers: JsonObject, keep: (name: string, value: unknown) => boolean): JsonObject =>
  Object.fromEntries(Object.entries(headers).filter(([name, value]) => keep(name.toLowerCase(), value)));

const decoder = new TextDecoder('utf-8', { fatal: true });

/** INVARIANT: every absolute form goes through the one reading of URLs; only path and query are ever resolved. */
function readLocation(latin1: string, from: CanonicalUrl): CanonicalUrl | null {
  const location = readUtf8(latin1);
  if (location === null) return null;
  const url = readUrl(absolute(location, from) ?? '');
  return isUrlTrouble(url) ? null : url;
}

function readUtf8(latin1: string): string | null {
  try {
    return decoder.decode(Buffer.from(latin1, 'latin1'));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return null;
  }
}

function absolute(location: string, from: CanonicalUrl): string | null {
  if (/^[a-z][a-z0-9+.-]*:/i.test(location)) return location;
  if (location.startsWith('//')) return `${from.scheme}:${location}`;
  if (/[\\\p{Cc}\p{Z}]/u.test(location)) return null;
  const root = from.text.slice(0, from.text.indexOf('/', from.scheme.length + 3));
  if (location.startsWith('/')) return `${root}${location}`;
  // A relative reference with a slash-less start cannot change the authority; the URL standard joins it.
  return URL.canParse(location, from.text) ? new URL(location, from.text).href : null;
}
