import { type Clock, SallyportError, systemClock } from '../core/index.ts';
import { CallBook } from './call-book.ts';
import { CallLedger, type LedgerRecord } from './call-ledger.ts';
import { Checkpointer } from './checkpointer.ts';
import { composeEntry, type Entry } from './entry.ts';
import { GroupCommit } from './group-commit.ts';
import type { Recovered } from './log-end.ts';
import { type AuditLogOptions, asAuditError, asWriteFailure, type LogParts, openParts } from './log-parts.ts';
import type { RecordDraft } from './record.ts';
import { diskFull, isNoSpace, releaseReserve } from './reserve.ts';
import { type SealedLog, sealedLog } from './sealed-log.ts';
import { dropSegments } from './wal.ts';

/** The longest time between a record and the checkpoint that covers it while the process lives, in milliseconds. */
export const CHECKPOINT_MS = 1_000;

/** How often the keeper writes a `heartbeat` while nothing else is recorded, in milliseconds. */
export const HEARTBEAT_MS = 60_000;

/** A record that was given its place in the log. */
export interface Appended {
  readonly seq: number;
  /** Settles when the record is on the disk, or rejects with AUDIT_WRITE_FAILED. Need not be awaited. */
  readonly durable: Promise<void>;
}

/**
 * The tamper-evident log: a C2SP transparency log on disk. Records become durable in batches (one write and one fdatasync
 * for all that wait) and come under a signed checkpoint within a second.
 *
 * INVARIANT: after any failure of the disk nothing more is written or acknowledged: every waiting and later record is
 * refused with AUDIT_WRITE_FAILED, until a process opens the log again and reads what is really there. A disk that is merely
 * full seals the log instead: what waits is refused with DISK_FULL, and so is every later record but refusals, outcomes and
 * the shutdown, for which there is a reserve.
 * @example
 * const log = await AuditLog.open({ directory, origin: 'sallyport.example.com/1', writer: 'keeper:1' });
 * for (const draft of recoveryDrafts(log.recovered)) log.append(draft);
 * await log.append({ type: 'policy-loaded', policyDigest }).durable;
 * await log.close();
 */
export class AuditLog {
  /** Names this opening of the log in each of its records. */
  readonly boot: string;
  /** The public key as a C2SP vkey line. */
  readonly verifierKey: string;
  readonly recovered: Recovered;
  readonly #parts: LogParts;
  readonly #clock: Clock;
  readonly #book: CallBook;
  readonly #commit: GroupCommit;
  readonly #checkpointer: Checkpointer;
  #size: number;
  #failure: SallyportError | null = null;
  #sealed: SealedLog | null = null;
  #fellBack = false;
  #closing: Promise<void> | null = null;

