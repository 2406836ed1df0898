import assert from 'node:assert/strict';
import { type Clock, type ErrorCode, isSallyportError } from '../core/index.ts';
import type { Store } from './store.ts';

/** A fresh, empty store. `reopen` closes it and opens what it left behind with the same clock; absent when nothing stays. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
}

export type OpenStoreUnderTest = (clock: Clock) => Promise<StoreUnderTest>;

/** One promise of {@link Store}; `run` throws when it is broken. It closes what it opened. */
export interface StoreCase {
  readonly name: string;
  run(open: OpenStoreUnderTest): Promise<void>;
}

/** A clock that is set by hand: milliseconds since the epoch. */
interface HandClock extends Clock {
  set(time: number): void;
}

const START = 1_700_000_000_000;

function handClock(): HandClock {
  let time = START;
  return {
    now: () => time,
    mono: () => 0,
    set: (to) => {
      time = to;
    },
  };
}

type Check = (store: Store, clock: HandClock, reopen: () => Promise<Store>) => Promise<void>;

function storeCase(name: string, check: Check): StoreCase {
  return {
    name,
    async run(open) {
      const clock = handClock();
      const opened = await open(clock);
      let current = opened.store;
      const reopen = async (): Promise<Store> => {
        current = opened.reopen === undefined ? current : await opened.reopen();
        return current;
      };
      try {
        await check(current, clock, reopen);
      } finally {
        await current.close();
      }
    },
  };
}

async function rejects(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isSallyportError(error, code), `expected ${code}`);
}

/**
 * The promises of {@link Store} as cases for any test runner, for whoever writes a store on another database.
 * @example
 * for (const { name, run } of storeContract) test(name, () => run(openMine));
 */
