import { SallyportError } from '../core/index.ts';
import type { Operation, WriteOperation } from './operation.ts';
import { STORE_LIMITS } from './store.ts';
import type { StoreTime } from './store-time.ts';
import type { Row, Table } from './table.ts';

/** What an operation answers: text of a value, truth, a count, nothing, or a page. */
export type Answer = string | number | boolean | null | PageAnswer;

export interface PageAnswer {
  readonly rows: readonly { readonly key: string; readonly value: string }[];
  readonly next: string | null;
}

/** Rows that `list` reads from the table at once: bounds what is in memory beyond the page. */
const SCAN_ROWS = 32;

/**
 * The meaning of every operation, the same on every engine.
 * @throws SallyportError STORE_REQUEST, STORE_CLOCK; then nothing was written
 */
export function applyOperation(table: Table, operation: Operation, time: StoreTime): Answer {
  switch (operation.kind) {
    case 'get':
      return liveRow(table, operation, time)?.value ?? null;
    case 'list':
      return readPage(table, operation, time);
    case 'sweep':
      return sweep(table, operation, time);
    case 'batch':
      return table.undoable(() => operation.writes.every((write) => applyWrite(table, write, time) !== false));
    case 'delete': {
      const found = liveRow(table, operation, time) !== null;
      table.deleteEntry(operation.space, operation.key);
      return found;
    }
    default:
      return applyWrite(table, operation, time);
  }
}

/** A write inside a batch: false means that a condition does not hold. That there was nothing to delete is none. */
function applyWrite(table: Table, write: WriteOperation, time: StoreTime): number | boolean | null {
  switch (write.kind) {
    case 'put':
      table.putEntry(write.space, { key: write.key, value: write.value, expires: write.expires });
      return null;
    case 'delete':
      table.deleteEntry(write.space, write.key);
      return null;
    case 'claim':
      return claim(table, write, time);
    case 'add':
      return add(table, write, time);
    case 'compareAndSet': {
      if ((liveRow(table, write, time)?.value ?? null) !== write.expected) return false;
      table.putEntry(write.space, { key: write.key, value: write.value, expires: write.expires });
      return true;
    }
  }
}

function liveRow(table: Table, { space, key }: { space: string; key: string }, time: StoreTime): Row | null {
  const row = table.entry(space, key);
  return row === null || time.passed(row.expires) ? null : row;
}

/** INVARIANT: a key is granted only while it is unexpired by the store's time and no claim of it is on the table. */
function claim(table: Table, write: WriteOperation & { kind: 'claim' }, time: StoreTime): boolean {
  const { space, key, expires } = write;
  if (time.passed(expires)) {
    if (expires <= time.clock) return false;
    throw new SallyportError(
      'STORE_CLOCK',
      'the clock runs behind the time that the store has seen: nothing is granted',
    );
  }
  const claimed = table.claim(space, key);
  if (claimed !== null && !time.passed(claimed)) return false;
  table.putClaim(space, key, expires);
  return true;
}

function add(table: Table, write: WriteOperation & { kind: 'add' }, time: StoreTime): number {
  const row = liveRow(table, write, time);
  const before: unknown = row === null ? 0 : JSON.parse(row.value);
  const after = typeof before === 'number' ? before + write.amount : Number.NaN;
  if (!Number.isSafeInteger(before) || !Number.isSafeInteger(after)) {
    throw new SallyportError('STORE_REQUEST', 'the value is no counter, or would leave the safe integers');
  }
  const expires = row === null ? write.expires : row.expires;
  table.putEntry(write.space, { key: write.key, value: String(after), expires });
  return after;
}

function readPage(table: Table, list: Operation & { kind: 'list' }, time: StoreTime): PageAnswer {
  const rows: { key: string; value: string }[] = [];
  let { after } = list;
  let bytes = 0;
  for (;;) {
    const scanned = table.scan(list.space, after, SCAN_ROWS);
    for (const row of scanned) {
      if (rows.length === list.limit || bytes >= STORE_LIMITS.pageBytes) return { rows, next: after };
      after = row.key;
      if (time.passed(row.expires)) continue;
      rows.push({ key: row.key, value: row.value });
      bytes += row.value.length;
    }
    if (scanned.length < SCAN_ROWS) return { rows, next: null };
  }
}

/** A time ahead of the store's own is no reason to forget. */
function sweep(table: Table, operation: Operation & { kind: 'sweep' }, time: StoreTime): number {
  const until = Math.min(operation.now, time.highest);
  const count = table.forget(until, operation.limit);
  if (count > 0) time.passed(until);
  return count;
}
