/** How many refusals of one session are recorded one by one: `BURST` at once, then `PER_SECOND`. The rest are counted. */
const BURST = 200;
const PER_SECOND = 20;
const MAX_SESSIONS = 10_000;
/** The same for all sessions of one peer, which may name a new session each time. */
const PEER_BURST = 1_000;
const PER_SECOND_OF_PEER = 50;

/** How often a refusal by a limit is recorded, by session. */
const LIMITED_MS = 1_000;

interface Bucket {
  tokens: number;
  at: number;
  suppressed: number;
  lastSeq: number | null;
  /** When a refusal by a limit was last recorded. */
  limitedAt: number;
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

  /** `peer`: the peer that refused; null for this process. */
  take(session: string, nowMs: number, peer: string | null = null): RefusalTurn {
    const ofPeer = peer === null ? null : this.#bucket(peerKey(peer), nowMs, PEER_BURST, PER_SECOND_OF_PEER);
    if (ofPeer !== null && ofPeer.tokens < 1 && ofPeer.lastSeq !== null) return suppress(ofPeer, ofPeer.lastSeq);
    const bucket = this.#bucket(sessionKey(session, peer), nowMs, BURST, PER_SECOND);
    if (bucket.tokens < 1 && bucket.lastSeq !== null) return suppress(bucket, bucket.lastSeq);
    const suppressed = bucket.suppressed + (ofPeer?.suppressed ?? 0);
    for (const each of ofPeer === null ? [bucket] : [bucket, ofPeer]) {
      each.tokens -= 1;
      each.suppressed = 0;
    }
    return { record: true, suppressed };
  }

  /**
   * What becomes of a refusal by a limit: one in `LIMITED_MS` of a session is recorded, by `take`; the others are counted.
   * `seq`: the last record of the session; null when there is none yet.
   */
  limited(
    session: string,
    nowMs: number,
    peer: string | null,
  ): { readonly record: boolean; readonly seq: number | null } {
    const bucket = this.#bucket(sessionKey(session, peer), nowMs, BURST, PER_SECOND);
    const isRepeat = Math.abs(nowMs - bucket.limitedAt) < LIMITED_MS;
    if (isRepeat) bucket.suppressed += 1;
    else bucket.limitedAt = nowMs;
    return { record: !isRepeat, seq: bucket.lastSeq };
  }

  /** The record that refusals without one of their own point to. */
  recorded(session: string, seq: number, peer: string | null = null): void {
    for (const key of [sessionKey(session, peer), ...(peer === null ? [] : [peerKey(peer)])]) {
      const bucket = this.#buckets.get(key);
      if (bucket !== undefined) bucket.lastSeq = seq;
    }
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

  #bucket(key: string, nowMs: number, burst: number, perSecond: number): Bucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) {
      known.tokens = Math.min(burst, known.tokens + (Math.max(0, nowMs - known.at) * perSecond) / 1000);
      known.at = nowMs;
      // Used last, forgotten last: a peer that names session after session does not drive out its own count.
      this.#buckets.delete(key);
      this.#buckets.set(key, known);
      return known;
    }
    if (this.#buckets.size >= MAX_SESSIONS) this.#forgetOldest();
    const bucket: Bucket = {
      tokens: burst,
      at: nowMs,
      suppressed: 0,
      lastSeq: null,
      limitedAt: Number.NEGATIVE_INFINITY,
    };
    this.#buckets.set(key, bucket);
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

/** INVARIANT: no peer and no session of a peer has the key of another, or of a session of this process. */
const peerKey = (peer: string): string => `peer ${peer}`;
const sessionKey = (session: string, peer: string | null): string =>
  peer === null ? `session ${session}` : `session of ${peer}\n${session}`;

function suppress(bucket: Bucket, lastSeq: number): RefusalTurn {
  bucket.suppressed += 1;
  return { record: false, lastSeq };
}
