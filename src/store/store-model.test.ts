import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { canonicalJson, isSallyportError, type JsonValue } from '../core/index.ts';
import { memoryStore, openStore, type Store } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Step =
  | { kind: 'put' | 'add' | 'compare'; key: string; value: number; life: number }
  | { kind: 'claim'; key: string; life: number }
  | { kind: 'get' | 'delete'; key: string }
  | { kind: 'list' | 'sweep' | 'reopen' }
  | { kind: 'clock'; by: number };

const key = fc.constantFrom('a', 'b', 'é', '\u{1f512}', '\uffff');
const life = fc.integer({ min: -5, max: 30 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('put', 'add', 'compare'), key, value: fc.integer({ min: -3, max: 3 }), life }),
  fc.record({ kind: fc.constant('claim'), key, life }),
  fc.record({ kind: fc.constantFrom('get', 'delete'), key }),
  fc.record({ kind: fc.constantFrom('list', 'sweep', 'reopen') }),
  fc.record({ kind: fc.constant('clock'), by: fc.integer({ min: -40, max: 40 }) }),
) as fc.Arbitrary<Step>;

/** What a store should say, written the plain way. A restart keeps the time that went with a write, or mattered to a read. */
class Model {
  time = 0;
  remembered = 0;
  readonly #entries = new Map<string, { value: number; expires: number }>();
  readonly #claims = new Map<string, number>();

  live(name: string): { value: number; expires: number } | null {
    const found = this.#entries.get(name);
    if (found === undefined) return null;
    if (found.expires > this.time) return found;
    this.remembered = this.time;
    return null;
  }
  put(name: string, value: number, expires: number): void {
    this.#entries.set(name, { value, expires });
  }
  delete(name: string): boolean {
    const found = this.live(name) !== null;
    this.#entries.delete(name);
    return found;
  }
  claim(name: string, expires: number, clock: number): boolean | 'STORE_CLOCK' {
    if (expires <= this.time) return expires <= clock ? false : 'STORE_CLOCK';
    if ((this.#claims.get(name) ?? 0) > this.time) return false;
    this.#claims.set(name, expires);
    return true;
  }
  sweep(): void {
    for (const [name, { expires }] of this.#entries) if (expires <= this.time) this.#entries.delete(name);
  }
  list(): string[] {
    return [...this.#entries.keys()]
      .filter((name) => this.live(name) !== null)
      .sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  }
}

interface World {
  store: Store;
  clock: number;
  readonly model: Model;
  reopen(): Promise<Store>;
}

/** Does a step with the store and with the model; both answers must be the same. */
async function compare(world: World, done: Step): Promise<void> {
  const { store, model } = world;
  if (done.kind !== 'clock' && done.kind !== 'reopen') model.time = Math.max(model.time, world.clock);
  if (!['clock', 'reopen', 'get', 'list'].includes(done.kind)) model.remembered = model.time;
  const expires = world.clock + ('life' in done ? done.life : 0);
  const expiresAt = Math.max(0, expires);
  const said = async (promise: Promise<unknown>): Promise<unknown> =>
    promise.catch((error: unknown) => (isSallyportError(error) ? error.code : error));
  switch (done.kind) {
    case 'put':
      await store.put('space', done.key, done.value, { expiresAt });
      return model.put(done.key, done.value, expiresAt);
    case 'add': {
      const before = model.live(done.key);
      const sum = (before?.value ?? 0) + done.value;
      expect(await store.add('space', done.key, done.value, { expiresAt })).toBe(sum);
      return model.put(done.key, sum, before?.expires ?? expiresAt);
    }
    case 'compare': {
      const fits = model.live(done.key)?.value === done.value;
      expect(await store.compareAndSet('space', done.key, done.value, 9, { expiresAt })).toBe(fits);
      return fits ? model.put(done.key, 9, expiresAt) : undefined;
    }
    case 'claim':
      expect(await said(store.claim('space', done.key, expiresAt))).toBe(model.claim(done.key, expiresAt, world.clock));
      return;
    case 'get':
      expect(await store.get('space', done.key)).toBe(model.live(done.key)?.value ?? null);
      return;
    case 'delete':
      expect(await store.delete('space', done.key)).toBe(model.delete(done.key));
      return;
    case 'list':
      expect((await store.list('space', { limit: 100 })).entries.map((entry) => entry.key)).toEqual(model.list());
      return;
    case 'sweep':
      await store.sweep(model.time);
      return model.sweep();
    case 'reopen':
      world.store = await world.reopen();
      return;
    case 'clock':
      world.clock = Math.max(1, world.clock + done.by);
  }
}

const runs = process.env['SLOW'] === '1' ? 1_000 : 25;

test('the memory store says what the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world: World = { model: new Model(), clock: 1_000, store: memoryStore(), reopen: async () => world.store };
      world.store = memoryStore({ clock: { now: () => world.clock, mono: () => 0 } });
      for (const done of steps) await compare(world, done);
    }),
    { numRuns: runs * 5 },
  );
});

test('the SQLite store says what the model says, over restarts', async () => {
  let files = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const file = join(folder, `${files++}.db`);
      const clock = { now: () => world.clock, mono: () => 0 };
      const reopen = async (): Promise<Store> => {
        await world.store.close();
        world.model.time = world.model.remembered;
        return openStore({ file, clock });
      };
      const world: World = { model: new Model(), clock: 1_000, store: memoryStore(), reopen };
      world.store = await openStore({ file, clock });
      for (const done of steps) await compare(world, done);
      await world.store.close();
    }),
    { numRuns: runs },
  );
});

test('values come back as the JSON that they were', async () => {
  const store = await openStore({ file: join(folder, 'values.db') });
  const json = fc.jsonValue({ maxDepth: 6, noUnicodeString: false }) as fc.Arbitrary<JsonValue>;
  await fc.assert(
    fc.asyncProperty(json, async (value) => {
      const outcome = await store.put('space', 'key', value).then(
        () => 'fine',
        (error: unknown) => (isSallyportError(error) ? error.code : String(error)),
      );
      if (outcome === 'fine') {
        expect(canonicalJson(await store.get('space', 'key'))).toBe(canonicalJson(value));
      } else {
        expect(outcome).toMatch(/^(INPUT_|STORE_REQUEST)/);
      }
    }),
    { numRuns: runs },
  );
  await store.close();
});
