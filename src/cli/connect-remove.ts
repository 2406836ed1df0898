import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defaultStateFolder, openStateFolder, TokenFolder } from '../keeper/index.ts';
import { changedLines } from './connect-diff.ts';
import { fileOf } from './connect-plan.ts';
import { type ConnectRecord, findRecord, keepRecord, settleRecords } from './connect-record.ts';
import { type Undone, undoneFile } from './connect-undo.ts';
import { serversIn } from './host-edit.ts';
import { ENTRY_NAME } from './host-entry.ts';
import { type HostFile, removeHostFile, replaceHostFile } from './host-file.ts';
import { hostNamed } from './host-place.ts';
import type { Host } from './host-table.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

export interface DisconnectFlags extends CommonFlags {
  readonly project?: boolean;
  readonly dryRun?: boolean;
}

const SAID: Readonly<Record<Undone['how'], string>> = {
  restored: 'as it was before',
  removed: 'without the entry; it was edited since, and nothing else was changed',
  absent: 'nothing to undo',
};

/** `disconnect HOST`: brings the file back, or takes our entry out of it. @throws SallyportError CONNECT_* */
export function disconnect(terminal: Terminal, name: string, flags: DisconnectFlags): number {
  const host = hostNamed(name);
  const file = fileOf(host, flags);
  const wanted = resolve(flags.state ?? defaultStateFolder());
  const state = existsSync(wanted) ? openStateFolder(wanted, []) : null;
  const record = state === null ? null : findRecord(state, host, file.real);
  const undone = undoneFile(host, file, record);
  if (flags.dryRun !== true) carryOut({ host, file, state, record, undone });
  report(terminal, { host, file, undone, flags });
  return 0;
}

interface Undoing {
  readonly host: Host;
  readonly file: HostFile;
  readonly state: string | null;
  readonly record: ConnectRecord | null;
  readonly undone: Undone;
}

function carryOut({ host, file, state, record, undone }: Undoing): void {
  if (state !== null && record === null && undone.how === 'removed') {
    // The entry is known by its shape only: a person may have written it, so a copy is kept.
    const { text: before, mode } = file;
    keepRecord(state, host, { file, before, mode, after: undone.text ?? '', token: null, now: new Date() });
  }
  if (undone.how !== 'absent') {
    if (undone.text === null) removeHostFile(file);
    else replaceHostFile(file, undone.text, undone.mode ?? 0o600);
  }
  if (state === null) return;
  // The token is good for nothing any more, also where the person took the entry out by hand.
  if (record?.token != null) new TokenFolder(state).revoke(record.token);
  settleRecords(state, host, file.real);
}

function report(
  terminal: Terminal,
  { host, file, undone, flags }: { host: Host; file: HostFile; undone: Undone; flags: DisconnectFlags },
): void {
  const dryRun = flags.dryRun === true;
  const changes = undone.how !== 'absent';
  const diff = dryRun && changes ? changedLines(file.text ?? '', undone.text ?? '') : null;
  const facts = {
    host: host.name,
    file: file.path,
    real: file.real,
    how: undone.how,
    changed: changes && !dryRun,
    dryRun,
    diff,
  };
  const what = !changes
    ? `${host.title} is not connected`
    : `${dryRun ? 'Would disconnect' : 'Disconnected'} ${host.title}`;
  const earlier = changes && undone.text !== null && serversIn(host, undone.text).has(ENTRY_NAME);
  const said = changes && undone.text === null ? 'removed, as it was not there before' : SAID[undone.how];
  answer(terminal, facts, safeLines([`${what}: ${file.real}: ${said}`, ...(diff === null ? [] : [diff])].join('\n')));
  if (earlier)
    terminal.err(
      `The entry "${ENTRY_NAME}" that stood there before connect is back; remove it by hand if you want it gone.`,
    );
}
