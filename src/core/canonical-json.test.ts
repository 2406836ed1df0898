import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import type { JsonValue } from './json.ts';

/** RFC 8785 written down once more, as plainly as possible. */
function plain(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(plain).join(',')}]`;
  const entries = Object.entries(value as Record<string, JsonValue>).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, child]) => `${JSON.stringify(key)}:${plain(child)}`).join(',')}}`;
}

describe('canonicalJson', () => {
  it('writes the example of RFC 8785 section 3.2.3: keys by UTF-16 code units', () => {
    const value = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '\ufb33': 'Dalet',
      '1': 'One',
      '\u{1f600}': 'Smiley',
      '\u0080': 'C',
      ö: 'O',
    };
    expect(canonicalJson(value)).toBe(
      '{"\\r":"CR","1":"One","\u0080":"C","ö":"O","€":"Euro","\u{1f600}":"Smiley","\ufb33":"Dalet"}',
    );
  });

  it.each([
    [{ 10: 'a', 9: 'b', x: 1 }, '{"10":"a","9":"b","x":1}'],
    [{ a: { 2: 0, 10: 0 } }, '{"a":{"10":0,"2":0}}'],
    [[{ b: 1, a: 2 }], '[{"a":2,"b":1}]'],
    [JSON.parse('{"__proto__":{"b":1},"a":2}'), '{"__proto__":{"b":1},"a":2}'],
    [{ toJSON: 'x', b: -0 }, '{"b":0,"toJSON":"x"}'],
    [1e21, '1e+21'],
  ])('writes %j', (value, text) => {
    expect(canonicalJson(value as JsonValue)).toBe(text);
  });

  it('agrees with the plain writing for every JSON value', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => canonicalJson(value as JsonValue) === plain(value as JsonValue)));
  });
});