  private constructor(parts: LogParts) {
    this.#parts = parts;
    this.boot = parts.boot;
    this.verifierKey = parts.verifierKey;
    this.recovered = parts.recovered;
    this.#clock = parts.options.clock ?? systemClock;
    this.#size = parts.publisher.checkpoint.size;
    const ledger = CallLedger.resume({ open: parts.recovered.openAdmissions, shutDown: !parts.recovered.unclean });
    this.#book = new CallBook(ledger);
    this.#checkpointer = new Checkpointer({
      publisher: parts.publisher,
      everyMs: parts.options.checkpointMs ?? CHECKPOINT_MS,
      rotate: (take) => this.#rotate(take),
      drop: (segments) => dropSegments(parts.files, parts.layout, segments),
      failed: (error) => this.#publishingFailed(error),
    });
    this.#commit = new GroupCommit({
      room: () => this.#checkpointer.room(),
      write: (entries) => parts.wal.write(entries),
      written: (entries) => {
        this.#book.settled(entries.length);
        this.#checkpointer.add(entries);
      },
      failed: (error) => this.#writingFailed(error),
    });
  }

  /**
   * Opens a log, or begins one: claims it, checks the checkpoint against its second copy and the tiles, replays the
   * write-ahead log and signs what it held.
   *
   * @throws SallyportError AUDIT_ROLLBACK, AUDIT_CORRUPT, AUDIT_FORGED, STATE_PERMISSIONS, AUDIT_WRITE_FAILED
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    try {
      return new AuditLog(await openParts(options));
    } catch (error) {
      throw asAuditError(error);
    }
  }

  /** Records so far, durable or not: the next one gets this number. */
  get size(): number {
    return this.#size;
  }

  /** The last signed checkpoint: how many records it covers, and the note. */
  get checkpointed(): { readonly size: number; readonly note: string } {
    const { size, note } = this.#checkpointer.checkpoint;
    return { size, note: note.toString('utf8') };
  }

  /** Numbers of the admissions without an outcome, oldest first. A `shutdown` is refused while there are any. */
  get openAdmissions(): readonly number[] {
    return this.#book.open.map(({ seq }) => seq);
  }

  /** DISK_FULL once the log is sealed: it admits nothing until it is opened again with space. Null before. */
  get sealed(): SallyportError | null {
    return this.#sealed?.reason ?? null;
  }

  /** Why the log stopped, or null. */
  get failure(): SallyportError | null {
    return this.#failure;
  }

  /**
   * Gives a record its number and queues it. Records keep the order of the calls.
   *
   * @throws SallyportError AUDIT_WRITE_FAILED (stopped or closed), DISK_FULL (sealed), AUDIT_BUSY (the disk is behind), AUDIT_ENTRY_TOO_LARGE,
   * INTERNAL (it would break a rule of the call ledger), and the INPUT_ codes; no number is used up then
   */
  append(record: RecordDraft): Appended {
    this.#refuseIfStopped();
    const clean = this.#parts.options.clean?.(record) ?? record;
    const draft = this.#sealed?.take(clean) ?? clean;
    const seq = this.#size;
    const brief = briefOf(draft, seq, this.boot);
    const problem = this.#book.problemWith(brief);
    if (problem !== null) throw new SallyportError('INTERNAL', `record ${seq} (${draft.type}) ${problem}`);
    const time = new Date(this.#clock.now()).toISOString();
    const { writer } = this.#parts.options;
    const entry = composeEntry(draft, { seq, time, mono: this.#clock.mono(), boot: this.boot, writer });
    this.#sealed?.took(draft, entry.bytes.length);
    this.#book.add(brief);
    this.#size += 1;
    // An outcome is durable with the next flush (DESIGN section 6): the record that the next call waits for brings it along.
    const durable = this.#commit.add(entry, draft.type === 'outcome' ? 'soon' : 'now');
    // Who writes an `outcome` need not wait. The failure is kept, and everybody who comes later is refused with it.
    durable.catch(() => this.#failure);
    return { seq, durable };
  }

  #refuseIfStopped(): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#closing !== null) throw new SallyportError('AUDIT_WRITE_FAILED', 'the log is closed');
    if (this.#commit.full) throw new SallyportError('AUDIT_BUSY', 'too many records wait for the disk');
  }

  /** Settles when every record so far is durable. */
  async flush(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await this.#commit.flush();
  }

  /**
   * Signs a checkpoint over every record so far, durable in both places when it settles.
   * @throws SallyportError AUDIT_WRITE_FAILED, DISK_FULL
   */
  async checkpoint(): Promise<{ readonly size: number; readonly note: string }> {
    await this.flush();
    try {
      if (this.#sealed === null) await this.#checkpointer.publish();
    } catch (error) {
      this.#publishingFailed(error);
    }
    const refusal = this.#failure ?? this.sealed;
    if (refusal !== null) throw refusal;
    return this.checkpointed;
  }

  /**
   * Signs the last checkpoint (not when sealed: the next opening does) and lets go of the files; writes no record. Idempotent.
   * @throws SallyportError AUDIT_WRITE_FAILED: the log had stopped, or stops now
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    try {
      await this.checkpoint();
    } catch (error) {
      // Sealed: what is durable stands in the write-ahead log, and who waits for more was told.
      if (!isNoSpace(error)) throw error;
    } finally {
      await this.#letGo();
    }
  }

  /** Closes every file, also of a log that stopped; drops the last segment if a checkpoint covers it. */
  async #letGo(): Promise<void> {
    const { wal, publisher, files, layout } = this.#parts;
    this.#checkpointer.stop();
    try {
      const segment = await this.#commit.between(() => wal.close());
      if (this.#failure === null && this.#sealed === null) await dropSegments(files, layout, [segment]);
    } catch (error) {
      this.#stop(error);
    } finally {
      await publisher.close();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  /** INVARIANT: what `take` returns is what the finished segment holds. */
  #rotate(take: () => readonly Entry[]): Promise<{ entries: readonly Entry[]; finished: string }> {
    return this.#commit.between(async () => {
      const entries = take();
      const next = (entries.at(-1)?.seq ?? -1) + 1;
      return { entries, finished: await this.#parts.wal.rotate(next) };
    });
  }

  #writingFailed(error: unknown): void {
    if (isNoSpace(error)) this.#fallBack(error);
    else this.#stop(error);
  }

  #publishingFailed(error: unknown): void {
    if (isNoSpace(error)) this.#seal(error);
    else this.#stop(error);
  }

  /** No more checkpoints, no more admissions; the reserve goes back to the disk before the next batch. */
  #seal(error: unknown): void {
    if (this.#sealed !== null) return;
    this.#sealed = sealedLog(diskFull(error));
    this.#checkpointer.stop();
    const { files, layout } = this.#parts;
    this.#commit.between(() => releaseReserve(files, layout)).catch((failure: unknown) => this.#stop(failure));
  }

  /**
   * Nothing that waits will be written. INVARIANT: numbers go on behind the last durable record. A call whose outcome is lost
   * by that gets the outcome `unknown`, as after a crash.
   */
  #fallBack(error: unknown): void {
    const isFirst = !this.#fellBack;
    this.#fellBack = true;
    this.#seal(error);
    const forgotten = this.#book.fallBack();
    this.#size = forgotten[0]?.seq ?? this.#size;
    this.#commit.drop(diskFull(error));
    if (!isFirst) return;
    const lost = new Set(forgotten.map(({ admittedSeq }) => admittedSeq));
    for (const { seq, session, tool, intentSeq } of this.#book.open.filter((admitted) => lost.has(admitted.seq))) {
      this.append({ type: 'outcome', ...defined({ session, tool, intentSeq }), admittedSeq: seq, outcome: 'unknown' });
    }
  }

  #stop(error: unknown): void {
    this.#failure ??= asWriteFailure(error);
    this.#checkpointer.stop();
    this.#commit.stop(this.#failure);
  }
}

/** Without the fields that are undefined. */
function defined(link: {
  session: string | undefined;
  tool: string | undefined;
  intentSeq: number | undefined;
}): Pick<RecordDraft, 'session' | 'tool' | 'intentSeq'> {
  const { session, tool, intentSeq } = link;
  return {
    ...(session === undefined ? {} : { session }),
    ...(tool === undefined ? {} : { tool }),
    ...(intentSeq === undefined ? {} : { intentSeq }),
  };
}

const briefOf = (draft: RecordDraft, seq: number, boot: string): LedgerRecord => {
  const { type, decision, session, tool, outcome, open, intentSeq, admittedSeq } = draft;
  return { type, seq, boot, decision, session, tool, outcome, open, intentSeq, admittedSeq };
};
