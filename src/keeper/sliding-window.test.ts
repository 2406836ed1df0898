import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlidingWindow } from './sliding-window.ts';

describe('a sliding window', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 9 })), { maxLength: 300 });

  test('in no window is there ever more than may be, whatever the times', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 100 }), (moves, max) => {
        const window = new SlidingWindow(640);
        const passed: [number, number][] = [];
        let now = 0;
        for (const [pause, amount] of moves) {
          now += pause;
          if (window.total(now) + amount > max) continue;
          window.add(now, amount);
          passed.push([now, amount]);
          const recent = passed.filter(([time]) => time > now - 640).reduce((sum, [, one]) => sum + one, 0);
          expect(recent).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  test('what it says to wait is enough', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 9, max: 60 }), (moves, max) => {
        const window = new SlidingWindow(640);
        let now = 0;
        for (const [pause, amount] of moves) {
          now += pause;
          if (window.total(now) + amount > max) {
            const wait = window.waitFor(now, amount, max) ?? Number.NaN;
            expect(window.total(now + wait) + amount).toBeLessThanOrEqual(max);
            now += wait;
          }
          window.add(now, amount);
        }
      }),
    );
  });

  test('counts exactly what comes far apart, and a sixty-fourth longer what comes close together', () => {
    const window = new SlidingWindow(6_400);
    for (const time of [0, 50, 99, 100, 1_000]) window.add(time, 1);
    expect([6_399, 6_498, 6_499, 6_500, 7_400].map((time) => window.total(time))).toEqual([5, 5, 2, 1, 0]);
  });

  test('keeps no more than some seventy slices of whatever comes', () => {
    const window = new SlidingWindow(6_400);
    for (let time = 0; time < 20_000; time += 1) window.add(time, 1);
    expect(window.save(20_000).length).toBeLessThan(70);
  });

  test('gives back what was taken, once it is there', () => {
    const window = new SlidingWindow(100);
    const [first, second] = [window.add(0, 5), window.add(50, 7)];
    window.takeBack(second);
    expect(window.total(60)).toBe(5);
    expect(window.total(100)).toBe(0);
    window.takeBack(first);
    expect(window.total(101)).toBe(0);
  });

  test('never fits what is more than the maximum by itself', () => {
    expect(new SlidingWindow(100).waitFor(0, 11, 10)).toBeNull();
  });

  test('saved and loaded it is as old as it was, and older by what passed', () => {
    const window = new SlidingWindow(1_000);
    window.add(0, 3);
    window.add(400, 4);
    const loaded = SlidingWindow.load(1_000, window.save(500), 70_000, 200);
    expect([70_000, 70_300, 70_700].map((time) => loaded.total(time))).toEqual([7, 4, 0]);
  });
});
