import { compileLinearPattern, isSallyportError, quoteForMessage } from '../core/index.ts';
import { checkComparison } from './condition-check.ts';
import { readOperand } from './condition-operands.ts';
import { expectSymbol, isNext, type Parser, peek, take, takeIf } from './condition-parser.ts';
import { type ConditionToken, failAt, readConditionTokens } from './condition-tokens.ts';
import {
  COMPARISONS,
  type Condition,
  type ConditionComparison,
  type ConditionOperand,
  type ConditionScope,
  DEFAULT_SCOPE,
  typeOfOperand,
} from './condition-types.ts';

const MAX_DEPTH = 32;

/**
 * Reads a condition of the policy and checks all that can go wrong with it, so that deciding it never fails:
 *
 *     condition  = and { "or" and } ; and = not { "and" not } ; not = "not" not | "(" condition ")" | test
 *     test       = operand [ ["not"] comparison operand ] | "exists" "(" path ")"
 *     comparison = == != < <= > >= in contains starts-with ends-with matches     (only "in" takes a "not")
 *     operand    = path | text | number | true | false | null | "[" literals "]" | "size" "(" path ")"
 *     path       = ("arguments" | "principal" | "facts") { "." name | "[" text or number "]" }
 *
 * @throws SallyportError POLICY_INVALID with `line` and `column` in its detail
 * @example
 * parseCondition('arguments.amount > 100 and not principal.agent starts-with "billing-"');
 */
export function parseCondition(source: string, scope: ConditionScope = DEFAULT_SCOPE): Condition {
  const parser: Parser = { tokens: readConditionTokens(source), scope, at: 0, depth: 0 };
  const condition = readCondition(parser);
  const rest = peek(parser);
  if (rest.kind !== 'end') failAt(rest, `${quoteForMessage(rest.written)} follows a condition that is complete`);
  return condition;
}

const readCondition = (parser: Parser): Condition => readSeries(parser, 'or', readAnd);
const readAnd = (parser: Parser): Condition => readSeries(parser, 'and', readNot);

function readSeries(parser: Parser, kind: 'and' | 'or', readPart: (parser: Parser) => Condition): Condition {
  const first = readPart(parser);
  const parts = [first];
  while (takeIf(parser, 'name', kind)) parts.push(readPart(parser));
  return parts.length === 1 ? first : Object.freeze({ kind, parts: Object.freeze(parts) });
}

function readNot(parser: Parser): Condition {
  parser.depth += 1;
  if (parser.depth > MAX_DEPTH) failAt(peek(parser), `it nests more than ${MAX_DEPTH} levels deep`);
  const condition = readPart(parser);
  parser.depth -= 1;
  return condition;
}

function readPart(parser: Parser): Condition {
  if (takeIf(parser, 'name', 'not')) return Object.freeze({ kind: 'not', part: readNot(parser) });
  if (takeIf(parser, 'symbol', '(')) {
    const condition = readCondition(parser);
    expectSymbol(parser, ')');
    return condition;
  }
  return isNext(parser, 'name', 'exists') ? readExists(parser) : readTest(parser);
}

function readExists(parser: Parser): Condition {
  const { line, column } = take(parser);
  expectSymbol(parser, '(');
  const operand = readOperand(parser);
  if (operand.kind !== 'path')
    failAt({ line, column }, 'exists() takes something of the call: exists(arguments.force)');
  expectSymbol(parser, ')');
  return Object.freeze({ kind: 'exists', operand });
}

function readTest(parser: Parser): Condition {
  const start = peek(parser);
  const left = readOperand(parser);
  const isNegated = isNext(parser, 'name', 'not') && parser.tokens[parser.at + 1]?.text === 'in';
  if (isNegated) parser.at += 1;
  const comparison = takeComparison(parser);
  if (comparison === null) return readTruth(left, parser.scope, start);
  const test = readComparison(parser, left, comparison);
  return isNegated ? Object.freeze({ kind: 'not', part: test }) : test;
}

const isComparison = (text: string): text is ConditionComparison => COMPARISONS.some((known) => known === text);

function takeComparison(parser: Parser): ConditionComparison | null {
  const { kind, text } = peek(parser);
  if ((kind !== 'symbol' && kind !== 'name') || !isComparison(text)) return null;
  parser.at += 1;
  return text;
}

function readTruth(operand: ConditionOperand, scope: ConditionScope, place: ConditionToken): Condition {
  const type = typeOfOperand(operand, scope);
  if (operand.kind !== 'path' || (type !== 'truth' && type !== 'any')) {
    failAt(place, 'a comparison is missing: this is neither true nor false by itself');
  }
  return Object.freeze({ kind: 'truth', operand });
}

function readComparison(parser: Parser, left: ConditionOperand, comparison: ConditionComparison): Condition {
  const place = parser.tokens[parser.at - 1] ?? peek(parser);
  const right = readOperand(parser);
  checkComparison({ comparison, left, right }, parser.scope, place);
  if (comparison !== 'matches') return Object.freeze({ kind: 'compare', comparison, left, right });
  if (right.kind !== 'literal' || typeof right.value !== 'string') {
    return failAt(place, 'right of matches stands a pattern, written as a text');
  }
  return Object.freeze({ kind: 'matches', left, pattern: compilePattern(right.value, place) });
}

function compilePattern(source: string, place: ConditionToken): ReturnType<typeof compileLinearPattern> {
  try {
    return compileLinearPattern(source);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return failAt(place, error.message);
  }
}
