import { expect, test } from 'vitest';
import { RateMeter } from './rate-meter.ts';

test('RateMeter gives the burst at once, then so many a second, to each key', () => {
  const meter = new RateMeter({ burst: 3, perSecond: 2 });
  expect([1, 2, 3, 4].map(() => meter.take('a', 0))).toEqual([true, true, true, false]);
  expect(meter.take('b', 0)).toBe(true);
  expect([400, 500, 600].map((at) => meter.take('a', at))).toEqual([false, true, false]);
  expect([1, 2, 3, 4].map(() => meter.take('a', 60_000))).toEqual([true, true, true, false]);
});

test('RateMeter forgets no key that is not whole again, however many new ones come', () => {
  const meter = new RateMeter({ burst: 1, perSecond: 1 });
  for (let key = 0; key < 10_000; key++) expect(meter.take(`k${key}`, 0)).toBe(true);
  expect(meter.take('new', 500)).toBe(false);
  expect(meter.take('k0', 500)).toBe(false);
  expect(meter.take('new', 1_000)).toBe(true);
});
