import type { JsonObject, JsonValue } from '../core/index.ts';

/** A key of the language that this version does not have: it is refused by name, with what it waits for. */
export const later = (needs: string, description: string): JsonObject => ({
  description,
  not: {},
  'x-needs': needs,
});

/** Values of the language that this version does not have, and what each waits for. */
type LaterValues = Readonly<Record<string, string>>;

/** A text out of a fixed list. */
export const choice = (values: readonly string[], description: string, laterValues: LaterValues = {}): JsonObject => ({
  description,
  enum: values,
  ...(Object.keys(laterValues).length === 0 ? {} : { 'x-later': laterValues }),
});

export const text = (description: string, rest: Readonly<Record<string, JsonValue>> = {}): JsonObject => ({
  description,
  type: 'string',
  minLength: 1,
  maxLength: 4_096,
  ...rest,
});

/** An object that knows exactly these keys. */
export const closed = (
  description: string,
  properties: Readonly<Record<string, JsonValue>>,
  rest: Readonly<Record<string, JsonValue>> = {},
): JsonObject => ({ description, type: 'object', properties, additionalProperties: false, ...rest });

export const list = (
  description: string,
  items: JsonValue,
  rest: Readonly<Record<string, JsonValue>> = {},
): JsonObject => ({
  description,
  type: 'array',
  items,
  ...rest,
});

/** One isolation level, or a list of levels that are accepted, best first. */
export const isolation: JsonObject = {
  description:
    'Where what is spawned runs: one level, or a list of levels, best first. Functions in the process and remote servers need an explicit `none`.',
  type: ['string', 'array'],
  if: { type: 'array' },
  // biome-ignore lint/suspicious/noThenProperty: the keyword of JSON Schema
  then: { items: { $ref: '#/$defs/isolationLevel' }, minItems: 1, uniqueItems: true },
  else: { $ref: '#/$defs/isolationLevel' },
};

export const isolationLevel: JsonObject = choice(
  ['none', 'bubblewrap', 'container', 'gvisor'],
  'An isolation level: `none` is no sandbox; `bubblewrap` is namespaces and a system call filter of Linux, `container` an OCI runtime, `gvisor` a kernel of its own.',
  { process: 'a launcher that this version does not have' },
);

export const duration: JsonObject = text('A time with its unit: `500ms`, `120s`, `5m`, `1h`; at most 24 hours.', {
  pattern: '^[1-9][0-9]{0,8}(ms|s|m|h)$',
  'x-remedy': 'Write a number and a unit: 500ms, 120s, 5m or 1h',
});

/** Yes or no. */
export const flag = (description: string): JsonObject => ({ description, type: 'boolean' });

/** Memory and disk: more than a message may have. */
export const largeSize: JsonObject = text('A size with its unit: `512MiB`, `2GiB`; at most 1024 GiB.', {
  pattern: '^[1-9][0-9]{0,12}(B|KiB|MiB|GiB)$',
  'x-remedy': 'Write a number and a unit: 512MiB or 2GiB',
});

export const size: JsonObject = text('A size with its unit: `512B`, `64KiB`, `1MiB`; at most 1 GiB.', {
  pattern: '^[1-9][0-9]{0,9}(B|KiB|MiB|GiB)$',
  'x-remedy': 'Write a number and a unit: 512B, 64KiB or 1MiB',
});
