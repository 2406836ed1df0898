/** Keys that are remembered at a time; beyond it, new ones are refused until old ones have their whole allowance again. */
const MAX_KEYS = 10_000;

export interface Rate {
  /** How many at once, after a quiet time. */
  readonly burst: number;
  /** How many are given back a second. */
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Says how often something may be done, by key. Time is monotonic: a clock that is set changes nothing. */
export class RateMeter {
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** True, and one less is left, if it may be done now. `nowMs`: monotonic milliseconds. */
  take(key: string, nowMs: number = performance.now()): boolean {
    const bucket = this.#bucket(key, nowMs);
    if (bucket === null || bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  #bucket(key: string, nowMs: number): Bucket | null {
    const known = this.#buckets.get(key);
    if (known !== undefined) return this.#fill(known, nowMs);
    if (this.#buckets.size >= MAX_KEYS) this.#forgetFull(nowMs);
    if (this.#buckets.size >= MAX_KEYS) return null;
    const bucket = { tokens: this.#rate.burst, at: nowMs };
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #fill(bucket: Bucket, nowMs: number): Bucket {
    const { burst, perSecond } = this.#rate;
    bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.at) * perSecond) / 1_000);
    bucket.at = nowMs;
    return bucket;
  }

  /** INVARIANT: forgetting a key gives nobody anything: only whole allowances are forgotten. */
  #forgetFull(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (this.#fill(bucket, nowMs).tokens >= this.#rate.burst) this.#buckets.delete(key);
    }
  }
}
