import Database from 'libsql';
import { SallyportError } from '../core/index.ts';
import { sqliteError } from './sqlite-error.ts';

/** An open connection of the SQLite library. */
export type Connection = Database.Database;

/** "Sprt", as SQLite's application id, so that another program's file is not taken for ours. */
const APPLICATION_ID = 0x53707274;
/** `user_version`: raised with every change of the tables, never lowered. */
const SCHEMA_VERSION = 1;
const PAGE_BYTES = 4_096;

const SCHEMA = `
  CREATE TABLE entry (
    space TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER, PRIMARY KEY (space, key)
  ) STRICT;
  CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
  CREATE TABLE claim (
    space TEXT NOT NULL, key TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (space, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX claim_expires ON claim (expires);
  CREATE TABLE time (id INTEGER PRIMARY KEY CHECK (id = 1), highest INTEGER NOT NULL) STRICT;
  INSERT INTO time VALUES (1, 0);
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * Opens a file as a store, alone: the kernel's lock on it is held until it is closed or the process dies.
 *
 * A rollback journal, truncated and synced with every commit: the write-ahead log of SQLite before 3.51.3 can lose commits when
 * it is reset, and the library has an older one inside. What a killed process left half done is rolled back here.
 *
 * @throws SallyportError STORE_OWNED, STORE_CORRUPT, STORE_VERSION, STORE_FULL, STORE_FAILED; nothing is deleted
 */
export function openDatabase(file: string, maxBytes: number): Connection {
  let connection: Connection | undefined;
  try {
    connection = new Database(file, { timeout: 0 });
    connection.exec('PRAGMA locking_mode = EXCLUSIVE');
    takeLock(connection, file);
    configure(connection, maxBytes);
    check(connection, file);
    return connection;
  } catch (error) {
    connection?.close();
    throw sqliteError(error, file);
  }
}

function takeLock(connection: Connection, file: string): void {
  try {
    connection.exec('BEGIN EXCLUSIVE; COMMIT');
  } catch (error) {
    const cause = sqliteError(error, file);
    throw cause.code === 'STORE_BUSY' ? owned(file, cause) : cause;
  }
}

const owned = (file: string, cause: unknown): SallyportError =>
  new SallyportError('STORE_OWNED', `another process has the store open: ${file}`, { cause });

/** `fullfsync`: on macOS, fsync alone leaves data in the cache of the drive. */
function configure(connection: Connection, maxBytes: number): void {
  setting(connection, 'journal_mode = TRUNCATE', 'truncate');
  for (const pragma of ['synchronous = FULL', 'fullfsync = ON', 'secure_delete = ON', 'cell_size_check = ON']) {
    connection.exec(`PRAGMA ${pragma}`);
  }
  setting(connection, 'synchronous', 2);
  connection.exec(`PRAGMA trusted_schema = OFF; PRAGMA max_page_count = ${Math.floor(maxBytes / PAGE_BYTES)}`);
}

/** SQLite ignores what it does not know, or cannot do, without a word. */
function setting(connection: Connection, pragma: string, expected: string | number): void {
  const found = pragmaValue(connection, pragma);
  if (found === expected) return;
  throw new SallyportError('STORE_FAILED', `SQLite refused PRAGMA ${pragma}: ${JSON.stringify(found)}`);
}

function pragmaValue(connection: Connection, pragma: string): unknown {
  const row: unknown = connection.prepare(`PRAGMA ${pragma}`).raw().get();
  return Array.isArray(row) ? row[0] : undefined;
}

function check(connection: Connection, file: string): void {
  const version = pragmaValue(connection, 'user_version');
  const application = pragmaValue(connection, 'application_id');
  const tables = connection.prepare('SELECT count(*) FROM sqlite_schema').raw().get();
  if (version === 0 && application === 0 && Array.isArray(tables) && tables[0] === 0) {
    connection.exec(`BEGIN IMMEDIATE; ${SCHEMA} COMMIT`);
    return;
  }
  if (application !== APPLICATION_ID || typeof version !== 'number' || version < 1) throw foreign(file);
  if (version > SCHEMA_VERSION) throw tooNew(file);
  if (pragmaValue(connection, 'quick_check(1)') !== 'ok') throw damaged(file);
}

const foreign = (file: string): SallyportError =>
  new SallyportError('STORE_CORRUPT', `the file is a database, but no store of Sallyport: ${file}`);
const tooNew = (file: string): SallyportError =>
  new SallyportError('STORE_VERSION', `a newer Sallyport wrote the store: ${file}`);
const damaged = (file: string): SallyportError =>
  new SallyportError('STORE_CORRUPT', `the store fails SQLite's quick_check: ${file}`);
