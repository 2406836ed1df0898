import { RE2JS } from 're2js';
import { SallyportError } from './errors.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { translatePattern } from './pattern-syntax.ts';
import { quoteForMessage } from './terminal.ts';

/** A regular expression on an engine whose time grows linearly with the text, whatever the pattern. */
export interface LinearPattern {
  readonly source: string;
  /** Steps that a match may take per character: the size of the compiled program. */
  readonly size: number;
  /**
   * True when some part of `text` matches.
   * @throws SallyportError INPUT_TOO_LARGE when the text is too long for a pattern of this size
   */
  test(text: string): boolean;
}

/** Largest compiled program, in instructions: `[a-z]{1,500}` has about a thousand. */
const MAX_PROGRAM_SIZE = 2_000;

/** Largest product of program size and text length, in characters: about a second in the worst case. */
export const MAX_PATTERN_WORK: number = 16_000_000;

/**
 * Compiles an ECMA-262 pattern (as JSON Schema writes them, Unicode mode) for the linear engine RE2. What RE2 lacks or
 * reads differently is translated where the meaning is the same (`\s`, `.`, `\uXXXX`, `\p{Script=…}`, `[^]`), else
 * refused: look-around, back references, inline flags, repeat counts above 1,000.
 *
 * @throws SallyportError SCHEMA_INVALID
 * @example
 * compileLinearPattern('^(a+)+$').test('a'.repeat(50_000) + '!'); // false, at once
 */
export function compileLinearPattern(source: string, maxBytes: number = DEFAULT_LIMITS.patternBytes): LinearPattern {
  if (source.length > maxBytes || Buffer.byteLength(source) > maxBytes) {
    throw new SallyportError('SCHEMA_INVALID', `a pattern has at most ${maxBytes} bytes`);
  }
  const engine = compileOnEngine(source, translatePattern(source));
  const size = engine.programSize();
  if (size > MAX_PROGRAM_SIZE) {
    throw new SallyportError('SCHEMA_INVALID', `the pattern ${quoteForMessage(source)} repeats too much`);
  }
  return Object.freeze({ source, size, test: (text: string) => testWithin(engine, size, text) });
}

function testWithin(engine: RE2JS, size: number, text: string): boolean {
  if (size * text.length > MAX_PATTERN_WORK) {
    throw new SallyportError('INPUT_TOO_LARGE', 'the text is too long for the pattern that judges it');
  }
  return engine.test(text);
}

function compileOnEngine(source: string, translated: string): RE2JS {
  try {
    return RE2JS.compile(translated);
  } catch (cause) {
    const message = `the pattern ${quoteForMessage(source)} cannot run on the linear-time engine`;
    throw new SallyportError('SCHEMA_INVALID', message, { cause });
  }
}
