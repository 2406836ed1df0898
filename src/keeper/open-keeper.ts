import { userInfo } from 'node:os';
import { AuditLog, type LogRecord, readPayloads, recoveryDrafts } from '../audit/index.ts';
import { type Clock, isJsonObject, systemClock } from '../core/index.ts';
import { EmbeddedKeeper, sameCall } from './embedded-keeper.ts';
import { takeOwnership } from './owner.ts';
import { openStateFolder } from './state-folder.ts';
import { TokenFolder } from './token-folder.ts';

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
    const uncertain = await recover(state, log);
    return new EmbeddedKeeper({ state, log, ownership, clock, uncertain, tokens: new TokenFolder(state) });
  } catch (error) {
    ownership.release();
    throw error;
  }
}

/** The user that runs this process, as principals name it. */
export const localUser = (): string => userInfo().username;

/** Writes what is due after a crash, and returns the calls of which nobody knows how they ended. */
async function recover(state: string, log: AuditLog): Promise<ReadonlySet<string>> {
  const calls = await Promise.all(log.recovered.openAdmissions.map((admitted) => callOf(state, admitted)));
  for (const draft of recoveryDrafts(log.recovered)) log.append(draft);
  await log.flush();
  return new Set(calls.filter((call) => call !== null));
}

/** The call behind an admission, if its arguments are still there (they may have been erased). */
async function callOf(state: string, admitted: LogRecord): Promise<string | null> {
  if (admitted.intentSeq === undefined || admitted.tool === undefined) return null;
  const payloads = await readPayloads(state, admitted.intentSeq);
  const args = payloads['arguments'];
  const user = admitted.principal?.['user'];
  const agent = admitted.principal?.['agent'];
  if (!isJsonObject(args) || typeof user !== 'string' || typeof agent !== 'string') return null;
  return sameCall({ principal: { user, agent }, tool: admitted.tool, arguments: args });
}
