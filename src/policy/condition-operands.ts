import { quoteForMessage } from '../core/index.ts';
import { checkSize } from './condition-check.ts';
import { expectSymbol, type Parser, peek, take, takeIf } from './condition-parser.ts';
import { type ConditionToken, failAt } from './condition-tokens.ts';
import type { ConditionLiteral, ConditionOperand, ConditionRoot } from './condition-types.ts';

const MAX_LIST = 256;

/**
 * Reads what stands on a side of a comparison.
 *
 * @throws SallyportError POLICY_INVALID
 */
export function readOperand(parser: Parser): ConditionOperand {
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
