import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isSallyportError } from './errors.ts';
import type { JsonObject, JsonValue } from './json.ts';
import { type CompiledSchema, compileSchema, validateSchema } from './json-schema.ts';

interface SuiteGroup {
  readonly description: string;
  readonly schema: JsonObject | boolean;
  readonly tests: readonly { readonly description: string; readonly data: JsonValue; readonly valid: boolean }[];
}

const FOLDER = new URL('../../test/cases/json-schema-suite/draft2020-12/', import.meta.url);

/** Why compileSchema refuses some schemas of the suite: each by the words of its message. */
const REASONS = [
  /\$dynamicRef is not supported/, // resolution depends on the path of the validation: not worth its surface
  /\$id stands at the top only/, // a change of base would let one reference mean two places
  /is not in this document/, // remote references: nothing is fetched because a stranger's schema says so
  /this dialect is not known/, // custom vocabularies
];

/** How many groups of a file are refused for these reasons; none in every other file. */
const REFUSED: Readonly<Record<string, number>> = {
  'anchor.json': 3,
  'defs.json': 1,
  'dynamicRef.json': 20,
  'ref.json': 13,
  'refRemote.json': 15,
  'unevaluatedItems.json': 1,
  'unevaluatedProperties.json': 1,
  'vocabulary.json': 2,
};

function compileOrMessage(schema: JsonObject | boolean): CompiledSchema | string {
  try {
    return compileSchema(schema);
  } catch (error) {
    if (isSallyportError(error, 'SCHEMA_INVALID')) return error.message;
    throw error;
  }
}

describe.each(readdirSync(FOLDER))('JSON Schema Test Suite: %s', (file) => {
  const groups = (JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as SuiteGroup[]).map((group) => ({
    ...group,
    compiled: compileOrMessage(group.schema),
  }));
  const refused = groups.filter(({ compiled }) => typeof compiled === 'string');

  it('refuses what is listed, for a reason that is listed', () => {
    expect(refused.length).toBe(REFUSED[file] ?? 0);
    for (const { compiled } of refused) expect(REASONS.some((reason) => reason.test(String(compiled)))).toBe(true);
  });

  it.each(groups.filter((group) => !refused.includes(group)))('$description', ({ compiled, tests }) => {
    if (typeof compiled === 'string') throw new Error(compiled);
    const wrong = tests.filter(({ data, valid }) => (validateSchema(compiled, data).length === 0) !== valid);
    expect(wrong.map((test) => test.description)).toEqual([]);
  });
});
