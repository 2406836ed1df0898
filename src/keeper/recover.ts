import { type AuditLog, type LogRecord, readRecordsAt, recoveryDrafts } from '../audit/index.ts';
import { isJsonObject } from '../core/index.ts';
import { type Orphan, sameCall } from './calls.ts';
import type { PeerFolder } from './peer-folder.ts';
import { digestOf, type UnknownCalls } from './unknown-calls.ts';

/** Characters of arguments that are read again to know a call when it comes back. What is beyond them counts as a whole. */
const MAX_READ = 33_554_432;
/** Records that are given to the log before it is waited for. */
const STEP = 1_024;

interface Recovery {
  readonly state: string;
  readonly log: AuditLog;
  readonly unknown: UnknownCalls;
  readonly peers: PeerFolder;
}

export interface Recovered {
  /** Calls whose process may still say how they ended. */
  readonly orphans: readonly Orphan[];
  /** The calls of which nobody knows how they ended, as `sameCall` writes them. */
  readonly uncertain: ReadonlySet<string>;
  /** Digests of the principals of which some call was not read again: each of theirs counts as uncertain. */
  readonly covered: ReadonlySet<string>;
}

/**
 * Writes what is due after a crash. Returns the calls of which nobody knows how they ended, those of this crash and those of
 * before that no person has taken off the list; and those whose process may still say so.
 */
export async function recover({ state, log, unknown, peers }: Recovery): Promise<Recovered> {
  const { openAdmissions } = log.recovered;
  const waiting = whoMayReturn(openAdmissions, peers);
  const isWaiting = ({ seq }: LogRecord): boolean => waiting.has(seq);
  // Before the log says that it recovered: a crash in between finds them again.
  const lost = openAdmissions.filter((admitted) => !isWaiting(admitted));
  unknown.add(lost.map(({ seq, intentSeq = -1, principal }) => ({ admittedSeq: seq, intentSeq, principal })));
  for (const [at, draft] of recoveryDrafts(log.recovered, isWaiting).entries()) {
    log.append(draft);
    if (at % STEP === STEP - 1) await log.flush();
  }
  await log.flush();
  const listed = unknown.list().map(({ intentSeq }) => intentSeq);
  const { calls, covered } = await readCalls(state, [
    ...listed,
    ...[...waiting.values()].map(({ intentSeq }) => intentSeq),
  ]);
  return {
    orphans: [...waiting.values()].map(({ intentSeq, ...orphan }) => ({
      ...orphan,
      same: calls.get(intentSeq) ?? null,
    })),
    uncertain: new Set(listed.flatMap((intentSeq) => calls.get(intentSeq) ?? [])),
    covered,
  };
}

type Waiting = Omit<Orphan, 'same'> & { readonly intentSeq: number };

/** By number of the admission. */
function whoMayReturn(openAdmissions: readonly LogRecord[], peers: PeerFolder): Map<number, Waiting> {
  const known = new Map<string, boolean>();
  const waiting = new Map<number, Waiting>();
  for (const admitted of openAdmissions) {
    const { peer, call } = admitted.detail ?? {};
    if (typeof peer !== 'string' || typeof call !== 'string') continue;
    const mayReturn = known.get(peer) ?? peers.mayReturn(peer);
    known.set(peer, mayReturn);
    if (mayReturn) waiting.set(admitted.seq, { admitted, peer, callHash: call, intentSeq: admitted.intentSeq ?? -1 });
  }
  return waiting;
}

/** The calls behind intents, by number, in one pass. INVARIANT: what is kept of each is a digest, not its arguments. */
async function readCalls(
  state: string,
  intents: readonly number[],
): Promise<{ calls: ReadonlyMap<number, string>; covered: ReadonlySet<string> }> {
  const calls = new Map<number, string>();
  const covered = new Set<string>();
  let read = 0;
  for await (const found of readRecordsAt(state, intents)) {
    const [user, agent] = [found.record.principal?.['user'], found.record.principal?.['agent']];
    if (typeof user !== 'string' || typeof agent !== 'string') continue;
    if (read > MAX_READ) {
      covered.add(digestOf(user, agent));
      continue;
    }
    const { tool } = found.record;
    const args = (await found.payloads())['arguments'];
    read += JSON.stringify(args ?? null).length;
    // They may have been erased.
    if (tool === undefined || !isJsonObject(args)) continue;
    calls.set(found.seq, sameCall({ principal: { user, agent }, tool, arguments: args }));
  }
  return { calls, covered };
}
