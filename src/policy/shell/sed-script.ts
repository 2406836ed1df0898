import { endsInOddBackslash } from './characters.ts';

/** What a script of sed does besides printing. */
export interface SedFacts {
  readonly runs: boolean;
  readonly readable: boolean;
  readonly reads: readonly string[];
  readonly writes: readonly string[];
}

interface Scanner {
  readonly script: string;
  readonly brackets: Brackets;
  at: number;
  /** Characters that may still be looked at in search of the end of a class. */
  budget: number;
  runs: boolean;
  readonly reads: string[];
  readonly writes: string[];
}

/** Longest script that is read, in characters. */
const MAX_SCRIPT = 16_384;

/** How sed looks for the end of a regular expression: versions differ on delimiters in brackets and on `\\` there. */
type Brackets = 'ignored' | 'plain' | 'escapes';

/**
 * Reads a script of GNU sed: the commands `e`, `r`, `R`, `w`, `W` and the flags `e` and `w` of `s`, in every way that a
 * version of sed may read it. ATTACKER-CONTROLLED: `script`.
 */
export function readSedScript(script: string): SedFacts {
  if (script.length > MAX_SCRIPT) return { runs: false, readable: false, reads: [], writes: [] };
  const readings = (['plain', 'escapes', 'ignored'] as const).map((brackets) => readOnce(script, brackets));
  return {
    runs: readings.some((one) => one.runs),
    readable: readings.some((one) => one.readable),
    reads: [...new Set(readings.flatMap((one) => one.reads))],
    writes: [...new Set(readings.flatMap((one) => one.writes))],
  };
}

function readOnce(script: string, brackets: Brackets): SedFacts {
  const scanner: Scanner = { script, brackets, at: 0, budget: 16 * MAX_SCRIPT, runs: false, reads: [], writes: [] };
  let readable = true;
  while (readable && scanner.at < script.length) readable = readCommand(scanner);
  return { runs: scanner.runs, readable, reads: scanner.reads, writes: scanner.writes };
}

const peek = (scanner: Scanner): string => scanner.script[scanner.at] ?? '';

function skip(scanner: Scanner, pattern: RegExp): string {
  pattern.lastIndex = scanner.at;
  const found = pattern.exec(scanner.script)?.[0] ?? '';
  scanner.at += found.length;
  return found;
}

const BLANK = /[\s;]*/y;
const SPACE = /[ \t]*/y;
const NUMBER_ADDRESS = /(?:\d+(?:~\d+)?|\$|[+~]\d+)/y;
const REST_OF_LINE = /[^\n]*/y;
const LABEL = /[^\n;}]*/y;
const REGEX_FLAGS = /[IM]*/y;

/** Past the text up to an unescaped delimiter; false if there is none. */
function skipDelimited(scanner: Scanner, delimiter: string, isRegex = true): boolean {
  for (; scanner.at < scanner.script.length; scanner.at += 1) {
    const character = peek(scanner);
    if (character === '\\') scanner.at += 1;
    else if (character === delimiter) {
      scanner.at += 1;
      return true;
    } else if (character === '[' && isRegex && scanner.brackets !== 'ignored') skipBrackets(scanner);
  }
  return false;
}

/** To the bracket that closes a class; a class without an end is a plain character. */
function skipBrackets(scanner: Scanner): void {
  const { script } = scanner;
  let at = scanner.at + (script[scanner.at + 1] === '^' ? 2 : 1);
  if (script[at] === ']') at += 1;
  if (script.indexOf(']', at) < 0) return;
  for (; at < script.length && script[at] !== ']'; at += 1) {
    if (script[at] === '\\' && scanner.brackets === 'escapes') at += 1;
    else if (script[at] === '[' && /[:.=]/.test(script[at + 1] ?? '')) at = endOfNamedClass(script, at);
  }
  scanner.budget -= at - scanner.at;
  // Classes without end are looked for again and again: past the budget the script counts as not readable.
  if (at < script.length || scanner.budget < 0) scanner.at = at;
}

