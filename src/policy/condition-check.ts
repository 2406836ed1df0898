import { type ConditionPlace, failAt } from './condition-tokens.ts';
import {
  type ConditionComparison,
  type ConditionOperand,
  type ConditionScope,
  type ConditionType,
  typeOfOperand,
} from './condition-types.ts';

/** Which types may stand left and right of a comparison. `any` always may; it is looked at when the condition is decided. */
const SIDES: Readonly<
  Record<ConditionComparison, readonly [left: readonly ConditionType[], right: readonly ConditionType[]]>
> = {
  '==': [
    ['text', 'number', 'truth', 'null'],
    ['text', 'number', 'truth', 'null'],
  ],
  '!=': [
    ['text', 'number', 'truth', 'null'],
    ['text', 'number', 'truth', 'null'],
  ],
  '<': [['number'], ['number']],
  '<=': [['number'], ['number']],
  '>': [['number'], ['number']],
  '>=': [['number'], ['number']],
  in: [['text', 'number', 'truth', 'null'], ['list']],
  contains: [
    ['text', 'list'],
    ['text', 'number', 'truth', 'null'],
  ],
  'starts-with': [['text'], ['text']],
  'ends-with': [['text'], ['text']],
  matches: [['text'], ['text']],
};

export interface Comparing {
  readonly comparison: ConditionComparison;
  readonly left: ConditionOperand;
  readonly right: ConditionOperand;
}

/**
 * Refuses a comparison that could never be decided, or always the same way.
 *
 * @throws SallyportError POLICY_INVALID
 */
export function checkComparison(
  { comparison, left, right }: Comparing,
  scope: ConditionScope,
  place: ConditionPlace,
): void {
  const types = [typeOfOperand(left, scope), typeOfOperand(right, scope)] as const;
  for (const side of [0, 1] as const) {
    const type = types[side];
    const allowed = SIDES[comparison][side];
    if (type === 'any' || allowed.includes(type)) continue;
    failAt(
      place,
      `${side === 0 ? 'left' : 'right'} of ${comparison} stands a ${type}, which needs to be: ${allowed.join(', ')}`,
    );
  }
  if (comparison === 'contains' && types[0] === 'text' && types[1] !== 'text' && types[1] !== 'any') {
    failAt(place, `a text cannot contain a ${types[1]}`);
  }
  if ((comparison === '==' || comparison === '!=') && canNeverBeEqual(types)) {
    failAt(place, `a ${types[0]} is never equal to a ${types[1]}`);
  }
  if (!dependsOnCall(left) && !dependsOnCall(right)) failAt(place, 'both sides are the same for every call');
}

const canNeverBeEqual = ([left, right]: readonly [ConditionType, ConditionType]): boolean =>
  left !== right && left !== 'any' && right !== 'any' && left !== 'null' && right !== 'null';

const dependsOnCall = (operand: ConditionOperand): boolean =>
  operand.kind === 'path' || (operand.kind === 'size' && dependsOnCall(operand.of));

/** @throws SallyportError POLICY_INVALID */
export function checkSize(operand: ConditionOperand, scope: ConditionScope, place: ConditionPlace): void {
  const type = typeOfOperand(operand, scope);
  if (operand.kind !== 'path') failAt(place, 'size() takes something of the call: size(arguments.items)');
  if (type === 'number' || type === 'truth') failAt(place, `a ${type} has no size`);
}
