/** A piece of a statement. Words are in lower case; quoted names keep their letters. */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'string' | 'number' | 'symbol';
  readonly text: string;
}

/** Longest statement that is read, in UTF-16 units. */
const MAX_SQL_LENGTH = 65_536;

interface Reading {
  readonly sql: string;
  at: number;
  readonly lastLine: number;
  /** Depth of square brackets: names in T-SQL, subscripts elsewhere. */
  brackets: number;
  readonly tokens: SqlToken[];
}

/** Why a text has no tokens that all dialects agree on. */
type Trouble = string;
type Step = (reading: Reading) => Trouble | null;

// Some servers take an invisible or exotic space for white space, others for part of a name.
const UNUSABLE = /(?![\t\n\r])\p{Cc}|\r(?!\n)|\p{Zl}|\p{Zp}|\p{Co}|\p{Cs}/u;

/**
 * The tokens of a statement, for every dialect at once: where PostgreSQL, MySQL, SQLite, SQL Server or Oracle would read
 * different tokens (backslashes before quotes, `#`, `--x`, nested comments, …), the text is refused with the reason.
 * Takes linear time. Comments leave no token.
 *
 * ATTACKER-CONTROLLED: `sql`.
 */
export function readSqlTokens(sql: string): readonly SqlToken[] | Trouble {
  if (sql.length > MAX_SQL_LENGTH) return `it has more than ${MAX_SQL_LENGTH} characters`;
  if (UNUSABLE.test(sql)) return 'it has a control character';
  const reading: Reading = { sql, at: 0, lastLine: sql.lastIndexOf('\n') + 1, brackets: 0, tokens: [] };
  while (reading.at < sql.length) {
    const found = stepAt(reading)(reading);
    if (found !== null) return found;
  }
  return reading.brackets === 0 ? reading.tokens : 'a square bracket is not closed';
}

const SPACE = /[ \t\r\n]/;
const WORD_START = /[\p{L}_]/u;
const WORD = /[\p{L}\p{M}\p{N}_$]+/uy;
const NUMBER = /0x[0-9a-f]+|[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?/iy;
const SYMBOL = /::|\|\||[<>=!]+|[-+*/%^&|~.,;:()@?]/y;

function stepAt({ sql, at }: Reading): Step {
  const two = sql.slice(at, at + 2);
  if (two === '--') return skipLineComment;
  if (two === '/*') return skipBlockComment;
  const character = String.fromCodePoint(sql.codePointAt(at) ?? 0);
  if (SPACE.test(character)) return skipSpace;
  if (character === "'" || character === '"' || character === '`') return readQuoted;
  if (character === '$') return readDollar;
  if (character === '[' || character === ']') return readBracket;
  if (character === '#') return readHash;
  if (WORD_START.test(character)) return readWord;
  return /[0-9]/.test(character) ? readNumber : readSymbol;
}

function skipSpace(reading: Reading): null {
  while (SPACE.test(reading.sql[reading.at] ?? '')) reading.at += 1;
  return null;
}

/** MySQL takes `--` for a comment only before white space, everybody else always. */
function skipLineComment(reading: Reading): Trouble | null {
  if (reading.brackets > 0) return 'a comment stands between square brackets';
  if (!/^--(?:[ \t\n]|$)/.test(reading.sql.slice(reading.at, reading.at + 3)))
    return 'a comment needs a space after --';
  const end = reading.sql.indexOf('\n', reading.at);
  reading.at = end < 0 ? reading.sql.length : end + 1;
  return null;
}

/** Nested in PostgreSQL and SQL Server only; `/*!` and `/*+` are no comments to MySQL and Oracle. */
function skipBlockComment(reading: Reading): Trouble | null {
  if (reading.brackets > 0) return 'a comment stands between square brackets';
  const end = reading.sql.indexOf('*/', reading.at + 2);
  if (end < 0) return 'a comment is not closed';
  const inside = reading.sql.slice(reading.at + 2, end);
  if (/^(?:[!+]|M!)/.test(inside)) return 'a comment has code for the server in it';
  if (inside.includes('/*')) return 'a comment stands in a comment';
  reading.at = end + 2;
  return null;
}

/** Quotes of the three kinds; a doubled quote stands for itself. */
function readQuoted(reading: Reading): Trouble | null {
  const { sql, at } = reading;
  const quote = sql[at] ?? '';
  const before = reading.tokens.at(-1);
  if (before?.kind === 'word' && before.text === 'u' && sql[at - 1] === '&') return UNICODE_ESCAPES;
  let end = at + 1;
  for (;;) {
    end = sql.indexOf(quote, end);
    if (end < 0) return 'a quote is not closed';
    if (sql[end - 1] === '\\' && end - 1 > at)
      return 'a backslash stands before a quote: dialects disagree where it ends';
    if (sql[end + 1] !== quote) break;
    end += 2;
  }
  const inside = sql.slice(at + 1, end);
  if (reading.brackets > 0 && inside.includes(']')) return 'a quoted text with ] stands between square brackets';
  if (quote === '`' && /[^\p{L}\p{M}\p{N}_$ .-]/u.test(inside))
    return 'a name in backquotes has other characters than letters';
  reading.at = end + 1;
  reading.tokens.push({ kind: quote === "'" ? 'string' : 'name', text: inside.replaceAll(quote + quote, quote) });
  return null;
}

const UNICODE_ESCAPES = 'text with Unicode escapes (U&) is not read';

const DOLLAR_QUOTE = /\$(?:[A-Za-z_][A-Za-z0-9_]*)?\$/y;
// What could open a quote, comment, call or second statement to a dialect without dollar quotes.
const PLAIN = /^(?!.*--)[\p{L}\p{M}\p{N}_\s.,:+%*=<>-]*$/su;

/** `$1` is a parameter, `$$…$$` a string of PostgreSQL; its content counts as words too, for those who have no such strings. */
function readDollar(reading: Reading): Trouble | null {
  const parameter = matchAt(/\$[0-9]+(?![\p{L}\p{N}_$])/uy, reading);
  if (parameter !== null) return push(reading, 'symbol', parameter);
  const tag = matchAt(DOLLAR_QUOTE, reading);
  const start = reading.at + (tag?.length ?? 0);
  const end = tag === null ? -1 : reading.sql.indexOf(tag, start);
  if (tag === null || end < 0) return 'a dollar sign is neither a parameter nor a closed quote';
  const inside = reading.sql.slice(start, end);
  if (!PLAIN.test(inside)) return 'a dollar-quoted text has more than plain words in it: use single quotes';
  for (const word of inside.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])
    reading.tokens.push({ kind: 'word', text: word });
  reading.tokens.push({ kind: 'string', text: inside });
  reading.at = end + tag.length;
  return null;
}

