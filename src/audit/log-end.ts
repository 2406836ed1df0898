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
 * last `recovery` or `shutdown`, before which nothing is open.
 */
export async function readLogEnd(
  files: LogFiles,
  layout: LogLayout,
  size: number,
): Promise<{ shutDown: boolean; openAdmissions: LogRecord[] }> {
  const settled = new Set<number>();
  const open: LogRecord[] = [];
  for (let seq = size, bundle: Buffer[] = []; seq > 0; seq--) {
    if (bundle.length === 0) bundle = (await readBundle(files, layout, { size, index: bundleOf(seq - 1) })) ?? [];
    const record = parseRecord(bundle.pop() ?? Buffer.alloc(0));
    if (record.type === 'shutdown' || record.type === 'recovery') {
      return { shutDown: record.type === 'shutdown' && seq === size, openAdmissions: open.reverse() };
    }
    if (record.type === 'outcome' && record.admittedSeq !== undefined) settled.add(record.admittedSeq);
    if (record.type === 'admitted' && !settled.delete(record.seq)) open.push(record);
  }
  return { shutDown: size === 0, openAdmissions: open.reverse() };
}

const bundleOf = (seq: number): number => Math.floor(seq / TILE_WIDTH);

/**
 * What a new owner of a log writes before anything else: an `outcome: unknown` for each call that
 * was under way, then a `recovery` record. Nothing for a log that ended well.
 */
export function recoveryDrafts({ tornBytes, replayed, unclean, openAdmissions }: Recovered): RecordDraft[] {
  if (!unclean) return [];
  const outcomes = openAdmissions.map(unknownOutcome);
  const detail = { tornBytes, replayed, openAdmissions: openAdmissions.length };
  return [...outcomes, { type: 'recovery', detail }];
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
