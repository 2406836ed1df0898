import type { ArithmeticExpression } from 'unbash';

const NUMBER = /^(?:\d{1,18}|0[xX][0-9a-fA-F]{1,15}|\d{1,2}#[0-9a-zA-Z]{1,15})$/;
const ASSIGNS = /^(?:.{0,2}=|\+\+|--)$/;
const COMPARES: ReadonlySet<string> = new Set(['==', '!=', '<=', '>=']);

/** Deeper expressions count as not constant. */
const MAX_DEPTH = 64;

/** True for arithmetic over numbers alone: names would be looked up, and what they hold evaluated, subscripts and all. */
export function isConstant(expression: ArithmeticExpression, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  const constant = (one: ArithmeticExpression): boolean => isConstant(one, depth + 1);
  switch (expression.type) {
    case 'ArithmeticWord':
      return expression.parts === undefined && NUMBER.test(expression.value.trim());
    case 'ArithmeticGroup':
      return constant(expression.expression);
    case 'ArithmeticUnary':
      return !ASSIGNS.test(expression.operator) && constant(expression.operand);
    case 'ArithmeticBinary':
      return (
        (!ASSIGNS.test(expression.operator) || COMPARES.has(expression.operator)) &&
        constant(expression.left) &&
        constant(expression.right)
      );
    case 'ArithmeticTernary':
      return constant(expression.test) && constant(expression.consequent) && constant(expression.alternate);
    default:
      return false;
  }
}
