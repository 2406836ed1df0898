import { quoteForMessage } from '../core/index.ts';
import { deny, type Finding } from './finding.ts';
import { troubleInAssignments, troubleInFiles } from './sql-files.ts';
import {
  ACTING_WORDS,
  BEFORE_OPERANDS,
  CHANGING_WORDS,
  FORBIDDEN_WORDS,
  isActingFunction,
  READING_PRAGMAS,
  READING_STATEMENTS,
} from './sql-tables.ts';
import { readSqlTokens, type SqlToken } from './sql-tokens.ts';

/**
 * Judges a text by `as: sql-read-only`: one statement that only reads, in every dialect that we know. `null`: it is one.
 * What is not sure is denied. Functions that users define may write unseen: the account of the database is what finally
 * decides, this check keeps honest mistakes and known bypasses away from it.
 *
 * ATTACKER-CONTROLLED: `sql`.
 * @example
 * judgeReadOnlySql('select 1; drop table users')?.code; // 'SQL_NOT_READ_ONLY'
 */
export function judgeReadOnlySql(sql: string): Finding | null {
  const tokens = readSqlTokens(sql);
  const found = typeof tokens === 'string' ? tokens : troubleInTokens(tokens);
  return found === null ? null : deny('SQL_NOT_READ_ONLY', `the SQL is not known to only read: ${found}`);
}

/** Nothing before the first token, nothing after the last. */
const NOTHING: SqlToken = { kind: 'symbol', text: '' };

function troubleInTokens(all: readonly SqlToken[]): string | null {
  const end = all.findIndex((token) => isSymbol(token, ';'));
  const tokens = end < 0 ? all : all.slice(0, end);
  if (all.length > tokens.length + 1) return 'there is more than one statement';
  return (
    troubleInStart(tokens) ??
    troubleInWords(tokens) ??
    troubleInCalls(tokens) ??
    troubleInFiles(tokens) ??
    troubleInAssignments(tokens)
  );
}

const isSymbol = (token: SqlToken | undefined, text: string): boolean =>
  token?.kind === 'symbol' && token.text === text;
const isWord = (token: SqlToken | undefined, ...texts: readonly string[]): boolean =>
  token?.kind === 'word' && texts.includes(token.text);

function troubleInStart(tokens: readonly SqlToken[]): string | null {
  const first = tokens.find((token) => !isSymbol(token, '('));
  if (first === undefined) return 'there is no statement';
  if (first.kind !== 'word' || !READING_STATEMENTS.has(first.text)) {
    return `a statement may not start with ${quoteForMessage(first.text, 40)}`;
  }
  if (first.text === 'pragma') return troubleInPragma(tokens);
  if (first.text === 'explain' || first.text === 'describe' || first.text === 'desc') return troubleInExplain(tokens);
  return null;
}

/** `PRAGMA [schema.]name` and `PRAGMA [schema.]name(argument)`, for names that only tell. */
function troubleInPragma(tokens: readonly SqlToken[]): string | null {
  const start = isSymbol(tokens[2], '.') ? 3 : 1;
  const name = tokens[start];
  const [open, argument, close, ...rest] = tokens.slice(start + 1);
  const isPlain = open === undefined || (isSymbol(open, '(') && argument?.kind !== 'symbol' && isSymbol(close, ')'));
  if (name?.kind === 'word' && READING_PRAGMAS.has(name.text) && isPlain && rest.length === 0) return null;
  return 'this PRAGMA may set something';
}

/** EXPLAIN of something that reads, and not run on the way; `EXPLAIN t` and `DESCRIBE t` name a table. */
function troubleInExplain(tokens: readonly SqlToken[]): string | null {
  if (tokens.some((token) => isWord(token, 'analyze', 'analyse'))) return 'EXPLAIN ANALYZE runs what it explains';
  if (tokens.some((token) => isWord(token, 'plan')) && tokens.some((token) => isWord(token, 'for'))) {
    return 'EXPLAIN PLAN FOR writes to a table';
  }
  return null;
}

function troubleInWords(tokens: readonly SqlToken[]): string | null {
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word') continue;
    if (isSymbol(tokens[index - 1], '.') && isNamePart(tokens[index - 2])) continue;
    const found = troubleInWord(token.text, tokens[index - 1] ?? NOTHING, tokens[index + 1] ?? NOTHING);
    if (found !== null) return found;
  }
  return null;
}

function troubleInWord(word: string, before: SqlToken, after: SqlToken): string | null {
  const found = `${quoteForMessage(word.toUpperCase(), 40)} stands where it acts`;
  if (FORBIDDEN_WORDS.has(word)) return found;
  if (word === 'for' && isWord(after, 'update', 'no', 'share', 'key'))
    return 'it locks the rows that it reads (FOR UPDATE)';
  if (!CHANGING_WORDS.has(word) && !ACTING_WORDS.has(word)) return null;
  if (word === 'replace' && isSymbol(after, '(')) return null;
  if (word === 'create' && isWord(before, 'show')) return null;
  if (word === 'use' && isWord(after, 'index', 'key')) return null;
  return isOperandPlace(before, CHANGING_WORDS.has(word)) ? null : found;
}

/** `t.update` is a column; `1.update` is a number and a word. */
const isNamePart = (token: SqlToken | undefined): boolean =>
  token?.kind === 'word' || token?.kind === 'name' || isSymbol(token, ']');

const OPERATORS: ReadonlySet<string> = new Set([
  ...[',', '+', '-', '/', '%', '&', '|', '^', '||'],
  ...['=', '<', '>', '<=', '>=', '<>', '!='],
]);

/** No dialect starts a statement here: SQL Server reserves these words, the others need a semicolon or a parenthesis. */
function isOperandPlace(before: SqlToken, isChanging: boolean): boolean {
  if (before.kind === 'word') return BEFORE_OPERANDS.has(before.text);
  return before.kind === 'symbol' && (OPERATORS.has(before.text) || (before.text === '(' && !isChanging));
}

/** A name before a parenthesis is a call; a package (`utl_http.request`) counts for all that it holds. */
function troubleInCalls(tokens: readonly SqlToken[]): string | null {
  for (const [index, token] of tokens.entries()) {
    if (token.kind !== 'word' && token.kind !== 'name') continue;
    const name = token.text.toLowerCase();
    const after = tokens[index + 1];
    const isCalled = isSymbol(after, '(') || isSymbol(after, '.');
    if (isCalled && isActingFunction(name) && !isTableBefore(name, after)) {
      return `the function ${quoteForMessage(name, 40)} may do more than read`;
    }
  }
  return null;
}

/** `file.name` is a column of a table; only names that nobody gives to tables count as packages. */
const isTableBefore = (name: string, after: SqlToken | undefined): boolean =>
  isSymbol(after, '.') && !/^(?:utl|dbms|owa)_|^(?:ctxsys|ordsys|httpuritype|urifactory)$/.test(name);
