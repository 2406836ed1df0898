import { isSallyportError } from '../core/index.ts';
import { CallLedger, type LedgerRecord } from './call-ledger.ts';
import { parseRecord } from './entry.ts';
import type { Span } from './entry-bundle.ts';
import type { RecordType } from './record.ts';
import { type SkimmedRecord, type SkimSource, skimRecord } from './skim-record.ts';
import type { Findings } from './verify-report.ts';

/** Names that are remembered, so that most are not copied again. */
const COPIES = 1_000;

/** Reads the records of a log in order and judges what they say of each other. */
export class RecordJudge {
  readonly #findings: Findings;
  readonly #ledger = new CallLedger();
  readonly #copies = new Map<string, string>();
  readonly #counts = new Map<RecordType, number>();
  #boot = '';
  #boots = 0;
  #last: SkimmedRecord | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  /** Judges entry `seq`, which lies at `span` in its source; returns the record, or null if the bytes are none. */
  read(source: SkimSource, { start, end }: Span, seq: number): SkimmedRecord | null {
    const record = skimRecord(source, start, end) ?? this.#parse(source.data.subarray(start, end), seq);
    if (record === null) return null;
    if (record.seq !== seq) this.#findings.add('integrity', seq, `entry ${seq} states another number`);
    const brief = this.#briefOf(record);
    const problem = this.#ledger.problemWith(brief);
    if (problem !== null) this.#findings.add('completeness', seq, `entry ${seq} (${record.type}) ${problem}`);
    this.#ledger.add(brief);
    this.#count(record);
    return record;
  }

  /**
   * What the ledger may keep for as long as a call is open. INVARIANT: nothing in it is a slice of a bundle's text, which
   * would keep the whole bundle in memory.
   */
  #briefOf(record: SkimmedRecord): LedgerRecord {
    const { type, seq, boot, decision, session, tool, outcome, open, intentSeq, admittedSeq } = record;
    return {
      type,
      seq,
      boot: this.#ownCopyOf(boot),
      decision,
      session: session === undefined ? session : this.#ownCopyOf(session),
      tool: tool === undefined ? tool : this.#ownCopyOf(tool),
      outcome: outcome === undefined ? outcome : this.#ownCopyOf(outcome),
      open,
      intentSeq,
      admittedSeq,
    };
  }

  #ownCopyOf(text: string): string {
    const known = this.#copies.get(text);
    if (known !== undefined) return known;
    if (this.#copies.size >= COPIES) this.#copies.clear();
    const copy = Buffer.from(text).toString();
    this.#copies.set(copy, copy);
    return copy;
  }

  #parse(bytes: Uint8Array, seq: number): SkimmedRecord | null {
    try {
      const { commitments, ...record } = parseRecord(bytes);
      return { ...record, commitments: commitments === undefined ? undefined : JSON.stringify(commitments) };
    } catch (error) {
      if (!isSallyportError(error, 'AUDIT_CORRUPT')) throw error;
      this.#findings.add('integrity', seq, `entry ${seq} is not a record`);
      return null;
    }
  }

  #count(record: SkimmedRecord): void {
    this.#counts.set(record.type, (this.#counts.get(record.type) ?? 0) + 1);
    if (record.boot !== this.#boot) this.#boots += 1;
    this.#boot = record.boot;
    this.#last = record;
  }

  get last(): SkimmedRecord | null {
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
