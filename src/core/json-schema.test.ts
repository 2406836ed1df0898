import { describe, expect, it } from 'vitest';
import { isSallyportError } from './errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { compileSchema, validateSchema } from './json-schema.ts';

const pointerOfRefusal = (schema: JsonObject): unknown => {
  try {
    compileSchema(schema);
  } catch (error) {
    return isSallyportError(error, 'SCHEMA_INVALID') ? (error.detail['pointer'] ?? 'no pointer') : 'not ours';
  }
  return 'nothing thrown';
};

const nested = (depth: number): JsonObject => (depth === 0 ? {} : { items: nested(depth - 1) });
const fits = (schema: JsonObject, value: JsonValue): boolean =>
  validateSchema(compileSchema(schema), value).length === 0;

describe('compileSchema refuses, naming the place', () => {
  it.each<[string, JsonObject, string]>([
    ['a remote reference', { properties: { a: { $ref: 'https://evil.example/schema' } } }, '/properties/a/$ref'],
    ['a reference to a file', { $ref: 'file:///etc/passwd' }, '/$ref'],
    ['a reference to nothing', { $ref: '#/$defs/missing' }, '/$ref'],
    ['a reference through the prototype', { $ref: '#/constructor' }, '/$ref'],
    ['a reference that is no fragment', { $ref: '#/%E0%A4%A' }, '/$ref'],
    ['a reference to a text', { title: 'x', $ref: '#/title' }, '/title'],
    ['an unknown anchor', { $ref: '#nowhere' }, '/$ref'],
    ['$dynamicRef', { items: { $dynamicRef: '#node' } }, '/items/$dynamicRef'],
    ['$recursiveRef', { $recursiveRef: '#' }, '/$recursiveRef'],
    ['$id below the top', { properties: { a: { $id: 'https://x.example/' } } }, '/properties/a/$id'],
    ['an unknown dialect', { $schema: 'http://json-schema.org/draft-04/schema#' }, '/$schema'],
    ['a pattern with look-around', { properties: { a: { pattern: '(?=a)' } } }, '/properties/a/pattern'],
    ['a pattern in unused definitions', { $defs: { a: { pattern: '(a)\\1' } } }, '/$defs/a/pattern'],
    ['a long pattern', { pattern: 'a'.repeat(2_000) }, '/pattern'],
    ['an unknown type', { type: 'text' }, '/type'],
    ['a wrong count', { maxLength: '4' }, '/maxLength'],
    ['a negative count', { minItems: -1 }, '/minItems'],
    ['a limit that is a boolean', { exclusiveMinimum: true }, '/exclusiveMinimum'],
    ['multipleOf zero', { multipleOf: 0 }, '/multipleOf'],
    ['an empty list of alternatives', { anyOf: [] }, '/anyOf'],
    ['a schema that is a number', { not: 1 }, '/not'],
    ['a list as items in 2020-12', { $schema: 'https://json-schema.org/draft/2020-12/schema', items: [{}] }, '/items'],
    ['too many levels', nested(70), ''],
    ['too many bytes', { description: 'x'.repeat(70_000) }, ''],
  ])('%s', (_title, schema, pointer) => {
    expect(pointerOfRefusal(schema)).toBe(pointer);
  });
});

describe('compileSchema reads older dialects', () => {
  it.each(['http://json-schema.org/draft-07/schema#', 'https://json-schema.org/draft/2019-09/schema', undefined])(
    '%s',
    (dialect) => {
      const declared: Record<string, JsonValue> = dialect === undefined ? {} : { $schema: dialect };
      const tuple = { ...declared, items: [{ type: 'string' }], additionalItems: false };
      expect([fits(tuple, ['a']), fits(tuple, [1]), fits(tuple, ['a', 'b'])]).toEqual([true, false, false]);
      const dependencies = { ...declared, dependencies: { a: ['b'], c: { required: ['d'] } } };
      expect([fits(dependencies, { a: 1 }), fits(dependencies, { a: 1, b: 1 })]).toEqual([false, true]);
      expect([fits(dependencies, { c: 1 }), fits(dependencies, { c: 1, d: 1 })]).toEqual([false, true]);
      const named = { ...declared, definitions: { short: { maxLength: 1 } }, $ref: '#/definitions/short' };
      expect([fits(named, 'a'), fits(named, 'ab')]).toEqual([true, false]);
    },
  );

  it('resolves references that spell out the identifier of the document', () => {
    const schema = { $id: 'https://x.example/a', $defs: { n: { type: 'null' } }, $ref: 'https://x.example/a#/$defs/n' };
    expect([fits(schema, null), fits(schema, 1)]).toEqual([true, false]);
  });
});

