import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../core/index.ts';
import { readFilledForm, readFormSchema } from './form-schema.ts';

const object = (properties: JsonValue, more: object = {}): JsonValue => ({ type: 'object', properties, ...more });
const refused = expect.objectContaining({ code: expect.stringMatching(/^(RESULT_MALFORMED|SCHEMA_INVALID)$/) });

describe('readFormSchema', () => {
  const titled = [
    { const: 'a', title: 'A' },
    { const: 'b', title: 'B' },
  ];
  it('keeps every field that MCP has for a form', () => {
    const form = object(
      {
        text: {
          ...{
            type: 'string',
            title: 'T',
            description: 'D',
            minLength: 1,
            maxLength: 9,
            format: 'email',
            default: 'x\ny',
          },
        },
        plain: { type: 'string', enum: ['a', 'b'], enumNames: ['A', 'B'] },
        titled: { type: 'string', oneOf: titled },
        number: { type: 'number', minimum: 0.5, maximum: 9, default: 1 },
        whole: { type: 'integer', title: 'I', default: 30 },
        yes: { type: 'boolean', default: true },
        many: { type: 'array', minItems: 1, maxItems: 2, uniqueItems: true, items: { type: 'string', enum: ['a'] } },
        manyTitled: { type: 'array', items: { anyOf: titled }, default: ['a'] },
      },
      { required: ['text'] },
    );
    expect(readFormSchema(form)).toEqual(form);
  });

  it('leaves out everything else', () => {
    const extras = { $ref: '#/x', allOf: [], pattern: '(a+)+$', _meta: {}, icons: [], properties: {}, format: 'html' };
    expect(
      readFormSchema(
        object({ a: { type: 'string', ...extras } }, { $defs: {}, allOf: [], additionalProperties: true }),
      ),
    ).toEqual(object({ a: { type: 'string' } }));
  });

  it('makes visible what only a machine would see', () => {
    const { properties } = readFormSchema(object({ a: { type: 'string', title: 'x\u202ey', description: 'a\nb' } }));
    expect(properties).toEqual({ a: { type: 'string', title: 'x\\u{202e}y', description: 'a\\u{a}b' } });
  });

  const many = Array.from({ length: 300 }, (_, at) => `c${at}`);
  it.each<[string, JsonValue]>([
    ['no object', []],
    ['another type', { type: 'string', properties: {} }],
    ['a nested field', object({ a: { type: 'object', properties: {} } })],
    ['a field without a type', object({ a: { $ref: '#/properties/a' } })],
    ['a type that every object has', object({ a: { type: 'constructor' } })],
    ['a name with a line break', object({ 'a\nb': { type: 'string' } })],
    ['a name that objects have', JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}')],
    ['65 fields', object(Object.fromEntries(many.slice(0, 65).map((name) => [name, { type: 'string' }])))],
    ['300 choices', object({ a: { type: 'string', enum: many } })],
    ['a choice that is an object', object({ a: { type: 'string', enum: [{}] } })],
    ['a choice twice', object({ a: { type: 'string', oneOf: [titled[0] ?? null, titled[0] ?? null] } })],
    ['a choice that reads as another one', object({ a: { type: 'string', enum: ['yes', 'yes\u200b'] } })],
    ['names of nothing', object({ a: { type: 'string', enumNames: ['A'] } })],
    ['names that are too few', object({ a: { type: 'string', enum: ['a', 'b'], enumNames: ['A'] } })],
    ['a list of anything', object({ a: { type: 'array', items: { type: 'string' } } })],
    ['a list of lists', object({ a: { type: 'array', items: { type: 'array', items: {} } } })],
    ['a long title', object({ a: { type: 'string', title: 'x'.repeat(1_001) } })],
    ['a title that is none', object({ a: { type: 'string', title: { a: 1 } } })],
    ['a default of another kind', object({ a: { type: 'boolean', default: 'yes' } })],
    ['a needed field that is none', object({ a: { type: 'string' } }, { required: ['b'] })],
  ])('refuses %s', (_title, schema) => {
    expect(() => readFormSchema(schema)).toThrow(refused);
  });
});

describe('readFilledForm', () => {
  const form = readFormSchema(
    object({ a: { type: 'string', enum: ['x', 'y'] }, n: { type: 'integer', maximum: 3 } }, { required: ['a'] }),
  );
  it('takes what fits', () => {
    expect(readFilledForm(form, { a: 'x', n: 3 })).toEqual({ a: 'x', n: 3 });
  });

  it.each<[JsonValue | undefined]>([
    ...[[undefined], [null], ['x'], [{}], [{ a: 'z' }], [{ a: 'x', n: 4 }], [{ a: 'x', n: '3' }], [{ a: 'x', b: 1 }]],
    ...[[{ a: 'x', constructor: 1 }], [{ a: ['x'] }], [JSON.parse('{"a":"x","__proto__":{}}')]],
  ] as [JsonValue | undefined][])('refuses %j', (content) => {
    expect(() => readFilledForm(form, content)).toThrow(expect.objectContaining({ code: 'INPUT_SCHEMA_MISMATCH' }));
  });
});
