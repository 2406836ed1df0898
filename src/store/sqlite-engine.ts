import { applyGroup, type Outcome } from './engine.ts';
import type { Operation } from './operation.ts';
import { type Connection, openDatabase } from './sqlite-database.ts';
import { sqliteError } from './sqlite-error.ts';
import { sqliteTable } from './sqlite-table.ts';
import { storeTime } from './store-time.ts';

/** SQLite, synchronous: what the worker thread runs. */
export interface SqliteEngine {
  /**
   * Does a group in one transaction; durable when it returns.
   * @throws SallyportError STORE_FULL: nothing was done; any other code: nothing was acknowledged, and nothing may follow
   */
  run(operations: readonly Operation[], now: number): readonly Outcome[];
  close(): void;
}

/** @throws SallyportError as {@link openDatabase} */
export function openSqliteEngine(file: string, maxBytes: number): SqliteEngine {
  const connection = openDatabase(file, maxBytes);
  const table = sqliteTable(connection);
  let seen = table.highest();
  return {
    run(operations, now) {
      const time = storeTime(now, seen);
      seen = time.highest;
      try {
        connection.exec('BEGIN');
        const outcomes = applyGroup(table, operations, time);
        if (time.relied() || operations.some(isWrite)) table.remember(time.highest);
        connection.exec('COMMIT');
        return outcomes;
      } catch (error) {
        rollBack(connection);
        throw sqliteError(error, file);
      }
    },
    close: () => void connection.close(),
  };
}

const isWrite = ({ kind }: Operation): boolean => kind !== 'get' && kind !== 'list';

/** SQLite rolls some failures back by itself. */
function rollBack(connection: Connection): void {
  if (connection.inTransaction) connection.exec('ROLLBACK');
}
