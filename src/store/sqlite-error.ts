import { type ErrorCode, isSallyportError, SallyportError } from '../core/index.ts';

/** Primary result codes of SQLite (https://sqlite.org/rescode.html): the low byte of an extended one. */
const CODES: ReadonlyMap<number, ErrorCode> = new Map<number, ErrorCode>([
  [5, 'STORE_BUSY'],
  [11, 'STORE_CORRUPT'],
  [13, 'STORE_FULL'],
  [26, 'STORE_CORRUPT'],
]);

/** What SQLite threw as an error of ours; what is not in the table is STORE_FAILED. */
export function sqliteError(error: unknown, file: string): SallyportError {
  if (isSallyportError(error)) return error;
  const raw = typeof error === 'object' && error !== null && 'rawCode' in error ? Number(error.rawCode) : 0;
  const message = error instanceof Error ? error.message : String(error);
  const code = CODES.get(raw & 0xff) ?? 'STORE_FAILED';
  return new SallyportError(code, `the store cannot be used: ${message} (SQLite ${raw}): ${file}`, { cause: error });
}
