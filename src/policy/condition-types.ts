import type { LinearPattern } from '../core/index.ts';

/** A literal of a condition. */
export type ConditionLiteral = string | number | boolean | null;

/** What stands on a side of a comparison. Frozen. */
export type ConditionOperand =
  | { readonly kind: 'literal'; readonly value: ConditionLiteral }
  | { readonly kind: 'list'; readonly values: readonly ConditionLiteral[] }
  /** `arguments.a["b"][0]`: root and the steps into it. */
  | { readonly kind: 'path'; readonly root: ConditionRoot; readonly steps: readonly (string | number)[] }
  /** Characters of a text, items of a list, keys of an object. */
  | { readonly kind: 'size'; readonly of: ConditionOperand };

export type ConditionRoot = 'arguments' | 'principal' | 'facts';

export const COMPARISONS = [
  '==',
  '!=',
  '<',
  '<=',
  '>',
  '>=',
  'in',
  'contains',
  'starts-with',
  'ends-with',
  'matches',
] as const;

export type ConditionComparison = (typeof COMPARISONS)[number];

/** A condition, read and checked. Frozen. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'exists'; readonly operand: ConditionOperand }
  /** An operand that is a truth value by itself. */
  | { readonly kind: 'truth'; readonly operand: ConditionOperand }
  | {
      readonly kind: 'compare';
      readonly comparison: Exclude<ConditionComparison, 'matches'>;
      readonly left: ConditionOperand;
      readonly right: ConditionOperand;
    }
  | { readonly kind: 'matches'; readonly left: ConditionOperand; readonly pattern: LinearPattern };

/** What is known of the type of a value when a policy loads. */
export type ConditionType = 'text' | 'number' | 'truth' | 'null' | 'list' | 'object' | 'any';

/** What conditions may speak about, and of which type it is. */
export interface ConditionScope {
  /** Arguments by name; `null`: the tool's schema is not known when the policy loads. */
  readonly arguments: ReadonlyMap<string, ConditionType> | null;
  readonly principal: ReadonlyMap<string, ConditionType>;
  readonly facts: ReadonlyMap<string, ConditionType>;
}

/** The scope of a rule whose tool's schema is not known: the fields of a principal and the plain facts of a call. */
export const DEFAULT_SCOPE: ConditionScope = Object.freeze({
  arguments: null,
  principal: new Map<string, ConditionType>([
    ['tenant', 'text'],
    ['user', 'text'],
    ['agent', 'text'],
    ['session', 'text'],
    ['proof', 'text'],
  ]),
  facts: new Map<string, ConditionType>([
    ['tool', 'text'],
    ['runs', 'text'],
    ['uncertain', 'truth'],
  ]),
});

/** The type of an operand as far as it is known when a policy loads. */
export function typeOfOperand(operand: ConditionOperand, scope: ConditionScope): ConditionType {
  switch (operand.kind) {
    case 'literal':
      return typeOfLiteral(operand.value);
    case 'list':
      return 'list';
    case 'size':
      return 'number';
    case 'path': {
      const [first, ...rest] = operand.steps;
      if (first === undefined) return 'object';
      const known = typeof first === 'string' ? scope[operand.root]?.get(first) : undefined;
      return rest.length > 0 ? 'any' : (known ?? 'any');
    }
  }
}

function typeOfLiteral(value: ConditionLiteral): ConditionType {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'text';
  return typeof value === 'number' ? 'number' : 'truth';
}
