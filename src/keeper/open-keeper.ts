import { mkdirSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { AuditLog, readPayloads, readRecords, recoveryDrafts } from '../audit/index.ts';
import { type Clock, isJsonObject, systemClock } from '../core/index.ts';
import { EmbeddedKeeper, sameCall } from './embedded-keeper.ts';
import { Journal } from './journal.ts';
import { takeOwnership } from './owner.ts';
import { openStateFolder } from './state-folder.ts';
import { TokenFolder } from './token-folder.ts';
import { type UnknownCall, UnknownCalls } from './unknown-calls.ts';

export interface KeeperOptions {
  /** The state folder; made (0700) if it is missing. */
  readonly state: string;
  /** Absolute folders that tools can reach: the state folder may lie neither in nor around one of them. */
  readonly reachable: readonly string[];
  readonly clock?: Clock;
}

/**
 * Opens the keeper inside this process: takes the state folder, repairs what a crash left, and gives every admission without
 * outcome its record `outcome: unknown`.
 *
 * @throws SallyportError STATE_OWNED, STATE_EXPOSED, STATE_UNWRITABLE, STATE_PERMISSIONS, AUDIT_CORRUPT, AUDIT_ROLLBACK
 */
export async function openKeeper(options: KeeperOptions): Promise<EmbeddedKeeper> {
  const clock = options.clock ?? systemClock;
  const state = openStateFolder(options.state, options.reachable);
  const ownership = takeOwnership(state);
  try {
    const log = await AuditLog.open({ directory: state, clock, writer: `keeper:${process.pid}` });
    const unknown = new UnknownCalls(state);
    const uncertain = await recover(state, log, unknown);
    const journal = await openJournal(state);
    const tokens = new TokenFolder(state);
    return new EmbeddedKeeper({ state, log, ownership, clock, journal, unknown, uncertain, tokens });
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/** `keeper/` of the state folder: what belongs to the keeper alone. */
async function openJournal(state: string): Promise<Journal> {
  const folder = join(state, 'keeper');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return Journal.open(join(folder, 'journal'));
}

/** The user that runs this process, as principals name it. */
export const localUser = (): string => userInfo().username;

/**
 * Writes what is due after a crash, and returns the calls of which nobody knows how they ended: those of this crash, and
 * those of before that no person has taken off the list.
 */
async function recover(state: string, log: AuditLog, unknown: UnknownCalls): Promise<ReadonlySet<string>> {
  const open = log.recovered.openAdmissions.map(({ seq, intentSeq }) => ({
    admittedSeq: seq,
    intentSeq: intentSeq ?? -1,
  }));
  // Before the log says that it recovered: a crash in between finds them again.
  unknown.add(open);
  for (const draft of recoveryDrafts(log.recovered)) log.append(draft);
  await log.flush();
  const calls = await Promise.all(unknown.list().map((call) => callOf(state, call)));
  return new Set(calls.filter((call) => call !== null));
}

/** The call behind two records, if its arguments are still there (they may have been erased). */
async function callOf(state: string, { intentSeq }: UnknownCall): Promise<string | null> {
  for await (const { record } of readRecords(state, { from: intentSeq, to: intentSeq + 1 })) {
    const { tool, principal } = record;
    const { arguments: args } = await readPayloads(state, intentSeq);
    const [user, agent] = [principal?.['user'], principal?.['agent']];
    if (tool === undefined || typeof user !== 'string' || typeof agent !== 'string' || !isJsonObject(args)) return null;
    return sameCall({ principal: { user, agent }, tool, arguments: args });
  }
  return null;
}