export const storeContract: readonly StoreCase[] = [
  storeCase('a value is there after put, over a restart, and gone after delete', async (store, _clock, reopen) => {
    const value = { text: 'päth \u0000 \u{1f512}', list: [1, null, { deep: true }], zero: 0 };
    await store.put('labels', 'key', value);
    assert.deepEqual(await store.get('labels', 'key'), value);
    const again = await reopen();
    assert.deepEqual(await again.get('labels', 'key'), value);
    assert.equal(await again.get('grants', 'key'), null);
    assert.equal(await again.delete('labels', 'key'), true);
    assert.equal(await again.delete('labels', 'key'), false);
    assert.equal(await again.get('labels', 'key'), null);
  }),
  storeCase('a value is a frozen copy', async (store) => {
    const value = { list: [1] };
    const done = store.put('labels', 'key', value);
    value.list.push(2);
    await done;
    const read = await store.get('labels', 'key');
    assert.deepEqual(read, { list: [1] });
    assert.ok(Object.isFrozen(read));
  }),
  storeCase('what is outside the limits is refused', async (store) => {
    for (const space of ['', 'A', 'a_b', 'a'.repeat(33), 'ä', 'a\n']) {
      await rejects(store.get(space, 'key'), 'STORE_REQUEST');
    }
    for (const key of ['', 'a\0b', '\ud800', 'k'.repeat(513), 'ä'.repeat(257)]) {
      await rejects(store.put('labels', key, 1), 'STORE_REQUEST');
      await rejects(store.claim('labels', key, START + 1), 'STORE_REQUEST');
    }
    for (const time of [Number.NaN, 1.5, -1, Number.POSITIVE_INFINITY]) {
      await rejects(store.claim('labels', 'key', time), 'STORE_REQUEST');
      await rejects(store.put('labels', 'key', 1, { expiresAt: time }), 'STORE_REQUEST');
    }
    await rejects(store.put('labels', 'key', null), 'STORE_REQUEST');
    await rejects(store.put('labels', 'key', 'v'.repeat(262_143)), 'INPUT_TOO_LARGE');
    await rejects(store.put('labels', 'key', '\ud800'), 'INPUT_LONE_SURROGATE');
    await rejects(store.list('labels', { limit: 0 }), 'STORE_REQUEST');
    await rejects(store.list('labels', { limit: 1_001 }), 'STORE_REQUEST');
    await rejects(store.add('labels', 'key', 0.5), 'STORE_REQUEST');
    assert.equal(await store.get('labels', 'key'), null);
  }),
  storeCase('the largest key and value fit', async (store) => {
    const key = 'ä'.repeat(256);
    const value = 'v'.repeat(262_142);
    await store.put('labels', key, value);
    assert.equal(await store.get('labels', key), value);
  }),
  storeCase('list gives pages in the order of the bytes of keys', async (store) => {
    const keys = ['', 'B', 'a', 'a/1', 'z', 'é', '\uffff', '\u{1f512}'].map((tail) => `k${tail}`);
    for (const key of keys.toReversed()) await store.put('labels', key, key);
    await store.put('label', 'elsewhere', 1);
    await store.claim('labels', 'claimed', START + 1_000);
    const first = await store.list('labels', { limit: 5 });
    assert.deepEqual(
      first.entries.map((entry) => entry.key),
      keys.slice(0, 5),
    );
    assert.equal(first.next, 'kz');
    const second = await store.list('labels', { after: 'kz', limit: 5 });
    assert.deepEqual(
      second.entries.map((entry) => entry.value),
      keys.slice(5),
    );
    assert.equal(second.next, null);
  }),
  storeCase('a page is bounded in bytes', async (store) => {
    for (let index = 0; index < 8; index++) await store.put('labels', `key-${index}`, 'v'.repeat(250_000));
    const first = await store.list('labels', { limit: 1_000 });
    assert.ok(first.entries.length < 8 && first.next !== null);
    const second = await store.list('labels', { after: first.next ?? '', limit: 1_000 });
    assert.equal(first.entries.length + second.entries.length, 8);
  }),
  storeCase('a value ends at its expiry', async (store, clock) => {
    await store.put('grants', 'key', 1, { expiresAt: START + 10 });
    clock.set(START + 9);
    assert.equal(await store.get('grants', 'key'), 1);
    clock.set(START + 10);
    assert.equal(await store.get('grants', 'key'), null);
    assert.deepEqual((await store.list('grants', { limit: 10 })).entries, []);
    assert.equal(await store.delete('grants', 'key'), false);
  }),
  storeCase('what was seen expired stays expired when the clock steps back', async (store, clock, reopen) => {
    await store.put('grants', 'key', 1, { expiresAt: START + 10 });
    clock.set(START + 10);
    assert.equal(await store.get('grants', 'key'), null);
    clock.set(START);
    assert.equal(await store.get('grants', 'key'), null);
    assert.equal(await (await reopen()).get('grants', 'key'), null);
  }),
  storeCase('a claim is granted once, whoever asks, also over a restart', async (store, _clock, reopen) => {
    const asked = await Promise.all(Array.from({ length: 50 }, () => store.claim('nonces', 'one', START + 1_000)));
    assert.equal(asked.filter(Boolean).length, 1);
    assert.equal(asked[0], true);
    const again = await reopen();
    assert.equal(await again.claim('nonces', 'one', START + 2_000), false);
    assert.equal(await again.claim('nonces', 'two', START + 1_000), true);
    assert.equal(await again.claim('grants', 'one', START + 1_000), true);
  }),
  storeCase('nothing but its expiry frees a claim', async (store, clock) => {
    assert.equal(await store.claim('nonces', 'one', START + 1_000), true);
    await store.put('nonces', 'one', 1, { expiresAt: START + 1 });
    assert.equal(await store.delete('nonces', 'one'), true);
    clock.set(START + 999);
    assert.equal(await store.sweep(START + 5_000), 0);
    assert.equal(await store.claim('nonces', 'one', START + 9_000), false);
    clock.set(START + 1_000);
    assert.equal(await store.claim('nonces', 'one', START + 9_000), true);
    assert.equal(await store.claim('nonces', 'one', START + 9_000), false);
  }),
  storeCase('what is expired already is not granted', async (store) => {
    assert.equal(await store.claim('nonces', 'old', START), false);
    assert.equal(await store.claim('nonces', 'old', START - 1), false);
  }),
  storeCase('a claim that was forgotten is not granted to a clock that stepped back', async (store, clock, reopen) => {
    assert.equal(await store.claim('nonces', 'one', START + 10), true);
    clock.set(START + 100);
    assert.equal(await store.sweep(START + 100), 1);
    clock.set(START);
    await rejects(store.claim('nonces', 'one', START + 10), 'STORE_CLOCK');
    const again = await reopen();
    await rejects(again.claim('nonces', 'one', START + 10), 'STORE_CLOCK');
    await rejects(again.batch([{ kind: 'claim', space: 'nonces', key: 'one', expiresAt: START + 10 }]), 'STORE_CLOCK');
    assert.equal(await again.claim('nonces', 'one', START + 200), true);
  }),
  storeCase('a counter adds up, and keeps the expiry it began with', async (store, clock) => {
    const sums = await Promise.all(
      Array.from({ length: 20 }, () => store.add('counts', 'key', 1, { expiresAt: START + 10 })),
    );
    assert.deepEqual(
      sums,
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
    assert.equal(await store.add('counts', 'key', -5, { expiresAt: START + 99 }), 15);
    assert.equal(await store.get('counts', 'key'), 15);
    clock.set(START + 10);
    assert.equal(await store.add('counts', 'key', 1), 1);
  }),
  storeCase('what is no counter does not add up', async (store) => {
    await store.put('counts', 'text', 'one');
    await rejects(store.add('counts', 'text', 1), 'STORE_REQUEST');
    await store.put('counts', 'large', Number.MAX_SAFE_INTEGER);
    await rejects(store.add('counts', 'large', 1), 'STORE_REQUEST');
    assert.equal(await store.get('counts', 'large'), Number.MAX_SAFE_INTEGER);
  }),
  storeCase('compareAndSet replaces what it expects, as JSON', async (store, clock) => {
    assert.equal(await store.compareAndSet('labels', 'key', { a: 1 }, 2), false);
    assert.equal(await store.compareAndSet('labels', 'key', null, { a: 1, b: [2] }, { expiresAt: START + 10 }), true);
    assert.equal(await store.compareAndSet('labels', 'key', null, 3), false);
    assert.equal(await store.compareAndSet('labels', 'key', { b: [2], a: 1 }, 3, { expiresAt: START + 10 }), true);
    assert.equal(await store.get('labels', 'key'), 3);
    clock.set(START + 10);
    assert.equal(await store.compareAndSet('labels', 'key', 3, 4), false);
    assert.equal(await store.compareAndSet('labels', 'key', null, 4), true);
  }),
  storeCase('of many that compare, one sets', async (store) => {
    const all = await Promise.all(Array.from({ length: 30 }, (_, index) => store.compareAndSet('l', 'k', null, index)));
    assert.equal(all.filter(Boolean).length, 1);
  }),
  storeCase('a batch happens whole or not at all', async (store, _clock, reopen) => {
    await store.put('labels', 'kept', 'before');
    const writes = [
      { kind: 'put', space: 'labels', key: 'kept', value: 'after' },
      { kind: 'add', space: 'counts', key: 'sum', amount: 3 },
      { kind: 'delete', space: 'labels', key: 'nothing' },
      { kind: 'claim', space: 'grants', key: 'once', expiresAt: START + 1_000 },
    ] as const;
    assert.equal(await store.batch(writes), true);
    assert.equal(await store.get('labels', 'kept'), 'after');
    await store.put('labels', 'kept', 'later');
    assert.equal(await store.batch(writes), false);
    const unequal = { kind: 'compareAndSet', space: 'labels', key: 'kept', expected: 1, value: 2 } as const;
    const other = { kind: 'claim', space: 'grants', key: 'other', expiresAt: START + 1_000 } as const;
    assert.equal(await store.batch([other, unequal]), false);
    await store.put('counts', 'text', 'no counter');
    const failing = { kind: 'add', space: 'counts', key: 'text', amount: 1 } as const;
    await rejects(store.batch([other, { ...writes[0], value: 'half' }, failing]), 'STORE_REQUEST');
    const again = await reopen();
    assert.equal(await again.get('labels', 'kept'), 'later');
    assert.equal(await again.get('counts', 'sum'), 3);
    assert.equal(await again.claim('grants', 'other', START + 1_000), true);
    assert.equal(await again.batch([]), true);
  }),
  storeCase('a batch with one bad write writes nothing', async (store) => {
    const good = { kind: 'put', space: 'labels', key: 'key', value: 1 } as const;
    await rejects(store.batch([good, { ...good, space: 'BAD' }]), 'STORE_REQUEST');
    await rejects(store.batch(Array.from({ length: 257 }, () => good)), 'STORE_REQUEST');
    assert.equal(await store.get('labels', 'key'), null);
  }),
  storeCase('sweep forgets what is expired, and no more than time allows', async (store, clock) => {
    await store.batch(
      Array.from({ length: 200 }, (_, index) => ({
        kind: 'put' as const,
        space: 'grants',
        key: `key-${index}`,
        value: index,
        expiresAt: START + 1 + (index % 2) * 1_000,
      })),
    );
    assert.equal(await store.sweep(START + 9_999_999), 0);
    clock.set(START + 500);
    assert.equal(await store.sweep(START + 400), 100);
    assert.equal(await store.sweep(START + 500), 0);
    assert.equal((await store.list('grants', { limit: 1_000 })).entries.length, 100);
  }),
  storeCase('many sweeps of steps end', async (store, clock) => {
    for (let round = 0; round < 5; round++) {
      const writes = Array.from({ length: 256 }, (_, index) => ({
        kind: 'claim' as const,
        space: 'nonces',
        key: `${round}-${index}`,
        expiresAt: START + 1,
      }));
      assert.equal(await store.batch(writes), true);
    }
    clock.set(START + 1);
    assert.equal(await store.sweep(START + 1), 1_280);
  }),
  storeCase('operations happen in the order in which they were asked', async (store) => {
    const answers = await Promise.all([
      store.put('labels', 'key', 1),
      store.get('labels', 'key'),
      store.put('labels', 'key', 2),
      store.get('labels', 'key'),
      store.delete('labels', 'key'),
      store.get('labels', 'key'),
    ]);
    assert.deepEqual(answers, [undefined, 1, undefined, 2, true, null]);
  }),
  storeCase('one refused operation leaves those asked beside it alone', async (store) => {
    await store.put('counts', 'text', 'no counter');
    const [first, second, third] = await Promise.allSettled([
      store.put('labels', 'a', 1),
      store.add('counts', 'text', 1),
      store.put('labels', 'b', 2),
    ]);
    assert.deepEqual([first.status, second.status, third.status], ['fulfilled', 'rejected', 'fulfilled']);
    assert.equal(await store.get('labels', 'b'), 2);
  }),
  storeCase('close waits for what was asked, and ends everything', async (store) => {
    const asked = store.put('labels', 'key', 1);
    await Promise.all([store.close(), store.close()]);
    await asked;
    await rejects(store.get('labels', 'key'), 'STORE_CLOSED');
    await rejects(store.claim('nonces', 'key', START + 1), 'STORE_CLOSED');
  }),
];
