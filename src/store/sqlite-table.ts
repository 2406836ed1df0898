import { SallyportError } from '../core/index.ts';
import type { Connection } from './sqlite-database.ts';
import type { Row, Table } from './table.ts';

export interface SqliteTable extends Table {
  /** The highest time stored: milliseconds since the epoch. */
  highest(): number;
  remember(time: number): void;
}

/** The table on prepared statements; values only ever travel as parameters. */
export function sqliteTable(connection: Connection): SqliteTable {
  const statement = (sql: string) => connection.prepare(sql).raw();
  const entry = statement('SELECT key, value, expires FROM entry WHERE space = ? AND key = ?');
  const putEntry = connection.prepare(
    'INSERT INTO entry VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value, expires = excluded.expires',
  );
  const deleteEntry = connection.prepare('DELETE FROM entry WHERE space = ? AND key = ?');
  const claim = statement('SELECT expires FROM claim WHERE space = ? AND key = ?');
  const putClaim = connection.prepare(
    'INSERT INTO claim VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET expires = excluded.expires',
  );
  const scan = statement('SELECT key, value, expires FROM entry WHERE space = ? AND key > ? ORDER BY key LIMIT ?');
  const forgetEntries = connection.prepare(
    'DELETE FROM entry WHERE rowid IN (SELECT rowid FROM entry WHERE expires <= ? LIMIT ?)',
  );
  const forgetClaims = connection.prepare(
    'DELETE FROM claim WHERE (space, key) IN (SELECT space, key FROM claim WHERE expires <= ? LIMIT ?)',
  );
  const highest = statement('SELECT highest FROM time WHERE id = 1');
  const remember = connection.prepare('UPDATE time SET highest = ?1 WHERE id = 1 AND highest < ?1');
  return {
    entry: (space, key) => readRow(entry.get(space, key)),
    putEntry: (space, row) => void putEntry.run(space, row.key, row.value, row.expires),
    deleteEntry: (space, key) => void deleteEntry.run(space, key),
    claim: (space, key) => readNumber(claim.get(space, key)),
    putClaim: (space, key, expires) => void putClaim.run(space, key, expires),
    scan: (space, after, count) => scan.all(space, after, count).map(existingRow),
    forget(time, count) {
      const entries = forgetEntries.run(time, count).changes;
      return entries < count ? entries + forgetClaims.run(time, count - entries).changes : entries;
    },
    undoable: (attempt) => undoable(connection, attempt),
    highest: () => readNumber(highest.get()) ?? damaged(),
    remember: (time) => void remember.run(time),
  };
}

function undoable(connection: Connection, attempt: () => boolean): boolean {
  connection.exec('SAVEPOINT batch');
  let kept = false;
  try {
    kept = attempt();
    return kept;
  } finally {
    // A full disk may have rolled everything back already; then there is no savepoint any more.
    if (connection.inTransaction) connection.exec(kept ? 'RELEASE batch' : 'ROLLBACK TO batch; RELEASE batch');
  }
}

function damaged(): never {
  throw new SallyportError('STORE_CORRUPT', 'a row of the store has not the shape it was written with');
}

function readRow(row: unknown): Row | null {
  return row === undefined ? null : existingRow(row);
}

function existingRow(row: unknown): Row {
  if (!Array.isArray(row)) return damaged();
  const [key, value, expires]: unknown[] = row;
  if (typeof key !== 'string' || typeof value !== 'string') return damaged();
  if (expires !== null && typeof expires !== 'number') return damaged();
  return { key, value, expires };
}

function readNumber(row: unknown): number | null {
  if (row === undefined) return null;
  const value: unknown = Array.isArray(row) ? row[0] : null;
  return typeof value === 'number' ? value : damaged();
}
