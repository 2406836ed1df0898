/** What a call takes of one maximum. */
export interface LimitClaim {
  /** What is counted together, as a digest: policy, subject and whoever has a count of their own. */
  readonly key: string;
  readonly kind: 'calls' | 'concurrent' | 'bytes' | 'spend';
  readonly max: number;
  /** Milliseconds; 0 for calls at the same time. */
  readonly windowMs: number;
  readonly amount: number;
}

/** A breaker that a call passes. */
export interface BreakerClaim {
  readonly key: string;
  readonly failures: number;
  readonly withinMs: number;
  readonly pauseMs: number;
}

/** Everything that one call needs of its limits: all of it is taken, or nothing. */
export interface Reservation {
  readonly session: string;
  readonly claims: readonly LimitClaim[];
  readonly breakers: readonly BreakerClaim[];
}

/** A lease is good for one call, and is the holder's alone. */
export type ReserveAnswer = { readonly kind: 'reserved'; readonly lease: string } | ReserveRefusal;

export interface ReserveRefusal {
  readonly kind: 'refused';
  /** Which of the claims, or, counted on from them, of the breakers. */
  readonly which: number;
  /** Milliseconds since the epoch when it may fit; 0: never, it is more than the maximum by itself. */
  readonly retryAt: number;
  /** Whether the gate records this refusal. If not, it is counted, and `seq` is the last record of the session. */
  readonly record: boolean;
  readonly seq: number | null;
}

/** How a call went, as far as limits go. */
export interface CallUse {
  /** Bytes of the result that is delivered. */
  readonly bytes: number;
  /** It failed in a way that breakers count. */
  readonly failed: boolean;
}

/** Claims and breakers of one call. */
export const MAX_CLAIMS = 160;
