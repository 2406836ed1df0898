import { isDeepStrictEqual } from 'node:util';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import { ENTRY_NAME } from './host-entry.ts';
import { addToJson, readJson, removeFromJson } from './host-json.ts';
import type { Host } from './host-table.ts';
import { addToToml, readToml, removeFromToml } from './host-toml.ts';

const MARK = '\uFEFF';

/** The servers that a file names, by name. @throws SallyportError CONNECT_SYNTAX */
export function serversIn(host: Host, text: string): ReadonlyMap<string, JsonValue> {
  const servers = readText(host, text)[host.servers];
  if (servers === undefined) return new Map();
  if (!isJsonObject(servers)) throw new SallyportError('CONNECT_SYNTAX', `${host.servers} is not an object`);
  return new Map(Object.entries(servers));
}

/** Whether the file has the object of servers, be it empty. */
export const hasServers = (host: Host, text: string): boolean => readText(host, text)[host.servers] !== undefined;

/** The text with our entry as given, added or replaced. @throws SallyportError CONNECT_SYNTAX, CONNECT_FOREIGN */
export function withEntry(host: Host, text: string, entry: JsonObject): string {
  const cleared = withoutEntry(host, text);
  const path = [host.servers, ENTRY_NAME] as const;
  const add = (body: string): string =>
    host.format === 'toml' ? addToToml(body, path, entry) : addToJson(body, host.format, path, entry);
  const edited = pastMark(cleared, add);
  const servers = { ...Object.fromEntries(serversIn(host, cleared)), [ENTRY_NAME]: entry };
  return proven(host, edited, { ...readText(host, cleared), [host.servers]: servers });
}

/** The text without our entry. @param wholly also without the object of servers, if nothing else is in it */
export function withoutEntry(host: Host, text: string, wholly = false): string {
  const servers = Object.fromEntries(serversIn(host, text));
  if (!Object.hasOwn(servers, ENTRY_NAME)) return text;
  const name = wholly && Object.keys(servers).length === 1 ? null : ENTRY_NAME;
  const remove = (body: string): string =>
    host.format === 'toml'
      ? removeFromToml(body, [host.servers, ENTRY_NAME])
      : removeFromJson(body, host.format, host.servers, name);
  const edited = pastMark(text, remove);
  const { [ENTRY_NAME]: _ours, ...others } = servers;
  const { [host.servers]: _all, ...rest } = readText(host, text);
  // In TOML the object of servers is there only as long as something is in it, or its own header stands there.
  const gone =
    name === null || (host.format === 'toml' && !hasServers(host, edited) && Object.keys(others).length === 0);
  return proven(host, edited, gone ? rest : { ...rest, [host.servers]: others });
}

/** INVARIANT: an edit changes our entry and nothing else; what was written is read again to prove it. */
function proven(host: Host, edited: string, expected: Readonly<Record<string, unknown>>): string {
  if (isDeepStrictEqual(readText(host, edited), expected)) return edited;
  throw new SallyportError('CONNECT_SYNTAX', 'the file cannot be edited without changing something else in it');
}

const readText = (host: Host, text: string): Readonly<Record<string, unknown>> => {
  const body = text.startsWith(MARK) ? text.slice(1) : text;
  return host.format === 'toml' ? readToml(body) : readJson(body, host.format);
};

/** A byte order mark at the start stays where it is. */
const pastMark = (text: string, edit: (body: string) => string): string =>
  text.startsWith(MARK) ? MARK + edit(text.slice(1)) : edit(text);
