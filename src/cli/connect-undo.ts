import { isJsonObject, SallyportError, sha256Hex } from '../core/index.ts';
import type { ConnectRecord } from './connect-record.ts';
import { hasServers, serversIn, withEntry, withoutEntry } from './host-edit.ts';
import { ENTRY_NAME, looksLikeOurs } from './host-entry.ts';
import type { HostFile } from './host-file.ts';
import type { Host } from './host-table.ts';

/** The file without us. */
export interface Undone {
  /** `restored`: byte for byte as it was before; `removed`: our entry taken out of a file that was edited since. */
  readonly how: 'restored' | 'removed' | 'absent';
  /** Null: no file. */
  readonly text: string | null;
  readonly mode: number | null;
}

/**
 * What the file becomes without our entry. Pure.
 * @throws SallyportError CONNECT_FOREIGN when the entry was not written by `connect`, CONNECT_SYNTAX
 */
export function undoneFile(host: Host, file: HostFile, record: ConnectRecord | null): Undone {
  const { text, mode } = file;
  if (text === null) return { how: 'absent', text, mode };
  if (record !== null && sha256Hex(text) === record.after) {
    return { how: 'restored', text: record.before, mode: record.mode };
  }
  const entry = serversIn(host, text).get(ENTRY_NAME);
  if (entry === undefined) return { how: 'absent', text, mode };
  if (record === null && !looksLikeOurs(host, entry)) {
    throw new SallyportError(
      'CONNECT_FOREIGN',
      `${file.real} has an entry "${ENTRY_NAME}" that Sallyport did not write`,
    );
  }
  return { how: 'removed', text: withEarlierEntry(host, text, record), mode };
}

/** Our entry out; an entry of that name that stood there before us comes back. */
function withEarlierEntry(host: Host, text: string, record: ConnectRecord | null): string {
  const before = record?.before ?? '';
  const earlier = record === null ? undefined : serversIn(host, before).get(ENTRY_NAME);
  if (isJsonObject(earlier)) return withEntry(host, text, earlier);
  return withoutEntry(host, text, record !== null && !hasServers(host, before));
}
