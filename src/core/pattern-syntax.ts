import { SallyportError } from './errors.ts';
import { readProperty, SPACES } from './pattern-classes.ts';
import { quoteForMessage } from './terminal.ts';

/** One reading position in a pattern. */
interface Reader {
  readonly source: string;
  readonly symbols: readonly string[];
  at: number;
}

/** What a piece of a character class stands for: one code point, or a set in the syntax of RE2. */
type ClassAtom = { readonly point: number } | { readonly set: string };

/**
 * Rewrites an ECMA-262 pattern (Unicode mode, with the identity escapes of punctuation that older schemas use) into RE2
 * syntax of the same meaning. Groups become non-capturing.
 *
 * @throws SallyportError SCHEMA_INVALID for what has no equivalent, by name
 */
export function translatePattern(source: string): string {
  const reader: Reader = { source, symbols: Array.from(source), at: 0 };
  let translated = '';
  while (reader.at < reader.symbols.length) translated += readTerm(reader);
  return translated;
}

function readTerm(reader: Reader): string {
  const symbol = next(reader);
  switch (symbol) {
    case '\\':
      return readEscape(reader);
    case '[':
      return readClass(reader);
    case '(':
      return readGroupStart(reader);
    case '.':
      return '[^\\n\\r\\x{2028}\\x{2029}]';
    case '{':
      return readBrace(reader);
    case '^':
    case '$':
    case '|':
    case ')':
    case '*':
    case '+':
    case '?':
      return symbol;
    default:
      return literal(pointOf(symbol));
  }
}

/** `{2,5}` is a repeat; any other `{` stands for itself. */
function readBrace(reader: Reader): string {
  const rest = reader.symbols.slice(reader.at, reader.at + 16).join('');
  const repeat = /^\d+(?:,\d*)?\}/.exec(rest)?.[0];
  if (repeat === undefined) return '\\{';
  reader.at += repeat.length;
  return `{${repeat}`;
}

function readGroupStart(reader: Reader): string {
  if (reader.symbols[reader.at] !== '?') return '(?:';
  const [first, second] = reader.symbols.slice(reader.at + 1, reader.at + 3);
  if (first === ':') reader.at += 2;
  else if (first === '<' && second !== '=' && second !== '!') skipGroupName(reader);
  else if (first === '=' || first === '!' || first === '<') refuse(reader, 'look-around');
  else refuse(reader, 'inline flags');
  return '(?:';
}

function skipGroupName(reader: Reader): void {
  const end = reader.symbols.indexOf('>', reader.at);
  if (end < 0) refuse(reader, 'a group name without an end');
  reader.at = end + 1;
}

function readEscape(reader: Reader): string {
  const symbol = reader.symbols[reader.at] ?? '';
  if (symbol === 'b' || symbol === 'B') {
    reader.at += 1;
    return `\\${symbol}`;
  }
  const atom = readAtomEscape(reader);
  return 'set' in atom ? `[${atom.set}]` : literal(atom.point);
}

const CONTROL_LETTERS: ReadonlyMap<string, number> = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
]);

/** An escape that may stand inside and outside of a class, after its backslash. */
function readAtomEscape(reader: Reader): ClassAtom {
  const symbol = next(reader);
  const control = CONTROL_LETTERS.get(symbol);
  if (control !== undefined) return { point: control };
  switch (symbol) {
    case 'd':
    case 'D':
    case 'w':
    case 'W':
      return { set: `\\${symbol}` };
    case 's':
      return { set: SPACES.inside };
    case 'S':
      return { set: SPACES.outside };
    case 'p':
    case 'P':
      return { set: readPropertyEscape(reader, symbol) };
    case 'x':
      return { point: readHex(reader, 2) };
    case 'u':
      return { point: readUnicodeEscape(reader) };
    case 'c':
      return { point: readControlEscape(reader) };
    case '0':
      if (/\d/.test(reader.symbols[reader.at] ?? '')) refuse(reader, 'octal escapes');
      return { point: 0 };
    default:
      if (/[1-9k]/.test(symbol)) refuse(reader, 'back references');
      if (/[A-Za-z]/.test(symbol)) refuse(reader, `the escape \\${symbol}`);
      return { point: pointOf(symbol) };
  }
}

