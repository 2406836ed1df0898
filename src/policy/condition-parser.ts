import { type ConditionToken, failAt } from './condition-tokens.ts';
import type { ConditionScope } from './condition-types.ts';

/** Where the reading of a condition is. */
export interface Parser {
  readonly tokens: readonly ConditionToken[];
  readonly scope: ConditionScope;
  at: number;
  depth: number;
}

export function peek({ tokens, at }: Parser): ConditionToken {
  const token = tokens[at] ?? tokens.at(-1);
  return token ?? failAt({ line: 1, column: 1 }, 'it is empty');
}

export function take(parser: Parser): ConditionToken {
  const token = peek(parser);
  parser.at += 1;
  return token;
}

export const isNext = (parser: Parser, kind: 'name' | 'symbol', text: string): boolean => {
  const token = peek(parser);
  return token.kind === kind && token.text === text;
};

export function takeIf(parser: Parser, kind: 'name' | 'symbol', text: string): boolean {
  const isIt = isNext(parser, kind, text);
  if (isIt) parser.at += 1;
  return isIt;
}

export function expectSymbol(parser: Parser, text: string): void {
  const token = take(parser);
  if (token.kind !== 'symbol' || token.text !== text) failAt(token, `${text} is missing here`);
}
