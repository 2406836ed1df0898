import { type ErrorCode, exitCodeOf } from '../core/index.ts';
import type { RecordType } from './record.ts';

/** What is judged, each by itself. */
export const ASPECTS = ['authenticity', 'integrity', 'completeness', 'freshness'] as const;

/**
 * `authenticity`: the checkpoint is signed by the key. `integrity`: every record, tile and payload is what was signed.
 * `completeness`: nothing that the log or the second copy of the checkpoint speaks of is missing. `freshness`: the log is
 * still being written, or was shut down.
 */
export type Aspect = (typeof ASPECTS)[number];

/** Something wrong with a log. */
export interface Finding {
  readonly aspect: Aspect;
  readonly code: ErrorCode;
  /** Number of the record it is about, or null. */
  readonly entry: number | null;
  /** A sentence; holds nothing that a record says. */
  readonly reason: string;
}

/** The answer for one aspect. `unknown`: it could not be judged, which is no success. */
export interface Verdict {
  readonly status: 'ok' | 'failed' | 'unknown';
  /** The finding with the lowest entry; null when there is none. */
  readonly first: Finding | null;
  /** Why it is unknown, or what can be said all the same. */
  readonly note: string;
}

export interface VerifyReport {
  readonly origin: string | null;
  /** Records under the signed checkpoint. */
  readonly size: number;
  /** Durable records after it, which nothing signs yet. */
  readonly unsigned: number;
  /** Bytes of a half-written batch after those. */
  readonly tornBytes: number;
  /** Records that no witness has co-signed: all of them, as long as there is no witness. */
  readonly unwitnessed: number;
  readonly authenticity: Verdict;
  readonly integrity: Verdict;
  readonly completeness: Verdict;
  readonly freshness: Verdict;
  /** The first {@link FINDINGS} findings. */
  readonly findings: readonly Finding[];
  /** How many findings there were. */
  readonly findingsTotal: number;
  /** Admissions without an outcome that no later record speaks of: calls under way, or a crash not yet recovered from. */
  readonly openAdmissions: readonly number[];
  /** Records by type. */
  readonly counts: Readonly<Partial<Record<RecordType, number>>>;
  readonly boots: number;
  /** Payloads that are there and match their commitments. */
  readonly payloads: number;
  /** Time that the last record states, or null. */
  readonly lastRecord: string | null;
}

/** Findings that a report lists. */
const FINDINGS = 100;

const CODES: Readonly<Record<Aspect, ErrorCode>> = {
  authenticity: 'AUDIT_FORGED',
  integrity: 'AUDIT_INTEGRITY',
  completeness: 'AUDIT_INCOMPLETE',
  freshness: 'AUDIT_STALE',
};

/** Collects findings; of many it keeps the first ones and counts the rest. */
export class Findings {
  readonly #listed: Finding[] = [];
  readonly #first = new Map<Aspect, Finding>();
  #total = 0;

  add(aspect: Aspect, entry: number | null, reason: string): void {
    const finding: Finding = { aspect, code: CODES[aspect], entry, reason };
    this.#total += 1;
    if (this.#listed.length < FINDINGS) this.#listed.push(finding);
    const first = this.#first.get(aspect);
    if (first === undefined || (entry ?? Infinity) < (first.entry ?? Infinity)) this.#first.set(aspect, finding);
  }

  get listed(): readonly Finding[] {
    return this.#listed;
  }

  get total(): number {
    return this.#total;
  }

  /** The verdict on an aspect; `unknown` says why it could not be judged. */
  verdict(aspect: Aspect, { note = '', unknown }: { note?: string; unknown?: string | undefined } = {}): Verdict {
    const first = this.#first.get(aspect) ?? null;
    if (first !== null) return { status: 'failed', first, note };
    if (unknown !== undefined) return { status: 'unknown', first: null, note: unknown };
    return { status: 'ok', first: null, note };
  }
}

/**
 * The exit code of `audit verify`: 0 when every aspect is ok, else that of the first that is not: 13 authenticity, 10
 * integrity, 11 completeness, 12 freshness. What could not be judged is not ok.
 */
export function exitCodeOfReport(report: VerifyReport): number {
  const bad = ASPECTS.find((aspect) => report[aspect].status !== 'ok');
  return bad === undefined ? 0 : exitCodeOf(CODES[bad]);
}