function readPropertyEscape(reader: Reader, letter: 'p' | 'P'): string {
  const end = reader.symbols.indexOf('}', reader.at);
  if (reader.symbols[reader.at] !== '{' || end < 0) refuse(reader, `\\${letter} without a name in braces`);
  const name = reader.symbols.slice(reader.at + 1, end).join('');
  reader.at = end + 1;
  return readProperty(name, letter === 'P') ?? refuse(reader, 'a Unicode property that is neither category nor script');
}

function readControlEscape(reader: Reader): number {
  const symbol = next(reader);
  if (!/[A-Za-z]/.test(symbol)) refuse(reader, 'the escape \\c without a letter');
  return pointOf(symbol) % 32;
}

function readHex(reader: Reader, digits: number): number {
  const text = reader.symbols.slice(reader.at, reader.at + digits).join('');
  if (text.length !== digits || !/^[0-9A-Fa-f]+$/.test(text)) refuse(reader, 'a hexadecimal escape without its digits');
  reader.at += digits;
  return Number.parseInt(text, 16);
}

/** `\u{…}`, `\uXXXX`, or a surrogate pair of the latter. */
function readUnicodeEscape(reader: Reader): number {
  if (reader.symbols[reader.at] === '{') {
    const text = /^\{([0-9A-Fa-f]{1,6})\}/.exec(reader.symbols.slice(reader.at, reader.at + 8).join(''))?.[1];
    if (text === undefined) return refuse(reader, 'a Unicode escape without its digits');
    reader.at += text.length + 2;
    const point = Number.parseInt(text, 16);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) refuse(reader, 'an escape beyond Unicode');
    return point;
  }
  const first = readHex(reader, 4);
  if (first < 0xd800 || first > 0xdfff) return first;
  if (first > 0xdbff || reader.symbols[reader.at] !== '\\' || reader.symbols[reader.at + 1] !== 'u') {
    refuse(reader, 'a lone surrogate');
  }
  reader.at += 2;
  const second = readHex(reader, 4);
  if (second < 0xdc00 || second > 0xdfff) refuse(reader, 'a lone surrogate');
  return 0x10000 + (first - 0xd800) * 0x400 + (second - 0xdc00);
}

function readClass(reader: Reader): string {
  const negated = reader.symbols[reader.at] === '^';
  if (negated) reader.at += 1;
  let body = '';
  while (reader.symbols[reader.at] !== ']') {
    if (reader.at >= reader.symbols.length) refuse(reader, 'a character class without an end');
    body += readClassItem(reader);
  }
  reader.at += 1;
  if (body === '') return negated ? '[\\x{0}-\\x{10FFFF}]' : '[^\\x{0}-\\x{10FFFF}]';
  return `[${negated ? '^' : ''}${body}]`;
}

/** One member or range. A `-` beside a set, or at an end, stands for itself. */
function readClassItem(reader: Reader): string {
  const low = readClassAtom(reader);
  if ('set' in low) return low.set;
  if (reader.symbols[reader.at] !== '-' || reader.symbols[reader.at + 1] === ']') return literal(low.point);
  reader.at += 1;
  const high = readClassAtom(reader);
  if ('set' in high) return `${literal(low.point)}\\-${high.set}`;
  if (low.point > high.point) refuse(reader, 'a range that ends before it begins');
  return `${literal(low.point)}-${literal(high.point)}`;
}

function readClassAtom(reader: Reader): ClassAtom {
  const symbol = next(reader);
  if (symbol !== '\\') return { point: pointOf(symbol) };
  if (reader.symbols[reader.at] !== 'b') return readAtomEscape(reader);
  reader.at += 1;
  return { point: 0x08 };
}

function next(reader: Reader): string {
  const symbol = reader.symbols[reader.at];
  if (symbol === undefined) return refuse(reader, 'an end in the middle of an escape or class');
  reader.at += 1;
  return symbol;
}

function pointOf(symbol: string): number {
  const point = symbol.codePointAt(0) ?? 0;
  if (point >= 0xd800 && point <= 0xdfff) throw new SallyportError('SCHEMA_INVALID', 'a pattern has a lone surrogate');
  return point;
}

const literal = (point: number): string => {
  const symbol = String.fromCodePoint(point);
  return /^[A-Za-z0-9]$/.test(symbol) ? symbol : `\\x{${point.toString(16)}}`;
};

function refuse(reader: Reader, what: string): never {
  throw new SallyportError(
    'SCHEMA_INVALID',
    `the pattern ${quoteForMessage(reader.source)} has ${what}: not supported`,
  );
}
