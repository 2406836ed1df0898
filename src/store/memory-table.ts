import { SallyportError } from '../core/index.ts';
import type { Row, Table } from './table.ts';

/** What a row costs besides its text, roughly. */
const ROW_BYTES = 128;

export interface MemoryTable extends Table {
  /** Undoes everything that `run` wrote when it throws. */
  transaction<T>(run: () => T): T;
}

/** Rows in maps, and a list of how to undo each write since the transaction began. A claim is a row without a value. */
export function memoryTable(maxBytes: number): MemoryTable {
  const maps = new Map<string, Map<string, Row>>();
  let bytes = 0;
  let undo: (() => void)[] = [];

  function mapOf(name: string): Map<string, Row> {
    const map = maps.get(name) ?? new Map<string, Row>();
    maps.set(name, map);
    return map;
  }

  function set(map: Map<string, Row>, key: string, row: Row | undefined): void {
    const before = map.get(key);
    const grown = cost(row) - cost(before);
    if (grown > 0 && bytes + grown > maxBytes) {
      throw new SallyportError('STORE_FULL', 'the store has reached its size');
    }
    bytes += grown;
    place(map, key, row);
    undo.push(() => {
      bytes -= grown;
      place(map, key, before);
    });
  }

  function rollBack(to: number): void {
    for (const step of undo.splice(to).reverse()) step();
  }

  function attemptOrUndo<T>(attempt: () => T, keep: (result: T) => boolean): T {
    const from = undo.length;
    try {
      const result = attempt();
      if (!keep(result)) rollBack(from);
      return result;
    } catch (error) {
      rollBack(from);
      throw error;
    }
  }

  return {
    entry: (space, key) => mapOf(`entry ${space}`).get(key) ?? null,
    putEntry: (space, row) => set(mapOf(`entry ${space}`), row.key, row),
    deleteEntry: (space, key) => set(mapOf(`entry ${space}`), key, undefined),
    claim: (space, key) => mapOf(`claim ${space}`).get(key)?.expires ?? null,
    putClaim: (space, key, expires) => set(mapOf(`claim ${space}`), key, { key, value: '', expires }),
    scan: (space, after, count) => scan(mapOf(`entry ${space}`), after, count),
    forget(time, count) {
      const old = [...maps.values()].flatMap((map) => expired(map, time)).slice(0, count);
      for (const { map, key } of old) set(map, key, undefined);
      return old.length;
    },
    undoable: (attempt) => attemptOrUndo(attempt, (kept) => kept),
    transaction(run) {
      undo = [];
      return attemptOrUndo(run, () => true);
    },
  };
}

const cost = (row: Row | undefined): number =>
  row === undefined ? 0 : ROW_BYTES + 2 * (row.key.length + row.value.length);

function place(map: Map<string, Row>, key: string, row: Row | undefined): void {
  if (row === undefined) map.delete(key);
  else map.set(key, row);
}

/** UTF-16 order, in which JavaScript sorts, is not the order of bytes beyond the basic plane. */
const byBytes = (left: Row, right: Row): number => Buffer.compare(Buffer.from(left.key), Buffer.from(right.key));

function scan(map: Map<string, Row>, after: string, count: number): Row[] {
  const start: Row = { key: after, value: '', expires: null };
  return [...map.values()]
    .filter((row) => byBytes(row, start) > 0)
    .sort(byBytes)
    .slice(0, count);
}

const expired = (map: Map<string, Row>, time: number): { map: Map<string, Row>; key: string }[] =>
  [...map.values()].filter((row) => row.expires !== null && row.expires <= time).map((row) => ({ map, key: row.key }));
