/** How many refusals of one session are recorded one by one: `BURST` at once, then `PER_SECOND`. The rest are counted. */
const BURST = 200;
const PER_SECOND = 20;
const MAX_SESSIONS = 10_000;

interface Bucket {
  tokens: number;
  at: number;
  suppressed: number;
}

/**
 * A flood of denied calls must not fill the disk, and must not go unseen either: refusals beyond a rate are counted, and the
 * count stands in the next refusal that is recorded.
 */
export class RefusalMeter {
  readonly #buckets = new Map<string, Bucket>();

  /** The number of refusals suppressed before this one, which is to be recorded; null: count it, do not record it. */
  take(session: string, nowMs: number): number | null {
    const bucket = this.#bucket(session, nowMs);
    bucket.tokens = Math.min(BURST, bucket.tokens + (Math.max(0, nowMs - bucket.at) * PER_SECOND) / 1000);
    bucket.at = nowMs;
    if (bucket.tokens < 1) {
      bucket.suppressed += 1;
      return null;
    }
    bucket.tokens -= 1;
    const { suppressed } = bucket;
    bucket.suppressed = 0;
    return suppressed;
  }

  /** Refusals that no record has counted yet. */
  get pending(): number {
    let sum = 0;
    for (const bucket of this.#buckets.values()) sum += bucket.suppressed;
    return sum;
  }

  #bucket(session: string, nowMs: number): Bucket {
    const known = this.#buckets.get(session);
    if (known !== undefined) return known;
    if (this.#buckets.size >= MAX_SESSIONS) this.#forgetIdle(nowMs);
    const bucket = { tokens: BURST, at: nowMs, suppressed: 0 };
    this.#buckets.set(session, bucket);
    return bucket;
  }

  #forgetIdle(nowMs: number): void {
    for (const [session, bucket] of this.#buckets) {
      if (bucket.suppressed === 0 && nowMs - bucket.at > (BURST / PER_SECOND) * 1000) this.#buckets.delete(session);
    }
  }
}
