import {
  type CompiledSchema,
  compileSchema,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  quoteForMessage,
  readPointer,
  type SchemaError,
  validateSchema,
  valueAtPointer,
} from '../core/index.ts';
import { didYouMean } from './did-you-mean.ts';
import type { ProblemDraft } from './problems.ts';
import { policySchema } from './schema.ts';

const MAX_PROBLEMS = 100;
/** A policy of the largest size has to fit, and nobody but the operator writes one. */
const MAX_STEPS = 10_000_000;
const COMPILED: CompiledSchema = compileSchema(policySchema);

/** What in a policy is not of the shape that the schema of the language asks for. */
export const findShapeProblems = (value: JsonValue): readonly ProblemDraft[] =>
  validateSchema(COMPILED, value, { maxErrors: MAX_PROBLEMS, maxSteps: MAX_STEPS }).map((error) =>
    describe(error, value),
  );

function describe(error: SchemaError, value: JsonValue): ProblemDraft {
  const { pointer, keyword } = error;
  if (keyword === 'work') return draft(error, 'value', error.message, 'Write less under one key');
  const owner = schemaAt(error.schemaPointer.slice(0, error.schemaPointer.lastIndexOf('/')));
  const key = lastKey(pointer);
  const found = valueAtPointer(value, pointer);
  const needs = owner['x-needs'];
  if (keyword === 'not' && typeof needs === 'string') return missing(error, key, needs);
  const waits = typeof found === 'string' && isJsonObject(owner['x-later']) ? owner['x-later'][found] : undefined;
  if (typeof found === 'string' && typeof waits === 'string') return missing(error, found, waits);
  if (keyword === 'additionalProperties') return unknownKey(error, key, owner);
  const isKey = error.schemaPointer.includes('/propertyNames/');
  const subject = isKey
    ? `the name ${quoteForMessage(key, 60)}`
    : pointer === ''
      ? 'the policy'
      : quoteForMessage(key, 60);
  const remedy = typeof owner['x-remedy'] === 'string' ? owner['x-remedy'] : remedyOf(owner, keyword);
  return draft(error, isKey ? 'key' : 'value', `${subject}: ${error.message}`, remedy);
}

const draft = ({ pointer }: SchemaError, part: 'key' | 'value', message: string, remedy: string): ProblemDraft => ({
  pointer,
  part,
  message,
  remedy,
});

/** A part of the language that this version does not have: refused, so that nobody relies on it. */
const missing = (error: SchemaError, what: string, needs: string): ProblemDraft =>
  draft(
    error,
    error.keyword === 'not' ? 'key' : 'value',
    `${quoteForMessage(what, 60)} needs ${needs}, which this version does not have`,
    'Remove it; until then, allow nothing that would rely on it',
  );

function unknownKey(error: SchemaError, key: string, owner: JsonObject): ProblemDraft {
  const known = Object.keys(isJsonObject(owner['properties']) ? owner['properties'] : {});
  const meant = didYouMean(key, known);
  const remedy =
    meant === null
      ? `Known keys here: ${known.filter((name) => isBuilt(owner, name)).join(', ')}`
      : `Did you mean ${meant}?`;
  const hint = meant === null ? '' : `, did you mean ${meant}?`;
  return draft(error, 'key', `unknown key ${quoteForMessage(key, 60)}${hint}`, remedy);
}

function isBuilt(owner: JsonObject, name: string): boolean {
  const property = isJsonObject(owner['properties']) ? owner['properties'][name] : undefined;
  return !isJsonObject(property) || property['x-needs'] === undefined;
}

const remedyOf = (owner: JsonObject, keyword: string): string =>
  keyword === 'required'
    ? 'Add the key'
    : typeof owner['description'] === 'string'
      ? owner['description']
      : 'Mend the value';

const lastKey = (pointer: string): string => readPointer(pointer).at(-1) ?? '';

function schemaAt(pointer: string): JsonObject {
  const found = valueAtPointer(policySchema, pointer);
  return isJsonObject(found) ? found : {};
}
