/** How many refusals of one session are recorded one by one: `BURST` at once, then `PER_SECOND`. The rest are counted. */
const BURST = 200;
const PER_SECOND = 20;
const MAX_SESSIONS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
  suppressed: number;
  lastSeq: number | null;
}

/** What becomes of a refusal: its own record, which says how many before it have none; or it is only counted. */
export type RefusalTurn =
  | { readonly record: true; readonly suppressed: number }
  | { readonly record: false; readonly lastSeq: number };

/**
 * A flood of denied calls must not fill the disk, and must not go unseen either: refusals beyond a rate are counted, and the
 * count stands in the next refusal that is recorded.
 */
export class RefusalMeter {
  readonly #buckets = new Map<string, Bucket>();
  /** Counted refusals of sessions that were forgotten. */
  #forgotten = 0;

  take(session: string, nowMs: number): RefusalTurn {
    const bucket = this.#bucket(session, nowMs);
    bucket.tokens = Math.min(BURST, bucket.tokens + (Math.max(0, nowMs - bucket.at) * PER_SECOND) / 1000);
    bucket.at = nowMs;
    if (bucket.tokens < 1 && bucket.lastSeq !== null) {
      bucket.suppressed += 1;
      return { record: false, lastSeq: bucket.lastSeq };
    }
    bucket.tokens -= 1;
    const { suppressed } = bucket;
    bucket.suppressed = 0;
    return { record: true, suppressed };
  }

  /** The record that refusals without one of their own point to. */
  recorded(session: string, seq: number): void {
    const bucket = this.#buckets.get(session);
    if (bucket !== undefined) bucket.lastSeq = seq;
  }

  /** Refusals whose record could not be written. */
  missed(count: number): void {
    this.#forgotten += count;
  }

  /** Refusals that no record has counted yet. */
  get pending(): number {
    let sum = this.#forgotten;
    for (const bucket of this.#buckets.values()) sum += bucket.suppressed;
    return sum;
  }

  #bucket(session: string, nowMs: number): Bucket {
    const known = this.#buckets.get(session);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_SESSIONS) this.#forgetOldest();
    const bucket: Bucket = { tokens: BURST, at: nowMs, suppressed: 0, lastSeq: null };
    this.#buckets.set(session, bucket);
    return bucket;
  }

  #forgetOldest(): void {
    for (const [session, bucket] of this.#buckets) {
      this.#forgotten += bucket.suppressed;
      this.#buckets.delete(session);
      return;
    }
  }
}
