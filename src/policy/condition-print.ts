import type { Condition, ConditionLiteral, ConditionOperand } from './condition-types.ts';

/**
 * The one text of a condition: `parseCondition(printCondition(c))` means the same and prints the same.
 */
export function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.parts.map((part) => printPart(part, condition.kind)).join(` ${condition.kind} `);
    case 'not':
      return `not ${printPart(condition.part, 'not')}`;
    case 'exists':
      return `exists(${printOperand(condition.operand)})`;
    case 'truth':
      return printOperand(condition.operand);
    case 'matches':
      return `${printOperand(condition.left)} matches ${printLiteral(condition.pattern.source)}`;
    case 'compare':
      return `${printOperand(condition.left)} ${condition.comparison} ${printOperand(condition.right)}`;
  }
}

/** Parentheses around what binds less tightly than, or as, what it stands in. */
function printPart(part: Condition, inside: 'and' | 'or' | 'not'): string {
  const isLoose = part.kind === 'or' || (part.kind === 'and' && inside !== 'or');
  return isLoose ? `(${printCondition(part)})` : printCondition(part);
}

function printOperand(operand: ConditionOperand): string {
  switch (operand.kind) {
    case 'literal':
      return printLiteral(operand.value);
    case 'list':
      return `[${operand.values.map(printLiteral).join(', ')}]`;
    case 'size':
      return `size(${printOperand(operand.of)})`;
    case 'path':
      return operand.root + operand.steps.map(printStep).join('');
  }
}

const printStep = (step: string | number): string =>
  typeof step === 'string' && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;

/** JSON leaves U+007F to U+009F as they are; conditions have no control characters. */
const printLiteral = (value: ConditionLiteral): string =>
  JSON.stringify(value).replaceAll(
    /\p{Cc}/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
