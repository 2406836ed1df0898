import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonValue, parseStrictJson, SallyportError, sha256Hex } from '../core/index.ts';
import type { HostFile } from './host-file.ts';
import type { Host } from './host-table.ts';

/** What is known of one connection, kept in the state folder beside a copy of the file as it was before. */
export interface ConnectRecord {
  /** Absolute path of the folder of this backup. */
  readonly folder: string;
  /** Real path of the file that was edited. */
  readonly file: string;
  /** The file before; null when it was not there. */
  readonly before: string | null;
  readonly mode: number | null;
  /** SHA-256 of the file as it was written. */
  readonly after: string;
  /** Name of the token that was made for the host; null for none. */
  readonly token: string | null;
}

const RECORD = 'record.json';
const BEFORE = 'before';
const MAX_RECORD_BYTES = 64 * 1024;

const folderOf = (state: string, host: Host): string => join(state, 'connect', host.name);

/** Keeps the file as it is now, and what it is about to become. 0600, in the state folder. @throws SallyportError STATE_UNWRITABLE */
export function keepRecord(
  state: string,
  host: Host,
  wanted: {
    file: HostFile;
    before: string | null;
    mode: number | null;
    after: string;
    token: string | null;
    now: Date;
  },
): ConnectRecord {
  const { file, before, mode, token } = wanted;
  const after = sha256Hex(wanted.after);
  try {
    mkdirSync(folderOf(state, host), { recursive: true, mode: 0o700 });
    const folder = freshFolder(join(folderOf(state, host), wanted.now.toISOString().replaceAll(':', '-')));
    const options = { flag: 'wx', mode: 0o600, flush: true } as const;
    if (before !== null) writeFileSync(join(folder, BEFORE), before, options);
    const record = { version: 1, file: file.real, existed: before !== null, mode, after, token };
    writeFileSync(join(folder, RECORD), JSON.stringify(record), options);
    return { folder, file: file.real, before, mode, after, token };
  } catch (cause) {
    throw new SallyportError('STATE_UNWRITABLE', `cannot keep a backup in ${folderOf(state, host)}`, { cause });
  }
}

/** Forgets a connection that did not come about. */
export const dropRecord = ({ folder }: ConnectRecord): void => rmSync(folder, { recursive: true, force: true });

/** Two in the same millisecond get a number each; names sort by time. */
function freshFolder(wanted: string): string {
  for (let at = 0; at < 100; at++) {
    const folder = `${wanted}-${String(at).padStart(2, '0')}`;
    if (existsSync(folder)) continue;
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }
  throw new SallyportError('STATE_UNWRITABLE', `too many backups at ${wanted}`);
}

/** The newest connection of this file that was not undone, or null. @throws SallyportError STATE_UNWRITABLE for a damaged one */
export function findRecord(state: string, host: Host, file: string): ConnectRecord | null {
  const folder = folderOf(state, host);
  if (!existsSync(folder)) return null;
  const names = readdirSync(folder).sort().reverse();
  for (const name of names) {
    const path = join(folder, name);
    if (!existsSync(join(path, RECORD))) continue;
    const record = readRecord(path);
    if (record.file === file) return record;
  }
  return null;
}

/** Marks connections of a file as undone; their copies stay. */
export function settleRecords(state: string, host: Host, file: string): void {
  for (let record = findRecord(state, host, file); record !== null; record = findRecord(state, host, file)) {
    renameSync(join(record.folder, RECORD), join(record.folder, 'undone.json'));
  }
}

function readRecord(folder: string): ConnectRecord {
  const path = join(folder, RECORD);
  const value = parseStrictJson(readFileSync(path, 'utf8'), { maxBytes: MAX_RECORD_BYTES, maxDepth: 2 });
  const text = (one: JsonValue | undefined): one is string => typeof one === 'string';
  if (isJsonObject(value) && value['version'] === 1) {
    const { file, existed, mode, after, token } = value;
    if (text(file) && text(after) && typeof existed === 'boolean' && (mode === null || typeof mode === 'number')) {
      const before = existed ? readFileSync(join(folder, BEFORE), 'utf8') : null;
      return { folder, file, before, mode, after, token: text(token) ? token : null };
    }
  }
  throw new SallyportError('STATE_UNWRITABLE', `${path} is not a record of a connection; move its folder away`);
}
