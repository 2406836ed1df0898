import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from './errors.ts';
import { compileLinearPattern } from './linear-pattern.ts';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return isSallyportError(error) ? error.code : 'not ours';
  }
  return 'nothing thrown';
};

const SAMPLES = [
  ...['', 'a', 'A', 'ab', 'aab', 'b\n', 'b', '\n', '\r', '\u2028', '\u00a0', '\ufeff', ' ', '\t', '\v', '-', '_', '.'],
  ...[
    '0',
    '7',
    '9',
    'é',
    'α',
    'Ω',
    '日',
    '😀',
    '😀😀',
    '[',
    ']',
    '{',
    '}',
    '{2}',
    'a{2}',
    '\\',
    '/',
    '^',
    '$',
    '|',
    '&',
  ],
  ...[
    '\0',
    '\b',
    '\x7f',
    'a-b',
    'x:alpha:',
    'foo bar',
    'Kelvin',
    'ſ',
    '٣',
    ':',
    '=',
    '(a)',
    'aaaa',
    'a,b',
    '\u{10ffff}',
  ],
];

/** Patterns that ECMA-262 accepts in Unicode mode: the linear engine must give the answers of the native one. */
const PATTERNS = [
  ...['^a', 'b$', '^.$', '.', '^\\s$', '^\\S$', '[\\s]', '[^\\s]', '^[\\S]+$', '\\d', '^\\D$', '^\\w+$', '^\\W$'],
  ...['\\bfoo\\b', '\\Boo', '^[a-c]{2,3}$', 'a{2}', '^a{2,}$', '^(?:a|b)+$', '^(?<name>a)b$', '\\u0061', '\\u{61}'],
  ...['\\uD83D\\uDE00', '^[\\uD83D\\uDE00]$', '\\x61', '\\cI', '[\\b]', '\\0', '[^]', '[]', '^[^a]$', '[\\]]', '[\\[]'],
  ...['^\\p{L}+$', '\\p{Letter}', '^\\P{L}$', '[\\p{Lu}\\d]', '^[^\\p{L}]$', '\\p{Script=Greek}', '\\p{sc=Han}'],
  ...[
    '\\p{ASCII}',
    '^\\P{ASCII}$',
    '\\p{gc=Nd}',
    '\\p{Any}',
    '^[\\-a]+$',
    '[a\\-]',
    '[+\\--]',
    '\\.',
    '\\/',
    '\\{2\\}',
  ],
  ...['[:alpha:]', '[&&a]', '[~|]', 'a|b|', '(a*)*', '(a?)*?b', '^$', '^(?:)$', '[\\w\\-]', '[.]', '[$^]', '[\\d_]+:'],
];

describe('compileLinearPattern gives the answers of ECMA-262', () => {
  it.each(PATTERNS)('%s', (source) => {
    const ours = compileLinearPattern(source);
    const native = new RegExp(source, 'u');
    for (const sample of SAMPLES) expect([sample, ours.test(sample)]).toEqual([sample, native.test(sample)]);
  });

  it('takes the identity escapes and the lone braces of patterns that were written without Unicode mode', () => {
    for (const source of ['\\-', '\\_a', '\\@', '{', 'a{,2}', 'a{x}', '}', ']', '[\\w-.]']) {
      const native = new RegExp(source);
      const ours = compileLinearPattern(source);
      for (const sample of [...SAMPLES, '_a', '@', 'a{,2}', 'a{x}'])
        expect(ours.test(sample)).toBe(native.test(sample));
    }
  });
});

describe('compileLinearPattern refuses what it cannot run', () => {
  it.each([
    ...['(?=a)', '(?!a)', '(?<=a)b', '(?<!a)b', '(a)\\1', '(?<n>a)\\k<n>', '(?i)a', '(?i:a)', '(?P<n>a)', '\\A', '\\Z'],
    ...['\\Qa\\E', '\\C', '\\pL', '\\p{Emoji}', '\\p{Greek}', '\\p{Script=Nothing}', '\\01', '\\u12', '\\x1', '\\c1'],
    ...[
      '[a',
      '(a',
      'a)',
      '*a',
      '[b-a]',
      '\\',
      '\\uD83D',
      '[\\uDE00]',
      'a{1001}',
      '((a{100}){100}){10}',
      '[\\p{L}]{999}{2}',
    ],
    ...['(?<n', 'a'.repeat(1_025), '[a-z]{1,999}[a-z]{1,999}[a-z]{1,999}', '\\u{110000}'],
  ])('%s', (source) => {
    expect(codeOf(() => compileLinearPattern(source))).toBe('SCHEMA_INVALID');
  });
});

describe('compileLinearPattern, given anything', () => {
  it('compiles or refuses with SCHEMA_INVALID, and then answers for any text', () => {
    const pieces = fc.constantFrom(
      ...'a.*+?()[]{}^$|\\-,0159dDsSwWbBpPuxck<>=!:'.split(''),
      '\\u',
      '\\x',
      '\\p{',
      '(?',
      '[^',
      '😀',
      '\ud800',
    );
    const property = fc.property(fc.array(pieces, { maxLength: 12 }), fc.string({ unit: 'binary' }), (parts, text) => {
      const code = codeOf(() => compileLinearPattern(parts.join('')));
      expect(['SCHEMA_INVALID', 'nothing thrown']).toContain(code);
      if (code === 'nothing thrown') expect(typeof compileLinearPattern(parts.join('')).test(text)).toBe('boolean');
    });
    fc.assert(property, { numRuns: 2_000 });
  });

  it('agrees with ECMA-262 wherever both accept the pattern', () => {
    const pieces = fc.constantFrom(
      'a',
      'b',
      '.',
      '*',
      '+',
      '?',
      '(',
      ')',
      '[',
      ']',
      '^',
      '$',
      '|',
      '\\d',
      '\\s',
      '\\W',
      '-',
      '{2}',
      '{1,}',
      '(?:',
      '\\b',
      'é',
      '😀',
    );
    const text = fc
      .array(fc.constantFrom('a', 'b', '1', ' ', '\n', '-', 'é', '😀', '\u2028'), { maxLength: 6 })
      .map((parts) => parts.join(''));
    const property = fc.property(fc.array(pieces, { maxLength: 7 }), text, (parts, sample) => {
      const source = parts.join('');
      const native = nativeOrNull(source);
      if (native === null || codeOf(() => compileLinearPattern(source)) !== 'nothing thrown') return;
      expect([source, sample, compileLinearPattern(source).test(sample)]).toEqual([
        source,
        sample,
        native.test(sample),
      ]);
    });
    fc.assert(property, { numRuns: 5_000 });
  });
});

function nativeOrNull(source: string): RegExp | null {
  try {
    return new RegExp(source, 'u');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

describe('compileLinearPattern is linear', () => {
  it.each(['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(x+x+)+y', '^(([a-z])+.)+[A-Z]([a-z])+$'])('%s', (source) => {
    // A backtracking engine needs 2^50,000 steps here; this test ends or it hangs.
    expect(compileLinearPattern(source).test(`${'a'.repeat(50_000)}!`)).toBe(false);
  });

  it('refuses a text that is too long for a large pattern, instead of working through it', () => {
    const pattern = compileLinearPattern('^(.*a.{900}[cd])$');
    expect(codeOf(() => pattern.test('ab'.repeat(100_000)))).toBe('INPUT_TOO_LARGE');
  });
});
