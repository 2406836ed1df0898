import type { CallLedger, LedgerRecord } from './call-ledger.ts';

/** The ledger of what was appended, and behind it the ledger of what is durable, to fall back on. */
export class CallBook {
  #appended: CallLedger;
  #durable: CallLedger;
  /** INVARIANT: what was appended and is not durable, in order. */
  #pending: LedgerRecord[] = [];

  constructor(ledger: CallLedger) {
    this.#appended = ledger;
    this.#durable = ledger.copy();
  }

  /** Admissions without an outcome, oldest first. */
  get open(): readonly LedgerRecord[] {
    return this.#appended.open;
  }

  problemWith(record: LedgerRecord): string | null {
    return this.#appended.problemWith(record);
  }

  add(record: LedgerRecord): void {
    this.#appended.add(record);
    this.#pending.push(record);
  }

  /** The oldest `count` of what waits has become durable. */
  settled(count: number): void {
    for (const record of this.#pending.splice(0, count)) this.#durable.add(record);
  }

  /** Forgets what is not durable, and returns it. */
  fallBack(): readonly LedgerRecord[] {
    const forgotten = this.#pending;
    this.#pending = [];
    this.#appended = this.#durable.copy();
    return forgotten;
  }
}
