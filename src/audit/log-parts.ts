import { randomBytes } from 'node:crypto';
import { type Clock, isSallyportError, newId, SallyportError } from '../core/index.ts';
import { type LogLayout, layoutOf } from './layout.ts';
import { type Recovered, readLogEnd } from './log-end.ts';
import { type LogFiles, realFiles } from './log-files.ts';
import { loadEdge, openKey, prepareFolders } from './open-log.ts';
import { claimLog, type Ownership } from './ownership.ts';
import { Publisher } from './publisher.ts';
import type { RecordDraft } from './record.ts';
import { diskFull, isNoSpace, prepareReserve } from './reserve.ts';
import { dropSegments, readTail, WalWriter } from './wal.ts';

export interface AuditLogOptions {
  /** The state folder: the log is in `log/`, its key in `keys/`, the second copy of the checkpoint beside them. */
  readonly directory: string;
  /** Name of a log that is not born yet (c2sp.org/tlog-checkpoint), by default made up; a born log keeps its own. */
  readonly origin?: string;
  /** Which process writes, e.g. `keeper:12345`. */
  readonly writer: string;
  readonly clock?: Clock;
  readonly files?: LogFiles;
  /** Milliseconds between checkpoints while records arrive; default 1,000. */
  readonly checkpointMs?: number;
  /** Takes out of a record what must not be stored; nothing is written that it did not see. */
  readonly clean?: (draft: RecordDraft) => RecordDraft;
}

/** Everything of a log that was opened: claimed, checked, replayed. */
export interface LogParts {
  readonly options: AuditLogOptions;
  readonly files: LogFiles;
  readonly layout: LogLayout;
  readonly boot: string;
  readonly wal: WalWriter;
  readonly publisher: Publisher;
  readonly recovered: Recovered;
  readonly verifierKey: string;
}

/** Two logs never share a name by chance, and none claims a domain that nobody gave it. */
const madeUpOrigin = (): string => `localhost/sallyport/${randomBytes(8).toString('hex')}`;

/**
 * Claims the log of a state folder, checks its checkpoint against the second copy and the tiles, and brings what the
 * write-ahead log held under a checkpoint.
 *
 * @throws SallyportError AUDIT_ROLLBACK, AUDIT_CORRUPT, AUDIT_FORGED, STATE_PERMISSIONS, AUDIT_WRITE_FAILED
 */
export async function openParts(options: AuditLogOptions): Promise<LogParts> {
  const files = options.files ?? realFiles;
  const layout = layoutOf(options.directory);
  const boot = newId('boot');
  await prepareFolders(files, layout);
  const ownership = await claimLog(files, layout, boot);
  try {
    return {
      options,
      files,
      layout,
      boot,
      ...(await openClaimed(files, layout, options.origin ?? madeUpOrigin(), ownership)),
    };
  } catch (error) {
    await ownership.release();
    throw error;
  }
}

/** INVARIANT: nothing is dropped before what it held is under a checkpoint, and nothing is read before the claim. */
async function openClaimed(files: LogFiles, layout: LogLayout, origin: string, ownership: Ownership) {
  const signer = await openKey(files, layout, origin);
  const edge = await loadEdge(files, layout, signer);
  const tail = await readTail(files, layout, edge.checkpoint.size);
  const publisher = new Publisher(files, layout, signer, edge);
  try {
    const { size } = await publisher.publish(tail.entries);
    await dropSegments(files, layout, tail.segments);
    await prepareReserve(files, layout);
    const { shutDown, openAdmissions } = await readLogEnd(files, layout, size);
    const unclean = !shutDown || tail.tornBytes > 0;
    const recovered: Recovered = { tornBytes: tail.tornBytes, replayed: tail.entries.length, unclean, openAdmissions };
    const wal = await WalWriter.open(files, layout, ownership, size);
    return { wal, publisher, recovered, verifierKey: signer.verifier.vkey };
  } catch (error) {
    await publisher.close();
    throw error;
  }
}

/** An error of the log: ours as it is, one of the system as DISK_FULL or AUDIT_WRITE_FAILED. */
export function asAuditError(error: unknown): SallyportError {
  if (isNoSpace(error)) return diskFull(error);
  return error instanceof SallyportError ? error : asWriteFailure(error);
}

/** The failure that stops a log, with the error of the system as its cause. */
export function asWriteFailure(error: unknown): SallyportError {
  if (isSallyportError(error, 'AUDIT_WRITE_FAILED')) return error;
  const why = error instanceof Error && 'code' in error ? String(error.code) : 'see the cause';
  return new SallyportError('AUDIT_WRITE_FAILED', `the log cannot be written: ${why}`, { cause: error });
}
