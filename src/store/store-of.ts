import { deepFreeze, type JsonValue, parseStrictJson, SallyportError } from '../core/index.ts';
import type { Answer, PageAnswer } from './apply.ts';
import type { Engine } from './engine.ts';
import { groupQueue } from './group-queue.ts';
import { checkBatch, checkKey, checkList, checkSpace, checkTime, checkWrite, type Operation } from './operation.ts';
import { STORE_LIMITS, type Store, type StorePage, type StoreWrite } from './store.ts';

/** Rows that a sweep forgets in one transaction. */
const SWEEP_ROWS = 500;

/** The store on top of an engine: checks what goes in, groups it, and reads what comes out. */
export function storeOf(engine: Engine, now: () => number): Store {
  const queue = groupQueue(engine, now);
  const ask = async (make: () => Operation): Promise<Answer> => queue.ask(make());
  const write = (value: StoreWrite): Promise<Answer> => ask(() => checkWrite(value));
  const close = (): Promise<void> => queue.close();
  return {
    async get(space, key) {
      return readValue(await ask(() => ({ kind: 'get', space: checkSpace(space), key: checkKey(key) })));
    },
    async put(space, key, value, options) {
      await write({ kind: 'put', space, key, value, ...options });
    },
    async delete(space, key) {
      return asBoolean(await write({ kind: 'delete', space, key }));
    },
    async list(space, { after, limit }) {
      return readPage(await ask(() => checkList(space, after, limit)));
    },
    async claim(space, key, expiresAt) {
      return asBoolean(await write({ kind: 'claim', space, key, expiresAt }));
    },
    async add(space, key, amount, options) {
      return asNumber(await write({ kind: 'add', space, key, amount, ...options }));
    },
    async compareAndSet(space, key, expected, value, options) {
      return asBoolean(await write({ kind: 'compareAndSet', space, key, expected, value, ...options }));
    },
    async batch(writes) {
      return asBoolean(await ask(() => checkBatch(writes)));
    },
    async sweep(time) {
      let total = 0;
      for (;;) {
        const operation: Operation = { kind: 'sweep', now: checkTime(time), limit: SWEEP_ROWS };
        const count = asNumber(await queue.ask(operation));
        total += count;
        if (count < SWEEP_ROWS) return total;
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const unreadable = (cause?: unknown): SallyportError =>
  new SallyportError('STORE_CORRUPT', 'the store holds or answers what it was never given', { cause });

function readValue(answer: Answer): JsonValue | null {
  if (answer === null) return null;
  if (typeof answer !== 'string') throw unreadable();
  try {
    return deepFreeze(
      parseStrictJson(answer, { maxBytes: STORE_LIMITS.valueBytes, maxDepth: STORE_LIMITS.valueDepth }),
    );
  } catch (error) {
    throw unreadable(error);
  }
}

function readPage(answer: Answer): StorePage {
  if (!isPage(answer)) throw unreadable();
  const entries = answer.rows.map(({ key, value }) => {
    const read = readValue(value);
    if (read === null) throw unreadable();
    return Object.freeze({ key, value: read });
  });
  return Object.freeze({ entries: Object.freeze(entries), next: answer.next });
}

const isPage = (answer: Answer): answer is PageAnswer => typeof answer === 'object' && answer !== null;

function asBoolean(answer: Answer): boolean {
  if (typeof answer !== 'boolean') throw unreadable();
  return answer;
}

function asNumber(answer: Answer): number {
  if (typeof answer !== 'number') throw unreadable();
  return answer;
}
