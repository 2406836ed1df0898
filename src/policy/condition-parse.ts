import { compileLinearPattern, isSallyportError, quoteForMessage } from '../core/index.ts';
import { checkComparison, checkSize } from './condition-check.ts';
import { type ConditionToken, failAt, readConditionTokens } from './condition-tokens.ts';
import {
  COMPARISONS,
  type Condition,
  type ConditionComparison,
  type ConditionLiteral,
  type ConditionOperand,
  type ConditionRoot,
  type ConditionScope,
  DEFAULT_SCOPE,
  typeOfOperand,
} from './condition-types.ts';

const MAX_DEPTH = 32;
const MAX_LIST = 256;

interface Parser {
  readonly tokens: readonly ConditionToken[];
  readonly scope: ConditionScope;
  at: number;
  depth: number;
}

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

function peek({ tokens, at }: Parser): ConditionToken {
  const token = tokens[at] ?? tokens.at(-1);
  return token ?? failAt({ line: 1, column: 1 }, 'it is empty');
}

function take(parser: Parser): ConditionToken {
  const token = peek(parser);
  parser.at += 1;
  return token;
}

const isNext = (parser: Parser, kind: 'name' | 'symbol', text: string): boolean => {
  const token = peek(parser);
  return token.kind === kind && token.text === text;
};

function takeIf(parser: Parser, kind: 'name' | 'symbol', text: string): boolean {
  const isIt = isNext(parser, kind, text);
  if (isIt) parser.at += 1;
  return isIt;
}

function expectSymbol(parser: Parser, text: string): void {
  const token = take(parser);
  if (token.kind !== 'symbol' || token.text !== text) failAt(token, `${text} is missing here`);
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

function readOperand(parser: Parser): ConditionOperand {
  const token = take(parser);
  if (token.kind === 'name') return readNamed(parser, token);
  if (token.kind === 'symbol' && token.text === '[') return readList(parser);
  if (token.kind === 'string' || token.kind === 'number') {
    return Object.freeze({ kind: 'literal', value: readLiteral(token) });
  }
  const found =
    token.kind === 'end'
      ? 'the condition ends too early'
      : `${quoteForMessage(token.written)} stands where a value belongs`;
  return failAt(token, found);
}

const KEYWORDS: ReadonlyMap<string, ConditionLiteral> = new Map<string, ConditionLiteral>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

function readNamed(parser: Parser, token: ConditionToken): ConditionOperand {
  const keyword = KEYWORDS.get(token.text);
  if (keyword !== undefined) return Object.freeze({ kind: 'literal', value: keyword });
  switch (token.text) {
    case 'size':
      return readSize(parser, token);
    case 'arguments':
    case 'principal':
    case 'facts':
      return readPath(parser, token.text);
    default:
      return failAt(token, `${quoteForMessage(token.text)} is not known: start with arguments., principal. or facts.`);
  }
}

function readSize(parser: Parser, token: ConditionToken): ConditionOperand {
  expectSymbol(parser, '(');
  const of = readOperand(parser);
  expectSymbol(parser, ')');
  checkSize(of, parser.scope, token);
  return Object.freeze({ kind: 'size', of });
}

function readPath(parser: Parser, root: ConditionRoot): ConditionOperand {
  const steps: (string | number)[] = [];
  const place = peek(parser);
  for (;;) {
    if (takeIf(parser, 'symbol', '.')) steps.push(readName(parser));
    else if (takeIf(parser, 'symbol', '[')) steps.push(readIndex(parser));
    else break;
  }
  checkPath(parser, { root, steps, place });
  return Object.freeze({ kind: 'path', root, steps: Object.freeze(steps) });
}

function readName(parser: Parser): string {
  const token = take(parser);
  return token.kind === 'name' ? token.text : failAt(token, 'a name is missing after the dot');
}

function readIndex(parser: Parser): string | number {
  const token = take(parser);
  expectSymbol(parser, ']');
  if (token.kind === 'string') return token.text;
  const index = token.kind === 'number' ? Number(token.text) : Number.NaN;
  return Number.isSafeInteger(index) && index >= 0 ? index : failAt(token, 'brackets take a text, or a number from 0');
}

function checkPath(
  { scope }: Parser,
  { root, steps, place }: { root: ConditionRoot; steps: readonly (string | number)[]; place: ConditionToken },
): void {
  const known = scope[root];
  const [first] = steps;
  if (first === undefined) {
    if (root !== 'arguments')
      failAt(place, `${root} is no value: name one of ${[...(known?.keys() ?? [])].join(', ')}`);
    return;
  }
  if (known === null || (typeof first === 'string' && known.has(first))) return;
  failAt(place, `${root} has no ${quoteForMessage(String(first))}; it has: ${[...known.keys()].join(', ')}`);
}

function readList(parser: Parser): ConditionOperand {
  const values: ConditionLiteral[] = [];
  while (!takeIf(parser, 'symbol', ']')) {
    if (values.length > 0) expectSymbol(parser, ',');
    const token = take(parser);
    if (values.length >= MAX_LIST) failAt(token, `a list has at most ${MAX_LIST} values`);
    values.push(readLiteral(token));
  }
  return Object.freeze({ kind: 'list', values: Object.freeze(values) });
}

function readLiteral(token: ConditionToken): ConditionLiteral {
  if (token.kind === 'string') return token.text;
  const keyword = token.kind === 'name' ? KEYWORDS.get(token.text) : undefined;
  if (keyword !== undefined) return keyword;
  const number = token.kind === 'number' ? Number(token.text) : Number.NaN;
  const isExact = Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number));
  // Negative zero would print as zero.
  return isExact
    ? number + 0
    : failAt(token, 'a literal belongs here: a text, a number within 2^53-1, true, false or null');
}
