import { isSallyportError } from '../core/index.ts';
import { CallLedger } from './call-ledger.ts';
import { parseRecord } from './entry.ts';
import type { LogRecord, RecordType } from './record.ts';
import type { Findings } from './verify-report.ts';

/** Reads the records of a log in order and judges what they say of each other. */
export class RecordJudge {
  readonly #findings: Findings;
  readonly #ledger = new CallLedger();
  readonly #counts = new Map<RecordType, number>();
  #boot = '';
  #boots = 0;
  #last: LogRecord | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Judges entry `seq`; returns the record, or null if the bytes are none. */
  read(bytes: Uint8Array, seq: number): LogRecord | null {
    const record = this.#parse(bytes, seq);
    if (record === null) return null;
    if (record.seq !== seq) this.#findings.add('integrity', seq, `entry ${seq} states another number`);
    const problem = this.#ledger.problemWith(record);
    if (problem !== null) this.#findings.add('completeness', seq, `entry ${seq} (${record.type}) ${problem}`);
    this.#ledger.add(record);
    this.#count(record);
    return record;
  }

  #parse(bytes: Uint8Array, seq: number): LogRecord | null {
    try {
      return parseRecord(bytes);
    } catch (error) {
      if (!isSallyportError(error, 'AUDIT_CORRUPT')) throw error;
      this.#findings.add('integrity', seq, `entry ${seq} is not a record`);
      return null;
    }
  }

  #count(record: LogRecord): void {
    this.#counts.set(record.type, (this.#counts.get(record.type) ?? 0) + 1);
    if (record.boot !== this.#boot) this.#boots += 1;
    this.#boot = record.boot;
    this.#last = record;
  }

  get last(): LogRecord | null {
    return this.#last;
  }

  get boots(): number {
    return this.#boots;
  }

  get counts(): Partial<Record<RecordType, number>> {
    return Object.fromEntries(this.#counts);
  }

  get openAdmissions(): readonly number[] {
    return this.#ledger.open.map(({ seq }) => seq);
  }
}