/** Longest name between `[:` and `:]`. */
const MAX_CLASS_NAME = 32;

/** The last character of `[:alpha:]`, or `at` when it is none. */
function endOfNamedClass(script: string, at: number): number {
  const end = script.slice(at + 2, at + 2 + MAX_CLASS_NAME).indexOf(`${script[at + 1]}]`);
  return end < 0 ? at : at + 2 + end + 1;
}

function readAddress(scanner: Scanner): boolean {
  if (skip(scanner, NUMBER_ADDRESS) !== '') return true;
  const opening = peek(scanner);
  if (opening !== '/' && opening !== '\\') return true;
  scanner.at += opening === '\\' ? 2 : 1;
  const delimiter = opening === '\\' ? (scanner.script[scanner.at - 1] ?? '') : '/';
  if (delimiter === '' || !skipDelimited(scanner, delimiter)) return false;
  skip(scanner, REGEX_FLAGS);
  return true;
}

function readCommand(scanner: Scanner): boolean {
  skip(scanner, BLANK);
  if (!readAddress(scanner)) return false;
  skip(scanner, SPACE);
  if (peek(scanner) === ',') {
    scanner.at += 1;
    skip(scanner, SPACE);
    if (!readAddress(scanner)) return false;
  }
  while (/[ \t!]/.test(peek(scanner))) scanner.at += 1;
  const command = peek(scanner);
  scanner.at += 1;
  return readBody(scanner, command);
}

function readBody(scanner: Scanner, command: string): boolean {
  switch (command) {
    case '':
    case '{':
    case '}':
      return true;
    case '#':
      skip(scanner, REST_OF_LINE);
      return true;
    case 'e':
      scanner.runs = true;
      return true;
    case 'a':
    case 'i':
    case 'c':
      return skipText(scanner);
    case ':':
    case 'b':
    case 't':
    case 'T':
    case 'v':
      skip(scanner, LABEL);
      return true;
    case 'r':
    case 'R':
      return takeFile(scanner, scanner.reads);
    case 'w':
    case 'W':
      return takeFile(scanner, scanner.writes);
    case 's':
      return readSubstitution(scanner);
    case 'y':
      return readTwoParts(scanner, false);
    default:
      return readPlain(scanner, command);
  }
}

const PLAIN_END = /[ \t]*\d*[ \t]*(?=[;\n}#]|$)/y;

/** Commands that only touch the buffers or end the script, with an optional number. */
function readPlain(scanner: Scanner, command: string): boolean {
  if (!/[=dDgGhHlnNpPqQxzFL]/.test(command)) return false;
  PLAIN_END.lastIndex = scanner.at;
  if (!PLAIN_END.test(scanner.script)) return false;
  scanner.at = PLAIN_END.lastIndex;
  return true;
}

/** Text of `a`, `i` and `c`: to the end of the line, and on after a backslash. */
function skipText(scanner: Scanner): boolean {
  for (;;) {
    const line = skip(scanner, REST_OF_LINE);
    scanner.at += 1;
    if (!endsInOddBackslash(line) || scanner.at >= scanner.script.length) return true;
  }
}

function takeFile(scanner: Scanner, into: string[]): boolean {
  const name = skip(scanner, REST_OF_LINE).trim();
  into.push(name);
  return name !== '';
}

function readTwoParts(scanner: Scanner, isRegex: boolean): boolean {
  const delimiter = peek(scanner);
  scanner.at += 1;
  return delimiter !== '' && skipDelimited(scanner, delimiter, isRegex) && skipDelimited(scanner, delimiter, false);
}

function readSubstitution(scanner: Scanner): boolean {
  if (!readTwoParts(scanner, true)) return false;
  for (;;) {
    const flag = peek(scanner);
    if (flag === 'w') {
      scanner.at += 1;
      return takeFile(scanner, scanner.writes);
    }
    if (flag === 'e') scanner.runs = true;
    else if (!/[gpiImM\d]/.test(flag) || flag === '') return /^$|[\s;}#]/.test(flag);
    scanner.at += 1;
  }
}
