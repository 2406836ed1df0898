import {
  CLIENT_HEADERS,
  CONNECTION_HEADERS,
  CONNECTION_PREFIXES,
  CREDENTIAL_HEADERS,
  METHOD_OVERRIDE_HEADERS,
  TARGET_OVERRIDE_HEADERS,
} from '../core/index.ts';

/** A header as it stands on the wire. */
export type Header = readonly [name: string, value: string];

/** The headers of a message of `node:http`, each by itself, in the order of the wire. */
export const headersOf = (rawHeaders: readonly string[]): Header[] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, at) => [rawHeaders[at * 2] ?? '', rawHeaders[at * 2 + 1] ?? '']);

/** Underscores and hyphens are one to servers that pass headers on as variables (CGI, WSGI, Rack). */
const fold = (name: string): string => name.toLowerCase().replaceAll('_', '-');

/** The values of a header. */
export const valuesOf = (headers: readonly Header[], name: string): string[] =>
  headers.filter(([written]) => fold(written) === name).map(([, value]) => value);

/** Headers of one connection, those that we write ourselves, and traces of who is behind the proxy. */
const OWN: ReadonlySet<string> = new Set([
  ...CONNECTION_HEADERS,
  ...CLIENT_HEADERS,
  ...['content-length', 'alt-svc', 'alt-used'],
]);

/** Headers that tell a server to take another method, host or path than the one that was judged. */
const MISLEADING: ReadonlySet<string> = new Set([...TARGET_OVERRIDE_HEADERS, ...METHOD_OVERRIDE_HEADERS]);

const COOKIES: ReadonlySet<string> = new Set(['cookie', 'cookie2']);

const isOwn = (name: string): boolean => OWN.has(name) || CONNECTION_PREFIXES.some((prefix) => name.startsWith(prefix));

/** A header that would make the server do something else than what was judged; null if there is none. */
export const misleadingHeader = (headers: readonly Header[]): string | null =>
  headers.map(([name]) => fold(name)).find((name) => MISLEADING.has(name)) ?? null;

/** Names that `Connection` says belong to this connection only. */
const namedByConnection = (headers: readonly Header[]): ReadonlySet<string> =>
  new Set(
    valuesOf(headers, 'connection')
      .flatMap((value) => value.split(','))
      .map((name) => fold(name.trim())),
  );

/** The headers that go on: without those of the connection, and without credentials unless they are admitted. */
export function passedHeaders(headers: readonly Header[], admitCredentials: boolean): Header[] {
  const named = namedByConnection(headers);
  const isCredential = (name: string): boolean => CREDENTIAL_HEADERS.has(name) || COOKIES.has(name);
  return headers.filter(([written]) => {
    const name = fold(written);
    return !isOwn(name) && !named.has(name) && (admitCredentials || !isCredential(name));
  });
}

/** The headers of an answer that go back. */
export const answeredHeaders = (headers: readonly Header[]): Header[] => passedHeaders(headers, true);
