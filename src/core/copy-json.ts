import { canonicalJson, sortedKeys } from './canonical-json.ts';
import { SallyportError } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { checkNumberRange } from './strict-json.ts';

/**
 * Copies a value that a caller holds into frozen JSON, with the rules of {@link parseStrictJson}. Getters run once and
 * later changes by the caller cannot reach the copy. Keys whose value is `undefined` are left out.
 *
 * @throws SallyportError INPUT_NOT_JSON, INPUT_LONE_SURROGATE, INPUT_NUMBER_RANGE, INPUT_FORBIDDEN_KEY,
 * INPUT_TOO_LARGE, INPUT_TOO_DEEP
 */
export function copyJson(value: unknown, limits: { maxBytes?: number; maxDepth?: number } = {}): JsonValue {
  const budget = { bytes: limits.maxBytes ?? DEFAULT_LIMITS.argumentBytes, sorting: false, indices: false };
  return copy(value, limits.maxDepth ?? DEFAULT_LIMITS.argumentDepth, budget);
}

/** The {@link canonicalJson} of a value that a caller holds, with the rules and errors of {@link copyJson}: in one reading. */
export function canonicalCopy(value: unknown, limits: { maxBytes?: number; maxDepth?: number } = {}): string {
  const budget = { bytes: limits.maxBytes ?? DEFAULT_LIMITS.argumentBytes, sorting: true, indices: false };
  const copied = copy(value, limits.maxDepth ?? DEFAULT_LIMITS.argumentDepth, budget);
  // INVARIANT: an object keeps the order in which its keys were added, except for those that look like array indices.
  return budget.indices ? canonicalJson(copied) : JSON.stringify(copied);
}

interface Budget {
  bytes: number;
  /** Keys are added in canonical order, and the copy is for nobody else's eyes: it need not be frozen. */
  readonly sorting: boolean;
  /** A key began with a digit. */
  indices: boolean;
}

function copy(value: unknown, depth: number, budget: Budget): JsonValue {
  spend(budget, 1);
  switch (typeof value) {
    case 'string':
      return copyString(value, budget);
    case 'number':
      checkNumberRange(value);
      return value;
    case 'boolean':
      return value;
    case 'object':
      if (value === null) return null;
      if (depth <= 0) throw new SallyportError('INPUT_TOO_DEEP', 'the value is nested too deeply, or refers to itself');
      return Array.isArray(value) ? copyArray(value, depth, budget) : copyObject(value, depth, budget);
    default:
      throw new SallyportError('INPUT_NOT_JSON', `a ${typeof value} is not JSON`);
  }
}

function copyString(value: string, budget: Budget): string {
  spend(budget, Buffer.byteLength(value));
  if (!value.isWellFormed()) throw new SallyportError('INPUT_LONE_SURROGATE', 'a string has a lone surrogate');
  return value;
}

function copyArray(value: readonly unknown[], depth: number, budget: Budget): JsonValue {
  const { length } = value;
  spend(budget, length);
  const result: JsonValue[] = [];
  for (let index = 0; index < length; index++) result.push(copy(value[index], depth - 1, budget));
  return budget.sorting ? result : Object.freeze(result);
}

function copyObject(value: object, depth: number, budget: Budget): JsonValue {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    throw new SallyportError('INPUT_NOT_JSON', 'only plain objects are JSON');
  }
  const result: Record<string, JsonValue> = {};
  for (const key of budget.sorting ? sortedKeys(value) : Object.keys(value)) {
    if (key === '__proto__') throw new SallyportError('INPUT_FORBIDDEN_KEY', 'the key __proto__ is refused');
    const child = (value as Record<string, unknown>)[key];
    if (child === undefined) continue;
    if (startsWithDigit(key)) budget.indices = true;
    result[copyString(key, budget)] = copy(child, depth - 1, budget);
  }
  return budget.sorting ? result : Object.freeze(result);
}

function startsWithDigit(key: string): boolean {
  const first = key.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

function spend(budget: Budget, bytes: number): void {
  budget.bytes -= bytes;
  if (budget.bytes < 0) throw new SallyportError('INPUT_TOO_LARGE', 'the value is larger than its limit');
}

/** {@link copyJson} for a value that must be an object. */
export function copyJsonObject(value: unknown, limits: { maxBytes?: number; maxDepth?: number } = {}): JsonObject {
  const copied = copyJson(value, limits);
  if (!isJsonObject(copied)) throw new SallyportError('INPUT_NOT_JSON', 'expected a JSON object');
  return copied;
}
