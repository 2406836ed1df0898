import { expect, test } from 'vitest';
import { parseReference, SallyportError, type SecretReference } from '../core/index.ts';
import { disposeSecret, useSecret } from './handle.ts';
import type { SecretLimits } from './limits.ts';
import type { ProvidedSecret, SecretProvider } from './provider.ts';
import { type ResolvedSecret, SecretResolver } from './resolver.ts';

/** Time that stands still until it is moved; what waits is woken in order. */
class FakeTime {
  #now = 1_000_000;
  readonly #waiting = new Set<{ at: number; wake: () => void }>();
  readonly clock = { now: () => this.#now, mono: () => this.#now * 1_000 };

  readonly wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      const one = { at: this.#now + ms, wake: resolve };
      this.#waiting.add(one);
      signal.addEventListener('abort', () => this.#waiting.delete(one) && reject(signal.reason), { once: true });
    });

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settle();
      const next = [...this.#waiting].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#waiting.delete(next);
      this.#now = next.at;
      next.wake();
    }
    this.#now = end;
    await settle();
  }
}

const settle = async (): Promise<void> => {
  for (let turns = 0; turns < 5; turns++) await new Promise(setImmediate);
};

type Answer = (reference: SecretReference, signal: AbortSignal) => Promise<ProvidedSecret>;

function world(answer: Answer, limits: Partial<SecretLimits> = {}, scheme: SecretProvider['scheme'] = 'vault') {
  const time = new FakeTime();
  const calls: string[] = [];
  let running = 0;
  const seen = { most: 0 };
  const provider: SecretProvider = {
    scheme,
    async resolve(reference, { signal }) {
      calls.push(reference.text);
      running += 1;
      seen.most = Math.max(seen.most, running);
      try {
        return await answer(reference, signal);
      } finally {
        running -= 1;
      }
    },
  };
  const resolver = new SecretResolver({ providers: [provider], clock: time.clock, wait: time.wait, limits });
  return { time, calls, seen, resolver };
}

const A = parseReference('vault:kv/a#key');
const giving = (value: string, version = '1'): ProvidedSecret => ({ value: Buffer.from(value), version });
const textOf = (resolved: ResolvedSecret): Promise<string> => useSecret(resolved.handle, (value) => value.toString());
const down = (): SallyportError => new SallyportError('SECRET_PROVIDER_UNAVAILABLE', 'down');

test('a value is fetched once, kept for its time, and fetched again: a rotation is seen without a restart', async () => {
  let version = 1;
  const { resolver, calls, time } = world(async () => giving(`value-${version}`, String(version)));
  expect(await textOf(await resolver.resolve(A))).toBe('value-1');
  version = 2;
  await time.advance(299_999);
  expect(await textOf(await resolver.resolve(A))).toBe('value-1');
  await time.advance(1);
  const second = await resolver.resolve(A);
  expect([await textOf(second), second.version, second.stale, second.handle.secret]).toEqual([
    'value-2',
    '2',
    false,
    '[secret:vault:kv/a#key#v2]',
  ]);
  expect(calls).toHaveLength(2);
});

test('a thousand who ask for one value at once cost one fetch', async () => {
  const { resolver, calls } = world(async () => {
    await settle();
    return giving('value-1');
  });
  const all = await Promise.all(Array.from({ length: 1_000 }, () => resolver.resolve(A)));
  expect(new Set(await Promise.all(all.map(textOf)))).toEqual(new Set(['value-1']));
  expect(calls).toHaveLength(1);
  disposeSecret(all[0]!.handle);
  expect(await textOf(all[1]!)).toBe('value-1');
  expect(await textOf(await resolver.resolve(A))).toBe('value-1');
});

test.each([10_000, 7])(
  'a thousand who ask for different values at once get each their own, with room for %i',
  async (cacheEntries) => {
    const { resolver, seen } = world(
      async (reference) => {
        if (reference.path.length % 2 === 0) await settle();
        return giving(`value of ${reference.path}`);
      },
      { cacheEntries },
      'keystore',
    );
    const references = Array.from({ length: 1_000 }, (_, at) => parseReference(`keystore:n${at}`));
    const all = await Promise.all(references.map((reference) => resolver.resolve(reference)));
    expect(await Promise.all(all.map(textOf))).toEqual(references.map(({ path }) => `value of ${path}`));
    expect(seen.most).toBe(8);
  },
);

test('a provider over a network is asked so often a second, and no more', async () => {
  const { resolver, calls, time } = world(async () => giving('value-1'));
  const all = Promise.all(
    Array.from({ length: 200 }, (_, at) => resolver.resolve(parseReference(`vault:kv/n${at}#key`))),
  );
  await time.advance(0);
  expect(calls.length).toBeLessThanOrEqual(41);
  await time.advance(1_000);
  expect(calls.length).toBeLessThanOrEqual(82);
  await time.advance(10_000);
  expect(await all).toHaveLength(200);
});

test('more than may wait are turned away', async () => {
  const { resolver } = world(() => new Promise(() => undefined), { queue: 2, concurrency: 1 });
  const results = [1, 2, 3].map((at) => resolver.resolve(parseReference(`vault:kv/n${at}#key`)));
  for (const result of results) result.catch(() => undefined);
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_THROTTLED' });
  await resolver.close();
});

test('"there is none" is believed for a while, then asked again', async () => {
  let there = false;
  const { resolver, calls, time } = world(async () => {
    if (there) return giving('value-1');
    throw new SallyportError('SECRET_NOT_FOUND', 'none');
  });
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  there = true;
  await time.advance(9_999);
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_NOT_FOUND' });
  expect(calls).toHaveLength(1);
  await time.advance(1);
  expect(await textOf(await resolver.resolve(A))).toBe('value-1');
});

