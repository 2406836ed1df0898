import {
  type CompiledSchema,
  compileSchema,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  validateSchema,
} from '../core/index.ts';
import { finite, isReadable, malformed, objectsOf, optional, readableText, unfit } from './question-text.ts';

/** Fields of one form. */
const MAX_PROPERTIES = 64;
/** Choices of one field. */
const MAX_CHOICES = 256;
/** Longest title or description, in UTF-16 code units. */
const MAX_LABEL = 1_000;
/** Longest name of a field, and longest value of a choice. */
const MAX_NAME = 128;
const MAX_CHOICE = 1_000;
/** Longest text that a field holds before a person changes it. */
const MAX_DEFAULT = 4_000;
const FORMATS: ReadonlySet<string> = new Set(['email', 'uri', 'date', 'date-time']);

/**
 * The form that a server asks to be filled in, written anew from the fields that MCP has for it (2025-11-25 and 2026-07-28,
 * elicitation, requested schema): texts, numbers, yes or no, and choices, none inside another. Anything else is left out or
 * refused. ATTACKER-CONTROLLED: `schema`.
 *
 * @throws SallyportError RESULT_MALFORMED, SCHEMA_INVALID
 */
export function readFormSchema(schema: JsonValue | undefined): JsonObject {
  if (!isJsonObject(schema) || schema['type'] !== 'object' || !isJsonObject(schema['properties'])) {
    throw malformed('a person for something else than a flat form');
  }
  const entries = Object.entries(schema['properties']);
  if (entries.length > MAX_PROPERTIES || !entries.every(([name]) => isName(name))) {
    throw malformed('a person to fill in fields that cannot be shown');
  }
  const properties = Object.fromEntries(entries.map(([name, property]) => [name, readProperty(property)]));
  const isField = (name: JsonValue): boolean => typeof name === 'string' && Object.hasOwn(properties, name);
  const required = optional(schema, 'required', (value) =>
    Array.isArray(value) && value.length <= MAX_PROPERTIES && value.every(isField) ? value : null,
  );
  const form = { type: 'object', properties, ...required };
  compileForm(form);
  return form;
}

const isName = (name: string): boolean => name !== '' && isReadable(name, MAX_NAME) && name !== '__proto__';

function readProperty(property: JsonValue): JsonObject {
  if (!isJsonObject(property)) throw malformed('a person to fill in a field that is none');
  const { type } = property;
  const read = typeof type === 'string' ? KINDS.get(type) : undefined;
  if (read === undefined) throw malformed('a person for something else than a flat form');
  const label = (value: JsonValue): string | null => readableText(value, MAX_LABEL);
  return {
    ...{ type: String(type) },
    ...optional(property, 'title', label),
    ...optional(property, 'description', label),
    ...read(property),
  };
}

const KINDS: ReadonlyMap<string, (property: JsonObject) => JsonObject> = new Map([
  ['string', readString],
  ['number', readNumber],
  ['integer', readNumber],
  ['boolean', (property) => optional(property, 'default', (value) => (typeof value === 'boolean' ? value : null))],
  ['array', readChoices],
]);

const count = (value: JsonValue): number | null =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;

function readString(property: JsonObject): JsonObject {
  const choices = {
    ...optional(property, 'enum', readTexts),
    ...optional(property, 'enumNames', readLabels),
    ...optional(property, 'oneOf', readTitled),
  };
  checkNames(choices);
  const { format } = property;
  return {
    ...choices,
    ...optional(property, 'minLength', count),
    ...optional(property, 'maxLength', count),
    ...(typeof format === 'string' && FORMATS.has(format) ? { format } : {}),
    ...optional(property, 'default', (value) => (isPrefilled(value) ? value : null)),
  };
}

/** A text in a field may have lines. */
const isPrefilled = (value: JsonValue): boolean =>
  typeof value === 'string' &&
  value.length <= MAX_DEFAULT &&
  value.split(/[\n\t]/).every((line) => isReadable(line, MAX_DEFAULT));

/** A name beside the wrong value would have a person choose what they did not mean. */
function checkNames({ enum: values, enumNames: names }: JsonObject): void {
  if (names === undefined) return;
  if (!Array.isArray(values) || !Array.isArray(names) || values.length !== names.length) {
    throw malformed('a person to choose between names that belong to no value');
  }
}

function readNumber(property: JsonObject): JsonObject {
  return {
    ...optional(property, 'minimum', finite),
    ...optional(property, 'maximum', finite),
    ...optional(property, 'default', finite),
  };
}

function readChoices(property: JsonObject): JsonObject {
  const { items } = property;
  if (!isJsonObject(items)) throw malformed('a person to choose between nothing');
  const titled = optional(items, 'anyOf', readTitled);
  const plain = optional(items, 'enum', readTexts);
  if (Object.keys(titled).length + Object.keys(plain).length !== 1) {
    throw malformed('a person to choose between nothing');
  }
  return {
    items: titled['anyOf'] === undefined ? { type: 'string', ...plain } : titled,
    ...optional(property, 'minItems', count),
    ...optional(property, 'maxItems', count),
    ...optional(property, 'uniqueItems', (value) => (typeof value === 'boolean' ? value : null)),
    ...optional(property, 'default', readDefaults),
  };
}

const readDefaults = (value: JsonValue): JsonValue | null =>
  Array.isArray(value) && value.length === 0 ? value : readTexts(value);

/** Values of choices, each one once. */
function readTexts(value: JsonValue): JsonValue | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CHOICES) return null;
  const isDistinct = new Set(value).size === value.length;
  return isDistinct && value.every((item) => isReadable(item, MAX_CHOICE)) ? value : null;
}

function readLabels(value: JsonValue): JsonValue | null {
  if (!Array.isArray(value) || value.length > MAX_CHOICES) return null;
  const labels = (value as readonly JsonValue[]).map((item) => readableText(item, MAX_LABEL));
  return labels.every((label) => label !== null) ? labels : null;
}

/** Choices with a title each: `{ const, title }`. */
function readTitled(value: JsonValue): JsonValue | null {
  const choices = objectsOf(value, MAX_CHOICES);
  const values = choices?.map((choice) => choice['const'] ?? null);
  const titles = choices === null ? null : readLabels(choices.map(({ const: own, title }) => title ?? own ?? null));
  if (values === undefined || readTexts(values) === null || !Array.isArray(titles)) return null;
  return values.map((own, at) => ({ const: own, title: titles[at] ?? own }));
}

/** Fields that are not in the form carry what no person was asked. */
const compileForm = (form: JsonObject): CompiledSchema => compileSchema({ ...form, additionalProperties: false });

/**
 * What was filled in, when it has only fields of the form and fits it. ATTACKER-CONTROLLED: `content`.
 *
 * @throws SallyportError INPUT_SCHEMA_MISMATCH
 */
export function readFilledForm(form: JsonObject, content: JsonValue | undefined): JsonObject {
  const given = content ?? {};
  if (!isJsonObject(given)) throw unfit('has no form');
  const [error] = validateSchema(compileForm(form), given, { maxErrors: 1 });
  if (error !== undefined) throw unfit('does not fit the form');
  return given;
}
