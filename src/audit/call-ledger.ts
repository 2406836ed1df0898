import type { RecordType } from './record.ts';

/** What of a record the rules of a call look at. */
export interface LedgerRecord {
  readonly type: RecordType;
  readonly seq: number;
  readonly boot: string;
  readonly decision?: string | undefined;
  readonly session?: string | undefined;
  readonly tool?: string | undefined;
  readonly outcome?: string | undefined;
  readonly open?: number | undefined;
  readonly intentSeq?: number | undefined;
  readonly admittedSeq?: number | undefined;
}

/** Intents that may still be admitted: more than this, and the oldest can no longer be. */
const OPEN_INTENTS = 100_000;

/**
 * Follows the records of a log and knows which calls are open. The writer asks it before it writes and the verifier while
 * it reads, so a record that breaks a rule is never written by us and always seen:
 *
 * - `admitted` names an earlier `intent` of the same boot, session and tool that was not denied, once;
 * - `outcome` names an earlier `admitted` of the same session and tool, once;
 * - `shutdown` comes when no call is open, and nothing of the same boot follows it;
 * - after a boot without `shutdown`, open calls get an `outcome` and a `recovery` record follows before anything else, which
 *   states how many stay open, because a gate may still run them;
 * - a call of an earlier boot has the outcome `unknown`, unless an `adopted` record of this boot names it, once.
 */
export class CallLedger {
  readonly #intents = new Map<number, LedgerRecord>();
  readonly #open = new Map<number, LedgerRecord>();
  #boot: string | null = null;
  #shutDown = true;
  #recovering = false;

  /** The ledger at the end of a log: the calls that its last boot left open, and whether it ended with a shutdown. */
  static resume(end: { open: readonly LedgerRecord[]; shutDown: boolean }): CallLedger {
    const ledger = new CallLedger();
    for (const admitted of end.open) ledger.#open.set(admitted.seq, admitted);
    ledger.#recovering = !end.shutDown;
    return ledger;
  }

  /** A ledger of its own in the same state. */
  copy(): CallLedger {
    const copy = new CallLedger();
    for (const [seq, intent] of this.#intents) copy.#intents.set(seq, intent);
    for (const [seq, admitted] of this.#open) copy.#open.set(seq, admitted);
    copy.#boot = this.#boot;
    copy.#shutDown = this.#shutDown;
    copy.#recovering = this.#recovering;
    return copy;
  }

  /** Admissions without an outcome, oldest first. */
  get open(): readonly LedgerRecord[] {
    return [...this.#open.values()];
  }

  /** The boot before ended without a shutdown and no `recovery` record says so yet. */
  get recovering(): boolean {
    return this.#recovering;
  }

  /** The rule that a record would break, in words, or null. */
  problemWith(record: LedgerRecord): string | null {
    const sameBoot = record.boot === this.#boot;
    if (sameBoot && this.#shutDown) return 'comes after the shutdown of its boot';
    const recovering = this.#recovering || !(sameBoot || this.#shutDown);
    switch (record.type) {
      case 'outcome':
        return this.#problemWithOutcome(record);
      case 'recovery':
        return this.#open.size === (record.open ?? 0)
          ? null
          : `leaves ${this.#open.size} admissions without an outcome, and states ${record.open ?? 0}`;
      default:
        if (recovering) return 'comes before the recovery record of a boot that ended without shutdown';
        if (record.type === 'admitted') return this.#problemWithAdmission(record);
        if (record.type === 'adopted') return this.#problemWithAdoption(record);
        return record.type === 'shutdown' && this.#open.size > 0
          ? `leaves ${this.#open.size} admissions without an outcome`
          : null;
    }
  }

  #problemWithAdmission(record: LedgerRecord): string | null {
    const intent = this.#intents.get(record.intentSeq ?? -1);
    if (intent === undefined || intent.boot !== record.boot) return 'names no intent that could be admitted';
    return isSameCall(intent, record) ? null : 'names the intent of another call';
  }

  #problemWithAdoption(record: LedgerRecord): string | null {
    const admitted = this.#open.get(record.admittedSeq ?? -1);
    if (admitted?.boot === record.boot) return 'names an admission of its own boot';
    return this.#problemWithLink(record, admitted);
  }

  #problemWithOutcome(record: LedgerRecord): string | null {
    const admitted = this.#open.get(record.admittedSeq ?? -1);
    if (admitted !== undefined && admitted.boot !== record.boot && record.outcome !== 'unknown')
      return 'knows how a call of an earlier boot ended that nobody adopted';
    return this.#problemWithLink(record, admitted);
  }

  #problemWithLink(record: LedgerRecord, admitted: LedgerRecord | undefined): string | null {
    if (admitted === undefined) return 'names no admission that is open';
    if (record.intentSeq !== undefined && record.intentSeq !== admitted.intentSeq)
      return 'names the intent of another call';
    return isSameCall(admitted, record) ? null : 'names the admission of another call';
  }

  /** Takes a record into account, also one that breaks a rule. */
  add(record: LedgerRecord): void {
    if (record.boot !== this.#boot) this.#enter(record.boot);
    switch (record.type) {
      case 'intent':
        if (record.decision !== 'deny') this.#addIntent(record);
        return;
      case 'admitted':
        this.#intents.delete(record.intentSeq ?? -1);
        this.#open.set(record.seq, record);
        return;
      case 'adopted':
        this.#adopt(record);
        return;
      case 'outcome':
        this.#open.delete(record.admittedSeq ?? -1);
        return;
      case 'recovery':
        this.#recovering = false;
        if ((record.open ?? 0) === 0) this.#open.clear();
        return;
      case 'shutdown':
        this.#shutDown = true;
        this.#open.clear();
        return;
      default:
    }
  }

  #enter(boot: string): void {
    if (!this.#shutDown) this.#recovering = true;
    this.#boot = boot;
    this.#shutDown = false;
    this.#intents.clear();
  }

  /** From now on the call belongs to the boot that adopted it. */
  #adopt({ admittedSeq, boot }: LedgerRecord): void {
    const admitted = this.#open.get(admittedSeq ?? -1);
    if (admitted !== undefined) this.#open.set(admitted.seq, { ...admitted, boot });
  }

  #addIntent(record: LedgerRecord): void {
    this.#intents.set(record.seq, record);
    if (this.#intents.size <= OPEN_INTENTS) return;
    for (const oldest of this.#intents.keys()) {
      this.#intents.delete(oldest);
      return;
    }
  }
}

const isSameCall = (a: LedgerRecord, b: LedgerRecord): boolean =>
  (b.session === undefined || a.session === b.session) && (b.tool === undefined || a.tool === b.tool);