test('while the provider is down an older value is used, says so, and not for ever', async () => {
  let answer: Answer = async () => giving('value-1');
  const { resolver, calls, time } = world((...asked) => answer(...asked));
  await resolver.resolve(A);
  answer = async () => {
    throw down();
  };
  await time.advance(300_000);
  const stale = await resolver.resolve(A);
  expect([await textOf(stale), stale.stale]).toEqual(['value-1', true]);
  await resolver.resolve(A);
  expect(calls).toHaveLength(2);
  await time.advance(599_999);
  expect((await resolver.resolve(A)).stale).toBe(true);
  await time.advance(60_000);
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
});

test.each([
  'SECRET_ACCESS_DENIED',
  'SECRET_NOT_FOUND',
  'SECRET_DELETED',
  'SECRET_DESTROYED',
  'SECRET_MALFORMED',
] as const)('after %s no older value is used, also when the provider is down later', async (code) => {
  let answer: Answer = async () => giving('value-1');
  const { resolver, time } = world((...asked) => answer(...asked));
  await resolver.resolve(A);
  await time.advance(300_000);
  answer = async () => {
    throw new SallyportError(code, 'no');
  };
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code });
  answer = async () => {
    throw down();
  };
  await time.advance(10_000);
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
});

test('a provider that is down is asked at growing distances', async () => {
  const { resolver, calls, time } = world(async () => {
    throw down();
  });
  for (let second = 0; second < 60; second++) {
    await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
    await time.advance(1_000);
  }
  // At 0, 1, 3, 7, 15, 31 seconds.
  expect(calls).toHaveLength(6);
});

test('a refused value is fetched anew once, however many calls it was refused to, and is never used stale', async () => {
  let answer: Answer = async () => giving('value-1');
  const { resolver, calls, time } = world((...asked) => answer(...asked));
  const used = await Promise.all(Array.from({ length: 100 }, () => resolver.resolve(A)));
  expect(resolver.invalidate(A, used[0]!)).toBe(false);
  await time.advance(5_000);
  answer = async () => giving('value-2', '2');
  for (const one of used) expect(resolver.invalidate(A, one)).toBe(true);
  const fresh = await Promise.all(used.map(() => resolver.resolve(A)));
  expect(await textOf(fresh[99]!)).toBe('value-2');
  for (const one of used) expect(resolver.invalidate(A, one)).toBe(true);
  await resolver.resolve(A);
  expect(calls).toHaveLength(2);
  await time.advance(5_000);
  answer = async () => {
    throw down();
  };
  expect(resolver.invalidate(A, fresh[0]!)).toBe(true);
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
});

test('who leaves stops the fetch only for all when nobody is left', async () => {
  const stopped: unknown[] = [];
  let finish = (_: ProvidedSecret): void => undefined;
  const { resolver, calls } = world((_, signal) => {
    signal.addEventListener('abort', () => stopped.push(signal.reason));
    return new Promise((resolve) => {
      finish = resolve;
    });
  });
  const [one, two] = [new AbortController(), new AbortController()];
  const first = resolver.resolve(A, { signal: one.signal });
  const second = resolver.resolve(A, { signal: two.signal });
  await settle();
  one.abort(new RangeError('first left'));
  await expect(first).rejects.toThrow('first left');
  expect(stopped).toEqual([]);
  finish(giving('value-1'));
  expect(await textOf(await second)).toBe('value-1');
  expect(calls).toHaveLength(1);
});

test('when all have left, the fetch stops, its late value is wiped, and the next one starts anew', async () => {
  const late = giving('value-late');
  let finish = (): void => undefined;
  let answer: Answer = () =>
    new Promise((resolve) => {
      finish = () => resolve(late);
    });
  const { resolver, calls } = world((...asked) => answer(...asked));
  const stop = new AbortController();
  const left = resolver.resolve(A, { signal: stop.signal });
  await settle();
  stop.abort(new RangeError('left'));
  await expect(left).rejects.toThrow('left');
  answer = async () => giving('value-2');
  expect(await textOf(await resolver.resolve(A))).toBe('value-2');
  finish();
  await settle();
  expect(late.value.every((byte) => byte === 0)).toBe(true);
  expect(await textOf(await resolver.resolve(A))).toBe('value-2');
  expect(calls).toHaveLength(2);
});

test('a provider that never answers is given up (1.1, 8: no timeout)', async () => {
  const { resolver, time } = world(() => new Promise(() => undefined));
  const waiting = resolver.resolve(A).catch((error: unknown) => error);
  await time.advance(15_000);
  expect(await waiting).toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
});

test.each([
  ['an empty value', '', 'SECRET_EMPTY'],
  ['blanks', ' \n\t', 'SECRET_EMPTY'],
  ['too large a value', 'x'.repeat(65_537), 'SECRET_TOO_LARGE'],
])('%s of a provider that does not check is an error', async (_, value, code) => {
  const { resolver } = world(async () => giving(value));
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code });
});

test('a scheme without a provider is an error (1.1, 6: an unknown manager gave None, and the tool ran)', async () => {
  const { resolver } = world(async () => giving('value-1'));
  await expect(resolver.resolve(parseReference('keystore:a'))).rejects.toMatchObject({
    code: 'SECRET_PROVIDER_UNKNOWN',
  });
});

test('the value that the provider gave is wiped, and after closing nothing resolves', async () => {
  const given = giving('value-1');
  const { resolver } = world(async () => given);
  const resolved = await resolver.resolve(A);
  expect(given.value.every((byte) => byte === 0)).toBe(true);
  await resolver.close();
  await expect(resolver.resolve(A)).rejects.toMatchObject({ code: 'SECRET_PROVIDER_UNAVAILABLE' });
  expect(await textOf(resolved)).toBe('value-1');
});
