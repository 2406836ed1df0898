import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callsPerMinute, decideRate, type RateHistory } from './rate-limit.ts';

const limit = callsPerMinute(30, { id: 'tools.x.rateLimit' });
const spread = (count: number, from: number, to: number): RateHistory =>
  Array.from({ length: count }, (_, index) => from + Math.round((index * (to - from)) / Math.max(1, count - 1)));

describe('decideRate', () => {
  it('denies the 31st call in a minute, allows the 30th, and opens when the window has passed', () => {
    expect(decideRate(limit, spread(30, 0, 59_000), 59_000).finding?.code).toBe('RATE_LIMITED');
    expect(decideRate(limit, spread(29, 0, 59_000), 59_000).finding).toBeNull();
    expect(decideRate(limit, spread(30, 0, 30_000), 91_000).finding).toBeNull();
    expect(decideRate(limit, spread(30, 0, 0), 59_999).finding?.code).toBe('RATE_LIMITED');
    expect(decideRate(limit, spread(30, 0, 0), 60_000).finding).toBeNull();
  });

  it('says when a call fits again, and then it does', () => {
    const verdict = decideRate(limit, spread(30, 1_000, 59_000), 59_000);
    expect(verdict.retryAfterMs).toBe(2_000);
    expect(verdict.finding?.instead).toBe('Call again in 2 s');
    expect(decideRate(limit, verdict.history, 61_000).finding).toBeNull();
  });

  it('counts a clock that goes back, or is none, against the caller', () => {
    expect(decideRate(limit, spread(30, 100_000, 110_000), 5_000).finding?.code).toBe('RATE_LIMITED');
    expect(decideRate(limit, spread(30, 0, 10), Number.NaN).finding?.code).toBe('RATE_LIMITED');
    expect(decideRate({ ...limit, maxCalls: Number.NaN }, [], 0).finding?.code).toBe('RATE_LIMITED');
    expect(decideRate({ ...limit, maxCalls: 0 }, [], 0).finding?.code).toBe('RATE_LIMITED');
  });

  it('never lets more than the limit pass in any window, and keeps no more than the limit', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 5 }), (steps, maxCalls) => {
        let now = 0;
        let history: RateHistory = [];
        const passed: number[] = [];
        for (const step of steps) {
          now += step;
          const verdict = decideRate({ ...limit, maxCalls }, history, now);
          history = verdict.history;
          if (verdict.finding === null) passed.push(now);
          expect(history.length).toBeLessThanOrEqual(maxCalls);
        }
        for (const [index, time] of passed.entries()) {
          const later = passed[index + maxCalls];
          if (later !== undefined) expect(later - time).toBeGreaterThanOrEqual(60_000);
        }
      }),
    );
  });
});
