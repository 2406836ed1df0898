import { parseRecord } from './entry.ts';
import type { LogLayout } from './layout.ts';
import type { LogFiles } from './log-files.ts';
import { readBundle } from './read-log.ts';
import type { LogRecord, RecordDraft } from './record.ts';
import { TILE_WIDTH } from './tile-path.ts';

/** What was found when a log was opened. */
export interface Recovered {
  /** Bytes of a half-written batch at the end, which were dropped; nothing in them had been acknowledged. */
  readonly tornBytes: number;
  /** Records that were durable and not yet under a checkpoint. */
  readonly replayed: number;
  /** The last boot did not end with a shutdown, or bytes were torn: a `recovery` record is due before anything else. */
  readonly unclean: boolean;
  /** Admissions without an outcome, oldest first: calls that were under way when a process died. */
  readonly openAdmissions: readonly LogRecord[];
}

/**
 * The admissions at the end of a log that have no outcome, and whether it ended with a shutdown. Reads backwards to the
 * last `shutdown` or `recovery`, before which nothing is open; where the recovery states that calls stayed open, until those
 * are found.
 */
export async function readLogEnd(
  files: LogFiles,
  layout: LogLayout,
  size: number,
): Promise<{ shutDown: boolean; openAdmissions: LogRecord[] }> {
  const settled = new Set<number>();
  const settledBefore = new Set<number>();
  const open: LogRecord[] = [];
  /** Admissions before the last recovery that are still to be found; null while we are behind it. */
  let missing: number | null = null;
  for (let seq = size, bundle: Buffer[] = []; seq > 0; seq--) {
    if (bundle.length === 0) bundle = (await readBundle(files, layout, { size, index: bundleOf(seq - 1) })) ?? [];
    const record = parseRecord(bundle.pop() ?? Buffer.alloc(0));
    if (missing === null && record.type === 'recovery') missing = record.open ?? 0;
    if (record.type === 'shutdown' || missing === 0) {
      return { shutDown: record.type === 'shutdown' && seq === size, openAdmissions: open.reverse() };
    }
    if (record.type === 'outcome' && record.admittedSeq !== undefined) {
      if (missing === null) settled.add(record.admittedSeq);
      else settledBefore.add(record.admittedSeq);
    }
    if (record.type !== 'admitted' || settledBefore.delete(record.seq)) continue;
    if (missing !== null) missing -= 1;
    if (!settled.delete(record.seq)) open.push(record);
    if (missing === 0) break;
  }
  return { shutDown: size === 0, openAdmissions: open.reverse() };
}

const bundleOf = (seq: number): number => Math.floor(seq / TILE_WIDTH);

/**
 * What a new owner of a log writes before anything else: an `outcome: unknown` for each call that was under way, but for
 * those that stay open because a gate may still run them; then a `recovery` record. Nothing for a log that ended well.
 */
export function recoveryDrafts(
  { tornBytes, replayed, unclean, openAdmissions }: Recovered,
  staysOpen: (admitted: LogRecord) => boolean = () => false,
): RecordDraft[] {
  if (!unclean) return [];
  const outcomes = openAdmissions.filter((admitted) => !staysOpen(admitted)).map(unknownOutcome);
  const detail = { tornBytes, replayed, openAdmissions: openAdmissions.length };
  const open = openAdmissions.length - outcomes.length;
  return [...outcomes, { type: 'recovery', detail, ...(open === 0 ? {} : { open }) }];
}

/** The outcome of a call of which nobody knows how it ended. */
export function unknownOutcome(admitted: LogRecord): RecordDraft {
  const { surface, principal, session, server, tool, intentSeq, seq } = admitted;
  return {
    type: 'outcome',
    ...(surface === undefined ? {} : { surface }),
    ...(principal === undefined ? {} : { principal }),
    ...(session === undefined ? {} : { session }),
    ...(server === undefined ? {} : { server }),
    ...(tool === undefined ? {} : { tool }),
    ...(intentSeq === undefined ? {} : { intentSeq }),
    admittedSeq: seq,
    outcome: 'unknown',
    error: 'unknown',
  };
}
