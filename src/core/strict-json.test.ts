import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalCopy, canonicalJson, copyJson, isSallyportError, type JsonValue, parseStrictJson } from './index.ts';

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    return isSallyportError(error) ? error.code : 'not ours';
  }
  return 'accepted';
};

/** What was written, or why not. */
const textOf = (write: () => string): string => {
  try {
    return write();
  } catch (error) {
    return isSallyportError(error) ? error.code : 'not ours';
  }
};

describe('parseStrictJson', () => {
  test.each([
    ['{"a":1,"a":2}', 'INPUT_DUPLICATE_KEY'],
    ['{"path":"x","p\\u0061th":"y"}', 'INPUT_DUPLICATE_KEY'],
    ['[{"a":{"b":1,"c":[{"d":1,"d":1}]}}]', 'INPUT_DUPLICATE_KEY'],
    ['{"a" :1,\n"a"\t:2}', 'INPUT_DUPLICATE_KEY'],
    ['{"__proto__":{}}', 'INPUT_FORBIDDEN_KEY'],
    ['{"\\u005f_proto__":1}', 'INPUT_FORBIDDEN_KEY'],
    ['"\\ud800"', 'INPUT_LONE_SURROGATE'],
    ['{"\\udc00":1}', 'INPUT_LONE_SURROGATE'],
    ['"\ud800"', 'INPUT_LONE_SURROGATE'],
    ['9007199254740992', 'INPUT_NUMBER_RANGE'],
    ['[-9007199254740993]', 'INPUT_NUMBER_RANGE'],
    ['1e16', 'INPUT_NUMBER_RANGE'],
    ['1e999', 'INPUT_NUMBER_RANGE'],
    ['{"a":1', 'INPUT_NOT_JSON'],
    ['{a:1}', 'INPUT_NOT_JSON'],
    ['NaN', 'INPUT_NOT_JSON'],
    ['', 'INPUT_NOT_JSON'],
    ['\ufeff{}', 'INPUT_NOT_JSON'],
    ['[1,]', 'INPUT_NOT_JSON'],
    ['"abc', 'INPUT_NOT_JSON'],
    ['"a\\', 'INPUT_NOT_JSON'],
  ])('refuses %s with %s', (text, code) => {
    expect(codeOf(() => parseStrictJson(text))).toBe(code);
  });

  test.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['1.5e3', 1500],
    ['{"a":{"b":1},"b":{"a":1}}', { a: { b: 1 }, b: { a: 1 } }],
    ['[{"a":1},{"a":2}]', [{ a: 1 }, { a: 2 }]],
    ['{"a":"a","b":"a:"}', { a: 'a', b: 'a:' }],
    ['"\\ud83d\\ude00"', '😀'],
    ['{"constructor":1}', { constructor: 1 }],
    ['0.12345678901234568', 0.12345678901234568],
  ])('reads %s', (text, value) => {
    expect(parseStrictJson(text)).toEqual(value);
  });

  test('stops at the depth before JSON.parse recurses', () => {
    expect(codeOf(() => parseStrictJson('['.repeat(100_000)))).toBe('INPUT_TOO_DEEP');
    expect(parseStrictJson(`${'['.repeat(64)}${']'.repeat(64)}`)).toBeDefined();
    expect(codeOf(() => parseStrictJson(`${'['.repeat(65)}${']'.repeat(65)}`))).toBe('INPUT_TOO_DEEP');
  });

  test('counts bytes, not characters', () => {
    expect(codeOf(() => parseStrictJson('"ééé"', { maxBytes: 7 }))).toBe('INPUT_TOO_LARGE');
    expect(parseStrictJson('"ééé"', { maxBytes: 8 })).toBe('ééé');
  });

  test('the value is frozen all through', () => {
    const value = parseStrictJson('{"a":[{"b":1}]}') as { a: [{ b: number }] };
    expect(Object.isFrozen(value) && Object.isFrozen(value.a) && Object.isFrozen(value.a[0])).toBe(true);
  });

  test('agrees with JSON.parse on everything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        const code = codeOf(() => parseStrictJson(text));
        if (code !== 'accepted')
          return ['INPUT_NUMBER_RANGE', 'INPUT_FORBIDDEN_KEY', 'INPUT_LONE_SURROGATE'].includes(code);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
        return true;
      }),
    );
  });

  test('any text gives a value or a code of ours', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0aEe1-. \n\ud800') }), (text) => {
        expect(codeOf(() => parseStrictJson(text))).not.toBe('not ours');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('copyJson', () => {
  test.each([
    [() => undefined, 'INPUT_NOT_JSON'],
    [10n, 'INPUT_NOT_JSON'],
    [new Date(0), 'INPUT_NOT_JSON'],
    [new Map(), 'INPUT_NOT_JSON'],
    [[undefined], 'INPUT_NOT_JSON'],
    [Number.NaN, 'INPUT_NUMBER_RANGE'],
    [2 ** 53, 'INPUT_NUMBER_RANGE'],
    [{ s: '\ud800' }, 'INPUT_LONE_SURROGATE'],
    [JSON.parse('{"__proto__":1}'), 'INPUT_FORBIDDEN_KEY'],
  ])('refuses %s', (value, code) => {
    expect(codeOf(() => copyJson(value))).toBe(code);
    expect(codeOf(() => canonicalCopy(value))).toBe(code);
  });

  test('the canonical copy is the canonical form of the copy, read once', () => {
    fc.assert(
      fc.property(
        fc.jsonValue(),
        (value) => textOf(() => canonicalCopy(value)) === textOf(() => canonicalJson(copyJson(value))),
      ),
    );
    expect(canonicalCopy({ b: [{ 10: 'a', 9: 'b' }], a: undefined, é: 1 })).toBe('{"b":[{"10":"a","9":"b"}],"é":1}');
    let reads = 0;
    const value = {
      get a() {
        reads += 1;
        return reads;
      },
      1: 0,
    };
    expect(canonicalCopy(value)).toBe('{"1":0,"a":1}');
  });

  test('a cycle is too deep', () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    expect(codeOf(() => copyJson(value))).toBe('INPUT_TOO_DEEP');
  });

  test('a getter runs once and a later change does not reach the copy', () => {
    let reads = 0;
    const inner = { list: [1] };
    const value = {
      get path() {
        return ++reads === 1 ? 'src/a.ts' : '.env';
      },
      inner,
    };
    const copied = copyJson(value) as { path: string; inner: { list: number[] } };
    inner.list.push(2);
    expect([copied.path, copied.path, reads, copied.inner.list]).toEqual(['src/a.ts', 'src/a.ts', 1, [1]]);
  });

  test('a sparse list of two billion holes is refused before it is walked', () => {
    const sparse: number[] = [];
    sparse.length = 2 ** 31;
    expect(codeOf(() => copyJson(sparse))).toBe('INPUT_TOO_LARGE');
  });
});

describe('canonicalJson (RFC 8785)', () => {
  test('the example of section 3.2.2 and 3.2.3', () => {
    const value = {
      numbers: [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    } as const;
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('keys sort by UTF-16 code units (section 3.2.3)', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\u{1f600}': 5, '\u0080': 6, '\u00f6': 7 };
    expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toHaveLength(7);
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}');
  });

  test('print and parse round-trip, and equal values have equal text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value as JsonValue);
        expect(canonicalJson(JSON.parse(text) as JsonValue)).toBe(text);
      }),
    );
  });
});
