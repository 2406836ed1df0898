import type { ArithmeticExpression } from 'unbash';

const NUMBER = /^(?:\d{1,18}|0[xX][0-9a-fA-F]{1,15}|\d{1,2}#[0-9a-zA-Z]{1,15})$/;
const ASSIGNS = /^(?:.{0,2}=|\+\+|--)$/;
const COMPARES: ReadonlySet<string> = new Set(['==', '!=', '<=', '>=']);

/** True for arithmetic over numbers alone: names would be looked up, and what they hold evaluated, subscripts and all. */
export function isConstant(expression: ArithmeticExpression): boolean {
  switch (expression.type) {
    case 'ArithmeticWord':
      return expression.parts === undefined && NUMBER.test(expression.value.trim());
    case 'ArithmeticGroup':
      return isConstant(expression.expression);
    case 'ArithmeticUnary':
      return !ASSIGNS.test(expression.operator) && isConstant(expression.operand);
    case 'ArithmeticBinary':
      return (
        (!ASSIGNS.test(expression.operator) || COMPARES.has(expression.operator)) &&
        isConstant(expression.left) &&
        isConstant(expression.right)
      );
    case 'ArithmeticTernary':
      return isConstant(expression.test) && isConstant(expression.consequent) && isConstant(expression.alternate);
    default:
      return false;
  }
}