describe('validateSchema', () => {
  it('names the value and the keyword of each error', () => {
    const schema = compileSchema({
      properties: { 'a/b': { items: { type: 'integer' } }, c: { enum: ['x'] } },
      required: ['d'],
      additionalProperties: false,
    });
    const errors = validateSchema(schema, { 'a/b': [1, 'x'], c: 'y', 'e\u202e': 1 });
    expect(errors.map(({ pointer, keyword, schemaPointer }) => [pointer, keyword, schemaPointer])).toEqual([
      ['', 'required', '/required'],
      ['/a~1b/1', 'type', '/properties/a~1b/items/type'],
      ['/c', 'enum', '/properties/c/enum'],
      ['/e\u202e', 'additionalProperties', '/additionalProperties'],
    ]);
  });

  it('stops collecting at the limit', () => {
    const schema = compileSchema({ items: { type: 'string' } });
    expect(
      validateSchema(
        schema,
        Array.from({ length: 100 }, () => 1),
      ).length,
    ).toBe(16);
    expect(validateSchema(schema, [1, 2, 3], { maxErrors: 1 }).length).toBe(1);
  });

  it('does not read what stands on the prototype', () => {
    expect(fits({ required: ['toString'] }, {})).toBe(false);
    expect(fits({ properties: { constructor: { type: 'number' } } }, {})).toBe(true);
    expect(fits({ dependentRequired: { hasOwnProperty: ['x'] } }, {})).toBe(true);
  });

  it('counts code points, also in lone halves', () => {
    expect(fits({ maxLength: 2 }, '😀😀')).toBe(true);
    expect(fits({ maxLength: 1 }, '😀😀')).toBe(false);
    expect(fits({ minLength: 3 }, '😀😀')).toBe(false);
  });

  it('multiplies in decimal', () => {
    expect([fits({ multipleOf: 0.01 }, 4.35), fits({ multipleOf: 0.01 }, 4.355)]).toEqual([true, false]);
    expect([fits({ multipleOf: 1e-8 }, 12391239123), fits({ multipleOf: 0.5 }, 1e308)]).toEqual([true, true]);
  });
});

describe('validateSchema ends soon, whatever the schema', () => {
  const keywordsOf = (schema: JsonObject, value: JsonValue): string[] =>
    validateSchema(compileSchema(schema), value).map(({ keyword }) => keyword);

  it('a catastrophic pattern', () => {
    expect(keywordsOf({ pattern: '^(a+)+$' }, `${'a'.repeat(100_000)}!`)).toEqual(['pattern']);
  });
  it('a reference to itself on the same value', () => {
    expect(keywordsOf({ $ref: '#' }, 1)).toEqual(['work']);
  });
  it('two schemas that refer to each other', () => {
    const $defs = { a: { anyOf: [{ $ref: '#/$defs/b' }] }, b: { not: { $ref: '#/$defs/a' } } };
    expect(keywordsOf({ $defs, $ref: '#/$defs/a' }, 1)).toEqual(['work']);
  });
  it('exponentially many alternatives, also under not', () => {
    const $defs: Record<string, JsonObject> = { n0: { type: 'string' } };
    for (let level = 1; level <= 40; level++) {
      $defs[`n${level}`] = { oneOf: [{ $ref: `#/$defs/n${level - 1}` }, { $ref: `#/$defs/n${level - 1}` }] };
    }
    expect(keywordsOf({ $defs, $ref: '#/$defs/n40' }, 'x')).toEqual(['work']);
    expect(keywordsOf({ $defs, not: { $ref: '#/$defs/n40' } }, 'x')).toEqual(['work']);
  });
  it('a large pattern over many texts', () => {
    const texts = Array.from({ length: 1_000 }, () => 'ab'.repeat(500));
    expect(keywordsOf({ items: { pattern: '^(.*a.{900}[cd]|[ab]*)$' } }, texts)).toEqual(['work']);
  });
  it('many items that must differ', () => {
    const items = Array.from({ length: 200_000 }, (_, index) => index);
    expect(keywordsOf({ allOf: [{ uniqueItems: true }, { uniqueItems: true }, { uniqueItems: true }] }, items)).toEqual(
      ['work'],
    );
  });
});
