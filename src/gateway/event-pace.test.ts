import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventPace } from './event-pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const paced = () => {
  const passed: string[] = [];
  return { passed, pace: eventPace<string>((value) => passed.push(value), { firstMs: 250, longestMs: 4_000 }) };
};

describe('eventPace', () => {
  it('passes the first at once, and the newest of what came since when its time has come', () => {
    const { passed, pace } = paced();
    for (const value of ['a1', 'a2', 'a3']) pace.push('a', value);
    pace.push('b', 'b1');
    expect(passed).toEqual(['a1', 'b1']);
    vi.advanceTimersByTime(250);
    expect(passed).toEqual(['a1', 'b1', 'a3']);
  });

  it.each([
    [12, 12],
    [251, 13],
    [501, 14],
  ])('passes few of a kind that comes every %i ms for half a minute', (everyMs, most) => {
    const { passed, pace } = paced();
    for (let at = 0; at < 30_000; at += everyMs) {
      pace.push('a', `${at}`);
      vi.advanceTimersByTime(everyMs);
    }
    expect(passed.length).toBeLessThanOrEqual(most);
    expect(passed.length).toBeGreaterThan(6);
    pace.push('a', 'the last');
    vi.advanceTimersByTime(4_000);
    expect(passed.at(-1)).toBe('the last');
  });

  it('takes a kind that was quiet for long as new', () => {
    const { passed, pace } = paced();
    for (let index = 0; index < 100; index++) {
      pace.push('a', `${index}`);
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(10_000);
    const before = passed.length;
    pace.push('a', 'one');
    pace.push('a', 'two');
    vi.advanceTimersByTime(250);
    expect(passed.slice(before)).toEqual(['one', 'two']);
  });

  it('passes nothing after its end', () => {
    const { passed, pace } = paced();
    pace.push('a', 'one');
    pace.push('a', 'two');
    pace.end();
    vi.advanceTimersByTime(10_000);
    expect([passed, vi.getTimerCount()]).toEqual([['one'], 0]);
  });
});
