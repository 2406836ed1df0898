import { isJsonObject, isSallyportError, type JsonObject, type JsonValue, type LinearPattern } from '../core/index.ts';
import type { Condition, ConditionComparison, ConditionOperand } from './condition-types.ts';

export { parseCondition } from './condition-parse.ts';
export { printCondition } from './condition-print.ts';
export { type Condition, type ConditionType, DEFAULT_SCOPE } from './condition-types.ts';

/** What a condition is decided from: JSON, gathered before. */
export interface ConditionInput {
  readonly arguments: JsonObject;
  readonly principal: JsonObject;
  readonly facts: JsonObject;
}

/**
 * `unknown`: a value that the condition needs is missing or of another type. A rule that restricts (asks, denies) takes
 * unknown as true, a rule that permits takes it as false: see `mayHold`.
 */
export type Truth = true | false | 'unknown';

/**
 * Decides a condition. Total: every input has an answer, in three-valued logic (Kleene): `and` is false when one part is
 * false whatever is unknown, `or` true when one part is true; `not` keeps unknown. `exists(path)` is never unknown.
 * `==` and `!=` of values that are there but of different types are false and true.
 */
export function evaluateCondition(condition: Condition, input: ConditionInput): Truth {
  switch (condition.kind) {
    case 'and':
      return combine(condition.parts, input, false);
    case 'or':
      return combine(condition.parts, input, true);
    case 'not': {
      const truth = evaluateCondition(condition.part, input);
      return truth === 'unknown' ? truth : !truth;
    }
    case 'exists':
      return resolveOperand(condition.operand, input) !== undefined;
    case 'truth': {
      const value = resolveOperand(condition.operand, input);
      return typeof value === 'boolean' ? value : 'unknown';
    }
    case 'matches':
      return matches(resolveOperand(condition.left, input), condition.pattern);
    case 'compare':
      return compare(
        condition.comparison,
        resolveOperand(condition.left, input),
        resolveOperand(condition.right, input),
      );
  }
}

/** For rules that restrict: true unless the condition is known not to hold. */
export const mayHold = (condition: Condition, input: ConditionInput): boolean =>
  evaluateCondition(condition, input) !== false;

/** `decisive` ends it; otherwise one unknown part makes the whole unknown. */
function combine(parts: readonly Condition[], input: ConditionInput, decisive: boolean): Truth {
  let result: Truth = !decisive;
  for (const part of parts) {
    const truth = evaluateCondition(part, input);
    if (truth === decisive) return decisive;
    if (truth === 'unknown') result = 'unknown';
  }
  return result;
}

/** `undefined`: not there, or without a size. */
function resolveOperand(operand: ConditionOperand, input: ConditionInput): JsonValue | undefined {
  switch (operand.kind) {
    case 'literal':
      return operand.value;
    case 'list':
      return operand.values;
    case 'size':
      return sizeOf(resolveOperand(operand.of, input));
    case 'path': {
      let value: JsonValue | undefined = input[operand.root];
      for (const step of operand.steps) value = stepInto(value, step);
      return value;
    }
  }
}

/** INVARIANT: own properties only; a name such as `constructor` finds nothing that was not sent. */
function stepInto(value: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (isList(value)) return typeof step === 'number' ? value[step] : undefined;
  if (!isJsonObject(value) || typeof step !== 'string') return undefined;
  return Object.hasOwn(value, step) ? value[step] : undefined;
}

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

/** Code points of a text, items of a list, keys of an object. */
function sizeOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === 'string') return countCodePoints(value);
  if (isList(value)) return value.length;
  return isJsonObject(value) ? Object.keys(value).length : undefined;
}

function countCodePoints(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

function compare(
  comparison: Exclude<ConditionComparison, 'matches'>,
  left: JsonValue | undefined,
  right: JsonValue | undefined,
): Truth {
  if (left === undefined || right === undefined) return 'unknown';
  switch (comparison) {
    case '==':
      return isPlain(left) && isPlain(right) ? left === right : 'unknown';
    case '!=':
      return isPlain(left) && isPlain(right) ? left !== right : 'unknown';
    case 'in':
      return isList(right) ? includes(right, left) : 'unknown';
    case 'contains':
      return isList(left) ? includes(left, right) : withTexts(left, right, (text, part) => text.includes(part));
    case 'starts-with':
      return withTexts(left, right, (text, part) => text.startsWith(part));
    case 'ends-with':
      return withTexts(left, right, (text, part) => text.endsWith(part));
    default:
      return compareNumbers(comparison, left, right);
  }
}

const isPlain = (value: JsonValue): boolean => typeof value !== 'object' || value === null;

function includes(list: readonly JsonValue[], value: JsonValue): Truth {
  if (!isPlain(value)) return 'unknown';
  if (list.includes(value)) return true;
  // What hides in an item that is itself a list or object cannot be told.
  return list.every(isPlain) ? false : 'unknown';
}

function withTexts(left: JsonValue, right: JsonValue, test: (left: string, right: string) => boolean): Truth {
  return typeof left === 'string' && typeof right === 'string' ? test(left, right) : 'unknown';
}

function compareNumbers(comparison: '<' | '<=' | '>' | '>=', left: JsonValue, right: JsonValue): Truth {
  if (typeof left !== 'number' || typeof right !== 'number') return 'unknown';
  if (comparison === '<') return left < right;
  if (comparison === '<=') return left <= right;
  return comparison === '>' ? left > right : left >= right;
}

/** A text too long for its pattern cannot be told (the linear engine has a limit on work). */
function matches(value: JsonValue | undefined, pattern: LinearPattern): Truth {
  if (typeof value !== 'string') return 'unknown';
  try {
    return pattern.test(value);
  } catch (error) {
    if (!isSallyportError(error, 'INPUT_TOO_LARGE')) throw error;
    return 'unknown';
  }
}
