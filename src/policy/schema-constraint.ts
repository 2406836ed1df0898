import type { JsonObject } from '../core/index.ts';
import { choice, closed, later, list } from './schema-parts.ts';

const sub: JsonObject = { $ref: '#/$defs/constraint' };
const count: JsonObject = { type: 'integer', minimum: 0 };
const number: JsonObject = { type: 'number' };
const subs: JsonObject = { type: 'array', minItems: 1, items: sub };
const names: JsonObject = { type: 'array', items: { type: 'string' } };
const subMap: JsonObject = { type: 'object', additionalProperties: sub };

const TYPE_NAMES = ['null', 'boolean', 'object', 'array', 'number', 'string', 'integer'];

/** The keywords of JSON Schema 2020-12 that a constraint may use; all of them are enforced. */
const KEYWORDS: Readonly<Record<string, JsonObject>> = {
  type: {
    description: 'A JSON type, or a list of them.',
    type: ['string', 'array'],
    if: { type: 'array' },
    // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
    then: { items: { enum: TYPE_NAMES }, minItems: 1 },
    else: { enum: TYPE_NAMES },
  },
  enum: { description: 'The values that are accepted.', type: 'array', minItems: 1 },
  const: { description: 'The one value that is accepted.' },
  pattern: {
    description:
      'A regular expression that must match somewhere in the text (anchor it with `^` and `$`); linear time, so no look-around and no back references.',
    type: 'string',
  },
  minLength: count,
  maxLength: { ...count, description: 'Characters (code points) at most.' },
  minimum: number,
  maximum: number,
  exclusiveMinimum: number,
  exclusiveMaximum: number,
  multipleOf: { type: 'number', exclusiveMinimum: 0 },
  items: sub,
  prefixItems: subs,
  contains: sub,
  minContains: count,
  maxContains: count,
  minItems: count,
  maxItems: count,
  uniqueItems: { type: 'boolean' },
  properties: subMap,
  patternProperties: subMap,
  additionalProperties: sub,
  propertyNames: sub,
  required: names,
  dependentRequired: { type: 'object', additionalProperties: names },
  dependentSchemas: subMap,
  minProperties: count,
  maxProperties: count,
  allOf: subs,
  anyOf: subs,
  oneOf: subs,
  not: sub,
  if: sub,
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: sub,
  else: sub,
  title: { type: 'string' },
  description: { type: 'string' },
  format: later('checked formats', 'The format of a text.'),
};

const as: JsonObject = choice(
  ['file_read', 'file_write', 'api_call', 'sql-read-only'],
  "`file_read`, `file_write`: a path (or a list of paths), judged by this tool's rule; by this rule's own `allowedPaths` where it has some. `api_call`: a URL, judged by that rule; by this rule's own endpoints where it has some. `sql-read-only`: one SQL statement that only reads.",
);

/** The constraint on a part of an argument. */
export const constraint: JsonObject = {
  description: 'A constraint in the terms of JSON Schema 2020-12.',
  type: ['object', 'boolean'],
  properties: KEYWORDS,
  additionalProperties: false,
};

/** The constraint on an argument as a whole, which may also be a path or a list of paths. */
export const argument: JsonObject = {
  description: 'What the value of one argument must meet; `{}` or `true` accepts any value.',
  type: ['object', 'boolean'],
  properties: {
    as,
    ...KEYWORDS,
    items: { type: ['object', 'boolean'], properties: { as, ...KEYWORDS }, additionalProperties: false },
  },
  additionalProperties: false,
};

const labels = list('Where the data of a result comes from.', choice(['untrusted', 'private', 'trusted'], 'A label.'), {
  minItems: 1,
  uniqueItems: true,
});

/** Where data comes from and what a call does to the world. */
export const flow: JsonObject = closed('Where the data of a result comes from, and what a call does to the world.', {
  output: labels,
  effect: choice(
    ['read', 'write', 'egress', 'destroy', 'credential'],
    'What a call does to the world. An unclassified tool counts as `egress`: when the outcome of an identical call is unknown, only a `read` is repeated without asking.',
  ),
  trustedArguments: later('flow control', 'Arguments that must not come from untrusted data.'),
  contentArguments: later('flow control', 'Arguments that carry content.'),
  onUntrusted: later('flow control', 'What to do when a trusted argument comes from untrusted data.'),
});
