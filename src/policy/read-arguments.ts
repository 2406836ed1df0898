import {
  compileSchema,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  validateSchema,
} from '../core/index.ts';
import type { ArgumentRule, ArgumentUse } from './policy.ts';
import { addProblem, listAt, objectAt, type PolicyReading, referTo, segment, wordAt } from './reading.ts';

/** Reads and checks the constraints of a rule; null when it has none. */
export function readArguments(
  reading: PolicyReading,
  id: string,
  pointer: string,
  value: JsonObject,
): readonly ArgumentRule[] | null {
  const named = objectAt(value, 'arguments');
  if (named === null) return null;
  const rules = Object.entries(named).map(([name, constraint]) => {
    const place = `${pointer}/arguments${segment(name)}`;
    const rule = referTo(reading, `${id}.arguments.${name}`, place, 'key');
    const { schema, as } = splitConstraint(constraint);
    checkSchema(reading, place, schema);
    return Object.freeze({ name, schema, as, rule });
  });
  return Object.freeze(rules);
}

const USES: readonly ArgumentUse[] = ['file_read', 'file_write', 'api_call', 'sql-read-only'];

/** The constraint as a schema, and what the argument stands for. What is judged is a text, or a list of texts. */
function splitConstraint(constraint: JsonValue): { readonly schema: JsonObject; readonly as: ArgumentUse | null } {
  if (!isJsonObject(constraint)) return { schema: constraint === false ? { not: {} } : {}, as: null };
  const { as: _own, items, ...rest } = constraint;
  const own = wordAt(USES, constraint, 'as');
  const inItems = isJsonObject(items) ? wordAt(USES, items, 'as') : null;
  const plainItems = isJsonObject(items) ? withoutAs(items) : items;
  const schema: Record<string, JsonValue> = { ...rest };
  if (plainItems !== undefined) schema['items'] = plainItems;
  if (inItems !== null) return { schema: { allOf: [schema, LIST_OF_TEXTS] }, as: inItems };
  return own === null ? { schema, as: null } : { schema: { allOf: [schema, TEXT_OR_LIST] }, as: own };
}

function withoutAs({ as: _as, ...rest }: JsonObject): JsonObject {
  return rest;
}

const LIST_OF_TEXTS: JsonObject = Object.freeze({ type: 'array', items: { type: 'string' } });
const TEXT_OR_LIST: JsonObject = Object.freeze({ type: ['string', 'array'], items: { type: 'string' } });

function checkSchema(reading: PolicyReading, pointer: string, schema: JsonObject): void {
  try {
    const compiled = compileSchema(schema);
    const unmet = findContradiction(schema, (value) => validateSchema(compiled, value).length === 0);
    if (unmet !== null)
      addProblem(reading, pointer, `no value can meet this constraint: ${unmet}`, 'Mend the constraint');
  } catch (error) {
    if (!isSallyportError(error, 'SCHEMA_INVALID')) throw error;
    const inside = typeof error.detail['pointer'] === 'string' ? error.detail['pointer'] : '';
    addProblem(reading, pointer + inside.replace(/^\/allOf\/\d+/, ''), error.message, 'Mend the constraint');
  }
}

const BOUNDS: readonly (readonly [low: string, high: string])[] = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
];

/** Why no value at all can meet a schema, where that is plain to see; null otherwise. */
function findContradiction(schema: JsonObject, accepts: (value: JsonValue) => boolean): string | null {
  const inner = listAt(schema, 'allOf')?.[0];
  const plain = isJsonObject(inner) ? inner : schema;
  const values = listAt(plain, 'enum') ?? (Object.hasOwn(plain, 'const') ? [plain['const'] ?? null] : null);
  if (values !== null) return values.some(accepts) ? null : 'none of its values meets the rest of it';
  if (isJsonObject(plain['not']) && Object.keys(plain['not']).length === 0) return 'it accepts nothing';
  for (const [low, high] of BOUNDS) {
    const [least, most] = [plain[low], plain[high]];
    if (typeof least === 'number' && typeof most === 'number' && least > most) return `${low} is above ${high}`;
  }
  return null;
}
