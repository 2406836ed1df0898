import type { TestExpression } from 'unbash';
import { readWord } from './read-word.ts';
import { doubt, type Walk } from './walk-state.ts';
import type { Word } from './word.ts';

const FILE_TESTS = /^-[abcdefghkprstuwxGLNOS]$/;
const NUMBER_TESTS = /^-(?:eq|ne|lt|le|gt|ge)$/;

/** `[[ … ]]`: operands of `-eq` and the like are arithmetic, and `-v` looks up subscripts: both run code. */
export function readTest(walk: Walk, expression: TestExpression): void {
  switch (expression.type) {
    case 'TestUnary':
      readUnary(walk, expression.operator, readWord(walk, expression.operand));
      break;
    case 'TestBinary': {
      const place = expression.operator === '=~' ? 'regex' : 'bare';
      const sides = [readWord(walk, expression.left), readWord(walk, expression.right, place)];
      if (NUMBER_TESTS.test(expression.operator)) for (const side of sides) noteNumber(walk, side);
      for (const side of sides) if (side.shape === 'variable') noteUnknown(walk, side);
      break;
    }
    case 'TestLogical':
      for (const operand of expression.operands) readTest(walk, operand);
      break;
    case 'TestNot':
      readTest(walk, expression.operand);
      break;
    case 'TestGroup':
      readTest(walk, expression.expression);
      break;
    default:
      doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'a test that is not known');
  }
}

function readUnary(walk: Walk, operator: string, operand: Word): void {
  if (operator === '-v' || operator === '-R')
    doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'a test that looks up a variable by name', operand.text);
  if (operand.shape === 'variable') noteUnknown(walk, operand);
  if (!FILE_TESTS.test(operator) || operand.shape !== 'static') return;
  for (const cwd of walk.folders)
    walk.paths.push({ text: operand.text, use: 'file_read', cwd, via: 'operand', pattern: false });
}

function noteNumber(walk: Walk, side: Word): void {
  if (side.shape !== 'static' || !/^-?\d{1,18}$/.test(side.text)) {
    doubt(walk, 'deny', 'COMMAND_DYNAMIC', 'a comparison of what is not a number is computed', side.text);
  }
}

const noteUnknown = (walk: Walk, word: Word): void =>
  doubt(walk, 'confirm', 'COMMAND_DYNAMIC', 'a word is not known before bash runs the line', word.text);
