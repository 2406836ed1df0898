import { canonicalJson, copyJson, type JsonValue, SallyportError } from '../core/index.ts';
import { STORE_LIMITS, type StoreWrite } from './store.ts';

/** What an engine is asked to do: checked, with values as canonical JSON text, so that equal values are equal text. */
export type Operation =
  | { readonly kind: 'get'; readonly space: string; readonly key: string }
  | { readonly kind: 'list'; readonly space: string; readonly after: string; readonly limit: number }
  | { readonly kind: 'sweep'; readonly now: number; readonly limit: number }
  | { readonly kind: 'batch'; readonly writes: readonly WriteOperation[] }
  | WriteOperation;

export type WriteOperation =
  | {
      readonly kind: 'put';
      readonly space: string;
      readonly key: string;
      readonly value: string;
      readonly expires: number | null;
    }
  | { readonly kind: 'delete'; readonly space: string; readonly key: string }
  | { readonly kind: 'claim'; readonly space: string; readonly key: string; readonly expires: number }
  | {
      readonly kind: 'add';
      readonly space: string;
      readonly key: string;
      readonly amount: number;
      readonly expires: number | null;
    }
  | {
      readonly kind: 'compareAndSet';
      readonly space: string;
      readonly key: string;
      readonly expected: string | null;
      readonly value: string;
      readonly expires: number | null;
    };

const SPACE = /^[a-z-]{1,32}$/;

const refused = (message: string): SallyportError => new SallyportError('STORE_REQUEST', message);

/** @throws SallyportError STORE_REQUEST */
export function checkSpace(space: string): string {
  if (typeof space === 'string' && SPACE.test(space)) return space;
  throw refused('a space is 1 to 32 of a-z and -');
}

/** U+0000 is refused because engines end text there, and two keys would become one. */
export function checkKey(key: string): string {
  const good = typeof key === 'string' && key !== '' && key.isWellFormed() && !key.includes('\0');
  if (good && key.length <= STORE_LIMITS.keyBytes && Buffer.byteLength(key) <= STORE_LIMITS.keyBytes) return key;
  throw refused(`a key is well-formed text without U+0000, 1 to ${STORE_LIMITS.keyBytes} bytes`);
}

/** @throws SallyportError STORE_REQUEST unless it is a time in whole milliseconds since the epoch */
export function checkTime(time: number): number {
  if (Number.isSafeInteger(time) && time >= 0) return time;
  throw refused('a time is a whole number of milliseconds since the epoch');
}

const checkExpiry = (expiresAt: number | undefined): number | null =>
  expiresAt === undefined ? null : checkTime(expiresAt);

/** @throws SallyportError INPUT_*, STORE_REQUEST for null, which would read like no value */
function checkValue(value: JsonValue): string {
  const { valueBytes, valueDepth } = STORE_LIMITS;
  const text = canonicalJson(copyJson(value, { maxBytes: valueBytes, maxDepth: valueDepth }));
  if (text === 'null') throw refused('null is not a value of a store: delete the key instead');
  if (Buffer.byteLength(text) <= valueBytes) return text;
  throw new SallyportError('INPUT_TOO_LARGE', `a value has at most ${valueBytes} bytes`);
}

/** Checks one write of a caller and takes a copy. */
export function checkWrite(write: StoreWrite): WriteOperation {
  const space = checkSpace(write.space);
  const key = checkKey(write.key);
  switch (write.kind) {
    case 'put':
      return { kind: 'put', space, key, value: checkValue(write.value), expires: checkExpiry(write.expiresAt) };
    case 'delete':
      return { kind: 'delete', space, key };
    case 'claim':
      return { kind: 'claim', space, key, expires: checkTime(write.expiresAt) };
    case 'add':
      return { kind: 'add', space, key, amount: checkAmount(write.amount), expires: checkExpiry(write.expiresAt) };
    case 'compareAndSet': {
      const expected = write.expected === null ? null : checkValue(write.expected);
      const expires = checkExpiry(write.expiresAt);
      return { kind: 'compareAndSet', space, key, expected, value: checkValue(write.value), expires };
    }
    default:
      throw refused('a write is put, delete, claim, add or compareAndSet');
  }
}

function checkAmount(amount: number): number {
  if (Number.isSafeInteger(amount)) return amount;
  throw refused('an amount is a whole number within 2^53-1');
}

/** @throws SallyportError STORE_REQUEST for too many, and what {@link checkWrite} throws */
export function checkBatch(writes: readonly StoreWrite[]): Operation {
  if (!Array.isArray(writes) || writes.length > STORE_LIMITS.batchWrites) {
    throw refused(`a batch has at most ${STORE_LIMITS.batchWrites} writes`);
  }
  return { kind: 'batch', writes: Array.from<StoreWrite, WriteOperation>(writes, checkWrite) };
}

/** @throws SallyportError STORE_REQUEST */
export function checkList(space: string, after: string | undefined, limit: number): Operation {
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > STORE_LIMITS.pageEntries) {
    throw refused(`a page has 1 to ${STORE_LIMITS.pageEntries} entries`);
  }
  return { kind: 'list', space: checkSpace(space), after: after === undefined ? '' : checkKey(after), limit };
}

/** Roughly the bytes that wait with an operation. */
export function sizeOf(operation: Operation): number {
  switch (operation.kind) {
    case 'put':
      return 256 + operation.value.length;
    case 'compareAndSet':
      return 256 + operation.value.length + (operation.expected?.length ?? 0);
    case 'batch':
      return operation.writes.reduce((sum, write) => sum + sizeOf(write), 256);
    default:
      return 256;
  }
}