function readBracket(reading: Reading): Trouble | null {
  const bracket = reading.sql[reading.at] ?? '';
  reading.brackets += bracket === '[' ? 1 : -1;
  if (reading.brackets < 0) return 'a square bracket is not opened';
  return push(reading, 'symbol', bracket);
}

/** A comment to MySQL, an operator on JSON to PostgreSQL: both read the same only if nothing follows on another line. */
function readHash(reading: Reading): Trouble | null {
  const operator = matchAt(/#(?:>>?|-)/y, reading);
  if (operator === null) return 'the character # starts a comment in some dialects';
  if (reading.at < reading.lastLine) return `${operator} needs to stand on the last line`;
  return push(reading, 'symbol', operator);
}

function readWord(reading: Reading): Trouble | null {
  const word = matchAt(WORD, reading) ?? '';
  const next = reading.sql[reading.at + word.length];
  if (next === '@') return 'a name with @ reaches another server';
  if (next === '&' && /^u$/i.test(word) && /["']/.test(reading.sql[reading.at + word.length + 1] ?? '')) {
    return UNICODE_ESCAPES;
  }
  return push(reading, 'word', word, word.toLowerCase());
}

/** `1into` is two tokens to some dialects and one to others. */
function readNumber(reading: Reading): Trouble | null {
  const number = matchAt(NUMBER, reading) ?? '0';
  if (/[\p{L}\p{N}_$]/u.test(reading.sql[reading.at + number.length] ?? '')) return 'a number runs into a word';
  return push(reading, 'number', number);
}

function readSymbol(reading: Reading): Trouble | null {
  const symbol = matchAt(SYMBOL, reading);
  return symbol === null ? 'it has a character that is not used in plain SQL' : push(reading, 'symbol', symbol);
}

function matchAt(pattern: RegExp, { sql, at }: Reading): string | null {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0] ?? null;
}

function push(reading: Reading, kind: SqlToken['kind'], written: string, text: string = written): null {
  reading.tokens.push({ kind, text });
  reading.at += written.length;
  return null;
}
