import { beforeEach, describe, expect, test } from 'vitest';
import { memoryStore, type Store } from '../store/index.ts';
import { CallLimits, type Lease, type Misfit } from './call-limits.ts';
import type { Holder } from './calls.ts';
import { LimitCounters } from './limit-counters.ts';
import type { BreakerClaim, LimitClaim, Reservation } from './limit-messages.ts';

const KEY = '0'.repeat(64);
const OTHER = '1'.repeat(64);
const [MINE, THEIRS]: readonly Holder[] = [{ peer: 'a' }, { peer: 'b' }];
const times = { mono: () => now, wall: () => 1_000_000 + now };
let now = 0;
let store: Store;
let limits: CallLimits;
beforeEach(async () => {
  now = 0;
  store = memoryStore();
  limits = new CallLimits(await LimitCounters.open(store, times), times);
});

const claim = (more: Partial<LimitClaim> = {}): LimitClaim => ({
  ...{ key: KEY, kind: 'calls', max: 2, windowMs: 1_000, amount: 1 },
  ...more,
});
const reserve = (claims: LimitClaim[], holder = MINE, breakers: BreakerClaim[] = []): Lease | Misfit => {
  if (holder === undefined) throw new Error('no holder');
  return limits.reserve(holder, { session: 's', claims, breakers } satisfies Reservation);
};
const leaseOf = (found: Lease | Misfit): Lease => {
  if ('id' in found) return found;
  throw new Error(`does not fit: ${found.which}`);
};

describe('the limits of calls', () => {
  test('all of a reservation is taken, or nothing', () => {
    const both = [claim(), claim({ key: OTHER, kind: 'concurrent', max: 1, windowMs: 0 })];
    leaseOf(reserve(both));
    expect(reserve(both)).toEqual({ which: 1, waitMs: 1_000 });
    leaseOf(reserve([claim()]));
    expect(reserve([claim()])).toEqual({ which: 0, waitMs: 1_000 });
  });

  test('a lease is its holder’s alone, and good for one call', () => {
    const { id } = leaseOf(reserve([claim({ max: 1 })]));
    if (MINE === undefined || THEIRS === undefined) return expect.unreachable();
    limits.giveBack(THEIRS, id);
    expect(() => limits.use(THEIRS, id)).toThrow(expect.objectContaining({ code: 'KEEPER_LOST' }));
    expect('id' in reserve([claim({ max: 1 })])).toBe(false);
    limits.use(MINE, id);
    expect(() => limits.use(MINE, id)).toThrow(expect.objectContaining({ code: 'KEEPER_LOST' }));
    limits.giveBack(MINE, id); // used: it counts
    expect('id' in reserve([claim({ max: 1 })])).toBe(false);
  });

  test('what a holder that is gone did not use is free, and what others reserved is not', () => {
    leaseOf(reserve([claim()]));
    leaseOf(reserve([claim()], THEIRS));
    if (MINE !== undefined) limits.release(MINE);
    leaseOf(reserve([claim()]));
    expect('id' in reserve([claim()])).toBe(false);
  });

  test('what is no number fits nowhere', () => {
    expect(reserve([claim({ amount: Number.NaN })])).toMatchObject({ which: 0 });
    expect(reserve([claim({ max: Number.NaN })])).toMatchObject({ which: 0 });
  });

  test('a breaker whose call that tries is given back lets another one try', () => {
    const breakers = [{ key: KEY, failures: 1, withinMs: 1_000, pauseMs: 500 }];
    const failing = leaseOf(reserve([], MINE, breakers));
    limits.end(failing, { bytes: 0, failed: true });
    expect(reserve([], MINE, breakers)).toEqual({ which: 0, waitMs: 500 });
    now = 500;
    const { id } = leaseOf(reserve([], MINE, breakers));
    expect('id' in reserve([], THEIRS, breakers)).toBe(false);
    if (MINE !== undefined) limits.giveBack(MINE, id);
    leaseOf(reserve([], THEIRS, breakers));
  });

  test('bytes of a result that do not fit are refused before they count', () => {
    const lease = leaseOf(reserve([claim({ kind: 'bytes', max: 100, amount: 40 })]));
    expect(() => limits.checkResult(lease, 61)).toThrow(expect.objectContaining({ code: 'BYTES_LIMITED' }));
    limits.checkResult(lease, 60);
    limits.end(lease, { bytes: 60, failed: false });
    expect('id' in reserve([claim({ kind: 'bytes', max: 100, amount: 1 })])).toBe(false);
  });

  test('bytes of a result count also when the call outlived its window', async () => {
    const bytes = claim({ kind: 'bytes', max: 100, amount: 40 });
    const lease = leaseOf(reserve([bytes]));
    now = 100_000;
    leaseOf(reserve([claim()]));
    await limits.saved(); // forgets what has ended
    limits.checkResult(lease, 90);
    limits.end(lease, { bytes: 90, failed: false });
    expect('id' in reserve([bytes])).toBe(false);
  });

  test('counts are there again over the same store', async () => {
    leaseOf(reserve([claim()]));
    leaseOf(reserve([claim()]));
    await limits.saved();
    now = 400;
    limits = new CallLimits(await LimitCounters.open(store, times), times);
    expect(reserve([claim()])).toEqual({ which: 0, waitMs: 600 });
    now = 100_000;
    // What has ended is forgotten with the next write.
    leaseOf(reserve([claim({ key: OTHER })]));
    await limits.saved();
    await limits.saved();
    expect((await store.list('limit', { limit: 9 })).entries.map(({ key }) => key)).toEqual([`calls-1000-${OTHER}`]);
  });

  test('no more counts are kept than may be: one peer that names new ones is refused, and others are not', () => {
    const names = Array.from({ length: 16_384 }, (_, n) => claim({ key: `${n}`.padStart(64, '0') }));
    for (const one of names) {
      if (MINE !== undefined) limits.giveBack(MINE, leaseOf(reserve([{ ...one, key: `k${one.key}` }])).id);
    }
    // Those that count nothing are forgotten; those that do are kept.
    for (const one of names.slice(0, 4_000)) leaseOf(reserve([one]));
    leaseOf(reserve([claim({ key: 'new' })], THEIRS));
    leaseOf(reserve([claim({ key: 'another' })]));
  });
});
