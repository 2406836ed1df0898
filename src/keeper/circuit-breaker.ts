import type { BreakerClaim } from './limit-messages.ts';

/** How long a call waits for what the one that tries finds out, in milliseconds. */
const TRY_MS = 1_000;

/**
 * Lets calls pass until too many failed, then none for a while, then one that tries: if that goes well all pass again.
 * Time is given, and never goes back.
 */
export class CircuitBreaker {
  #failures: number[] = [];
  /** Null while calls pass. */
  #openUntil: number | null = null;
  /** The lease of the call that tries. */
  #probe: object | null = null;

  /** Null: the call may pass. Else how long to wait. */
  waitMs(now: number): number | null {
    if (this.#openUntil === null) return null;
    if (now < this.#openUntil) return this.#openUntil - now;
    return this.#probe === null ? null : TRY_MS;
  }

  /** A call that may pass does. */
  pass(lease: object): void {
    if (this.#openUntil !== null) this.#probe = lease;
  }

  /** It did not run, or nobody knows how it ended: another one may try. */
  left(lease: object): void {
    if (this.#probe === lease) this.#probe = null;
  }

  ended(lease: object, failed: boolean, { failures, withinMs, pauseMs }: BreakerClaim, now: number): void {
    if (this.#probe === lease) {
      this.#probe = null;
      this.#openUntil = failed ? now + pauseMs : null;
      return;
    }
    // What ran already when it opened tells nothing new.
    if (!failed || this.#openUntil !== null) return;
    this.#failures = [...this.#failures.filter((time) => time > now - withinMs), now].slice(-failures);
    if (this.#failures.length < failures) return;
    this.#failures = [];
    this.#openUntil = now + pauseMs;
  }

  /** True when forgetting it changes nothing. */
  isIdle(now: number, withinMs: number): boolean {
    return this.#openUntil === null && this.#failures.every((time) => time <= now - withinMs);
  }
}
