import { afterEach, describe, expect, it, vi } from 'vitest';
import { throttled } from './throttle.ts';

afterEach(() => vi.useRealTimers());

describe('throttled', () => {
  it('acts at once, and once more for all that came in its time', () => {
    vi.useFakeTimers();
    let acted = 0;
    const run = throttled(() => {
      acted += 1;
    }, 1_000);
    for (let count = 0; count < 10_000; count++) run();
    expect(acted).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(acted).toBe(2);
    vi.advanceTimersByTime(10_000);
    expect(acted).toBe(2);
    run();
    expect(acted).toBe(3);
  });
});
