import type { RuleReference } from './decision.ts';
import { deny, type Finding } from './finding.ts';

/** At most this many calls in any window of this length. */
export interface RateLimit {
  readonly maxCalls: number;
  readonly windowMs: number;
  readonly rule: RuleReference;
}

/** When the calls that count were made: milliseconds since the epoch, oldest first. As long as the limit at most. */
export type RateHistory = readonly number[];

/** `rateLimit: { maxCallsPerMinute }`. */
export const callsPerMinute = (maxCalls: number, rule: RuleReference): RateLimit =>
  Object.freeze({ maxCalls, windowMs: 60_000, rule });

/** What the limit says, and the history to keep: unchanged for a call that is denied, which does not count. */
export interface RateVerdict {
  readonly finding: Finding | null;
  readonly history: RateHistory;
  /** Milliseconds until a call fits again; 0 when this one does. */
  readonly retryAfterMs: number;
}

/**
 * Decides by a sliding window: a call is denied when `maxCalls` calls lie less than `windowMs` back. Pure: history and
 * time are given. A clock that goes back makes nobody's window shorter: calls "in the future" count as made now.
 *
 * @example
 * decideRate(callsPerMinute(30, rule), history, clock.now()).finding?.code // 'RATE_LIMITED', or undefined
 */
export function decideRate(limit: RateLimit, history: RateHistory, now: number): RateVerdict {
  const { maxCalls, windowMs, rule } = limit;
  const recent = history.filter((time) => !(time <= now - windowMs)).map((time) => Math.min(time, now));
  // INVARIANT: fails closed. A limit that is no number of calls lets none pass.
  if (!(recent.length < maxCalls)) {
    const oldest = recent[recent.length - Math.max(1, maxCalls)] ?? now;
    const retryAfterMs = Math.max(1, oldest + windowMs - now);
    const reason = `${rule.id} allows ${maxCalls} calls in ${windowMs / 1_000} s`;
    const instead = `Call again in ${Math.ceil(retryAfterMs / 1_000)} s`;
    return { finding: deny('RATE_LIMITED', reason, { rule, instead }), history: Object.freeze(recent), retryAfterMs };
  }
  return { finding: null, history: Object.freeze([...recent, now].sort((a, b) => a - b)), retryAfterMs: 0 };
}
