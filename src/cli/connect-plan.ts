import { realpathSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import { findRecord } from './connect-record.ts';
import { type ConnectTarget, surroundings } from './connect-target.ts';
import { addressOf, tokenFor } from './connect-token.ts';
import { type Undone, undoneFile } from './connect-undo.ts';
import { serversIn, withEntry } from './host-edit.ts';
import { ENTRY_NAME, httpEntry, stdioEntry, tokenIn } from './host-entry.ts';
import { type HostFile, readHostFile } from './host-file.ts';
import { projectPlace, userPlace } from './host-place.ts';
import type { Host } from './host-table.ts';
import type { CommonFlags } from './settings.ts';

export interface ConnectFlags extends CommonFlags {
  /** True for the usual address. */
  readonly http?: string | true;
  readonly project?: boolean;
  readonly dryRun?: boolean;
  readonly alsoWrap?: boolean;
  readonly list?: boolean;
}

/** What `connect` will write. */
export interface ConnectPlan {
  readonly host: Host;
  readonly file: HostFile;
  readonly target: ConnectTarget;
  /** The file without us: what the backup keeps and `disconnect` brings back. */
  readonly base: Undone;
  readonly after: string;
  readonly mode: number;
  /** False when the file says this already. */
  readonly changes: boolean;
  /** Name of the token that the file holds; null for none. */
  readonly token: string | null;
  /** Name of a token that the file held and will not hold any more. */
  readonly spentToken: string | null;
  /** Servers that the host reaches around the gate. */
  readonly others: readonly string[];
  /** Takes back what was made for a plan that is not carried out. */
  undo(): void;
}

/** The file of a host, of the user or of the project that lies here. @throws SallyportError CONNECT_HOST, CONNECT_FILE */
export function fileOf(host: Host, flags: { readonly project?: boolean }): HostFile {
  if (flags.project !== true) return readHostFile(userPlace(host, surroundings()), null);
  const here = realpathSync(process.cwd());
  return readHostFile(projectPlace(host, here), here);
}

/** Works out what would be written; a token is made if one is needed, and nothing else. */
export function planConnect(host: Host, target: ConnectTarget, flags: ConnectFlags): ConnectPlan {
  const file = fileOf(host, flags);
  const servers = serversIn(host, file.text ?? '');
  const present = servers.get(ENTRY_NAME);
  const { entry, undo } = entryFor({ host, file, present, target, flags });
  try {
    const record = findRecord(target.state, host, file.real);
    const token = tokenIn(entry) === null ? null : host.name;
    const said = file.text !== null && isDeepStrictEqual(present, entry);
    const changes = !said || (token !== null && file.mode !== 0o600 && process.platform !== 'win32');
    // An entry of our name that no record knows was written by hand, perhaps: it is replaced, and `disconnect` brings it back.
    const base = record === null ? asItIs(file) : undoneFile(host, file, record);
    const after = said ? (file.text ?? '') : withEntry(host, base.text ?? '', entry);
    const others = [...servers.keys()].filter((name) => name !== ENTRY_NAME);
    const spentToken = token === null ? (record?.token ?? null) : null;
    return {
      host,
      file,
      target,
      base,
      after,
      mode: modeFor(base.mode, token, flags),
      changes,
      token,
      spentToken,
      others,
      undo,
    };
  } catch (error) {
    undo();
    throw error;
  }
}

const asItIs = ({ text, mode }: HostFile): Undone => ({ how: 'absent', text, mode });

/** A file with a token is for its owner only; another one keeps its mode, and a new one of a user is private. */
function modeFor(mode: number | null, token: string | null, flags: ConnectFlags): number {
  if (token !== null) return 0o600;
  return mode ?? (flags.project === true ? 0o644 : 0o600);
}

interface EntryQuestion {
  readonly host: Host;
  readonly file: HostFile;
  readonly present: JsonValue | undefined;
  readonly target: ConnectTarget;
  readonly flags: ConnectFlags;
}

function entryFor({ host, file, present, target, flags }: EntryQuestion): { entry: JsonObject; undo: () => void } {
  const nothing = (): void => undefined;
  if (flags.http === undefined) return { entry: stdioEntry(host, target), undo: nothing };
  const address = addressOf(flags.http);
  if (host.http === null) {
    throw new SallyportError('CONNECT_TOKEN', `the file of ${host.title} cannot name an address and a token`);
  }
  if (flags.project === true) {
    if (host.http.variable !== null) return { entry: httpEntry(host, address, null), undo: nothing };
    const why = `${host.title} reads no token from the environment, and a token must not stand in a project`;
    throw new SallyportError('CONNECT_TOKEN', why);
  }
  const { token, revoke } = tokenFor({ host, file, entry: present, target, dryRun: flags.dryRun === true });
  return { entry: httpEntry(host, address, token), undo: revoke };
}
