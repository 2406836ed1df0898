import { parse } from 'smol-toml';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';

/** The value of a TOML text (TOML 1.0).  @throws SallyportError CONNECT_SYNTAX */
export function readToml(text: string): Readonly<Record<string, unknown>> {
  try {
    return plainObject(parse(text.replaceAll('\r\n', '\n')));
  } catch (cause) {
    throw new SallyportError('CONNECT_SYNTAX', 'the file cannot be edited: it is not TOML', { cause });
  }
}

/** The parser's objects have no prototype; to be compared they become ordinary ones, without running a setter. */
const plainObject = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  return isJsonObject(value) && !(value instanceof Date) ? plainObject(value) : value;
}

/**
 * The text with a table of ours at its end; everything else stays byte for byte. No library without native code edits TOML
 * and keeps comments, and comments around the table would be of no use: Codex drops them when it writes the file.
 */
export function addToToml(text: string, [container, name]: readonly [string, string], value: JsonObject): string {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = [`[${container}.${name}]`, ...Object.entries(value).map(([key, one]) => `${key} = ${print(one)}`)];
  const gap = text === '' ? '' : text.endsWith('\n') ? newline : newline + newline;
  return `${text}${gap}${lines.join(newline)}${newline}`;
}

/**
 * The text without the tables `container.name` and below it. Comments behind the last key of a table stay: they are about
 * what follows. A line within a string or a list can look like a header: whoever calls reads the result to prove it.
 */
export function removeFromToml(text: string, path: readonly [string, string]): string {
  const lines = text.split('\n');
  const gone = new Set<number>();
  let ours = false;
  let from = 0;
  for (const [at, line] of lines.entries()) {
    const opened = headerOf(line);
    if (opened !== null) {
      ours = isBelow(opened, path);
      from = at > 0 && lines[at - 1]?.trim() === '' ? at - 1 : at;
    }
    if (!ours || !/^[ \t]*[^\s#]/.test(line)) continue;
    for (; from <= at; from++) gone.add(from);
  }
  return lines.filter((_, at) => !gone.has(at)).join('\n');
}

/** The table that a line opens, as nested objects; null for any other line. */
function headerOf(line: string): unknown {
  if (!/^[ \t]*\[/.test(line)) return null;
  try {
    return parse(line.trim());
  } catch {
    return null; // a line of a list that goes over several lines
  }
}

function isBelow(header: unknown, [container, name]: readonly [string, string]): boolean {
  const servers = isJsonObject(header) ? header[container] : undefined;
  return isJsonObject(servers) && Object.hasOwn(servers, name);
}

/** Strings of JSON are basic strings of TOML, but for DEL, which TOML wants escaped. */
function print(value: JsonValue): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('\u007f', '\\u007f');
  if (Array.isArray(value)) return `[${value.map(print).join(', ')}]`;
  if (!isJsonObject(value)) return String(value);
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)} = ${print(one)}`)
    .join(', ')} }`;
}
