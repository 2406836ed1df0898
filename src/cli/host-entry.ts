import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Host } from './host-table.ts';

/** The name under which the gateway stands among the servers of a host. */
export const ENTRY_NAME = 'sallyport';

/** The environment variable that a host reads the token from where it must not stand in the file. */
export const TOKEN_VARIABLE = 'SALLYPORT_TOKEN';

/** What the host starts: absolute paths only, so that neither a folder nor `PATH` decides what runs. */
export interface StdioTarget {
  readonly node: string;
  readonly program: string;
  readonly policy: string;
  readonly state: string;
}

/** The entry for a host that starts the gateway itself and speaks over standard input and output. */
export const stdioEntry = (host: Host, { node, program, policy, state }: StdioTarget): JsonObject => ({
  ...(host.stdioType ? { type: 'stdio' } : {}),
  command: node,
  args: [program, 'mcp', '--agent', host.name, '--policy', policy, '--state', state],
});

/** The entry for a gateway that runs already. @param token null: the host reads `SALLYPORT_TOKEN` itself */
export function httpEntry(host: Host, address: string, token: string | null): JsonObject {
  const form = host.http;
  if (form === null) throw new SallyportError('CONNECT_TOKEN', `the file of ${host.title} cannot name an address`);
  const base = { ...(form.type === null ? {} : { type: form.type }), [form.address]: address };
  if (token !== null) return { ...base, [form.headers]: { Authorization: `Bearer ${token}` } };
  if (form.variable === null) {
    throw new SallyportError('CONNECT_TOKEN', `${host.title} reads no token from the environment`);
  }
  if ('key' in form.variable) return { ...base, [form.variable.key]: TOKEN_VARIABLE };
  return {
    ...base,
    [form.headers]: { Authorization: `Bearer ${form.variable.before}${TOKEN_VARIABLE}${form.variable.after}` },
  };
}

/** The token that stands in an entry, or null. */
export function tokenIn(entry: JsonValue | undefined): string | null {
  if (!isJsonObject(entry)) return null;
  const headers = entry['headers'] ?? entry['http_headers'];
  const value = isJsonObject(headers) ? headers['Authorization'] : undefined;
  return typeof value === 'string' ? (/^Bearer (sp_[A-Za-z0-9_-]{43})$/.exec(value)?.[1] ?? null) : null;
}

/** True for an entry of the shape that `connect` writes for this host, whatever its paths, address and token are. */
export function looksLikeOurs(host: Host, entry: JsonValue | undefined): boolean {
  if (!isJsonObject(entry)) return false;
  const words = entry['args'];
  if (Array.isArray(words)) {
    const [program, ...rest] = words;
    const shape = rest.slice(0, 4).join(' ') === `mcp --agent ${host.name} --policy` && rest[5] === '--state';
    return shape && rest.length === 7 && typeof program === 'string' && /[\\/]main\.js$/.test(program);
  }
  return tokenIn(entry) !== null || JSON.stringify(entry).includes(TOKEN_VARIABLE);
}

/** The text with every token of ours left out: what may be shown. */
export const withoutTokens = (text: string): string => text.replace(/sp_[A-Za-z0-9_-]{43}/g, 'sp_…');
