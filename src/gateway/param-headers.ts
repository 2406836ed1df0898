import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';

/** An argument that is repeated in a header (MCP 2026-07-28, custom headers from tool parameters, SEP-2243). */
export interface ParamHeader {
  /** `Mcp-Param-NAME`. */
  readonly header: string;
  readonly path: readonly string[];
}

const KEY = 'x-mcp-header';
const PREFIX = 'Mcp-Param-';
/** A token of RFC 9110, section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,64}$/;
const TYPES: ReadonlySet<unknown> = new Set(['string', 'integer', 'number', 'boolean']);
const MAX_DEPTH = 16;

/** The arguments of a tool that are repeated in headers. ATTACKER-CONTROLLED: the schema, until it was approved. */
export function paramHeaders(schema: JsonObject): readonly ParamHeader[] {
  const found = new Map<string, ParamHeader>();
  collect(schema, [], found);
  return [...found.values()];
}

function collect(schema: JsonObject, path: readonly string[], found: Map<string, ParamHeader>): void {
  const { properties } = schema;
  if (!isJsonObject(properties) || path.length >= MAX_DEPTH) return;
  for (const [name, property] of Object.entries(properties)) {
    if (!isJsonObject(property)) continue;
    const header = property[KEY];
    const at = [...path, name];
    if (typeof header === 'string' && TOKEN.test(header) && TYPES.has(property['type'])) {
      found.set(header.toLowerCase(), { header: PREFIX + header, path: at });
    }
    collect(property, at, found);
  }
}

/** The headers that a call with these arguments has to carry. */
export function headersFor(headers: readonly ParamHeader[], args: JsonObject): Record<string, string> {
  const entries = headers.flatMap(({ header, path }) => {
    const text = textOf(valueAt(args, path));
    return text === null ? [] : [[header, encode(text)] as const];
  });
  return Object.fromEntries(entries);
}

/**
 * The header that does not say what the body says; null when all do. ATTACKER-CONTROLLED: both. `headerValue`: the one value of a
 * header, undefined when it is absent or there are several.
 */
export function disagreeing(
  headers: readonly ParamHeader[],
  args: JsonObject,
  headerValue: (header: string) => string | undefined,
): string | null {
  for (const { header, path } of headers) {
    const value = valueAt(args, path);
    const wanted = textOf(value);
    if (wanted === null) continue;
    const given = headerValue(header);
    const said = given === undefined ? null : decode(given);
    if (said === null || !isSame(said, wanted, value)) return header;
  }
  return null;
}

/** Numbers are compared as numbers: `42.0` is 42. */
const isSame = (said: string, wanted: string, value: JsonValue | undefined): boolean =>
  said === wanted || (typeof value === 'number' && /^-?[0-9]+(\.[0-9]+)?$/.test(said) && Number(said) === value);

function valueAt(args: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args;
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}

function textOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

const isPlain = (text: string): boolean => /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !isWrapped(text);
const isWrapped = (text: string): boolean => text.startsWith('=?base64?') && text.endsWith('?=');

const encode = (text: string): string =>
  isPlain(text) ? text : `=?base64?${Buffer.from(text.toWellFormed()).toString('base64')}?=`;

/** Null for a wrapping that holds no base64 (RFC 4648, section 4, with padding) of UTF-8. */
function decode(text: string): string | null {
  if (!isWrapped(text)) return text;
  const inner = text.slice('=?base64?'.length, -'?='.length);
  const bytes = Buffer.from(inner, 'base64');
  if (bytes.toString('base64') !== inner) return null;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null; // not UTF-8
  }
}
