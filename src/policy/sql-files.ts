import type { SqlToken } from './sql-tokens.ts';

/** Words before a parenthesis that open a list or a query, not the arguments of a function. */
const NO_FUNCTION = new Set(
  'from join in exists as on where select values and or not any all some over union except intersect having by lateral only'.split(
    ' ',
  ),
);

/** Words that end the list of tables behind FROM. */
const LIST_ENDS = new Set(
  'where group order having limit offset fetch union except intersect window select qualify'.split(' '),
);

/** A quoted name that some engines open as a file or fetch as a URL when it stands for a table. */
const FILE_NAME =
  /[/\\:]|\.(csv|tsv|txt|json|jsonl|ndjson|parquet|orc|avro|arrow|db|duckdb|sqlite|xlsx|gz|zst|bz2|xml|log)$/i;

interface Level {
  readonly isCall: boolean;
  inTables: boolean;
}

/**
 * DuckDB, ClickHouse, Drill and others read `FROM 'file.csv'` and `FROM "s3://…"` as a file: the same as a function that
 * reads one. A text has no place where a table is named; `extract(year FROM '…')` is no such place.
 */
export function troubleInFiles(tokens: readonly SqlToken[]): string | null {
  const levels: Level[] = [{ isCall: false, inTables: false }];
  for (const [index, token] of tokens.entries()) {
    const level = levels.at(-1) ?? { isCall: false, inTables: false };
    const before = tokens[index - 1];
    if (token.kind === 'symbol') {
      if (token.text === '(') levels.push({ isCall: isFunction(before), inTables: false });
      else if (token.text === ')' && levels.length > 1) levels.pop();
    } else if (token.kind === 'word') noteWord(level, token.text.toLowerCase(), before);
    else if (level.inTables && namesTable(before) && isFile(token)) return 'a file or an address stands for a table';
  }
  return null;
}

const isFunction = (before: SqlToken | undefined): boolean =>
  before?.kind === 'name' || (before?.kind === 'word' && !NO_FUNCTION.has(before.text.toLowerCase()));

function noteWord(level: Level, word: string, before: SqlToken | undefined): void {
  if (level.isCall) return;
  if (word === 'join') level.inTables = true;
  else if (word === 'from') level.inTables = before?.text.toLowerCase() !== 'distinct';
  else if (LIST_ENDS.has(word)) level.inTables = false;
}

const namesTable = (before: SqlToken | undefined): boolean =>
  before?.text === ',' || ['from', 'join', 'lateral', 'only'].includes(before?.text.toLowerCase() ?? '');

const isFile = ({ kind, text }: SqlToken): boolean => kind === 'string' || (kind === 'name' && FILE_NAME.test(text));

/** MySQL's `SELECT @x := 1` writes a variable of the session. */
export function troubleInAssignments(tokens: readonly SqlToken[]): string | null {
  for (const [index, { kind, text }] of tokens.entries()) {
    if (kind !== 'symbol' || !text.startsWith(':')) continue;
    const isAssignment = text === ':=' || tokens[index + 1]?.text === '=';
    const target = `${tokens[index - 2]?.text ?? ''}${tokens[index - 1]?.text ?? ''}`;
    if (isAssignment && target.includes('@')) return 'it assigns a variable';
  }
  return null;
}
