import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isSallyportError, type JsonObject } from '../core/index.ts';
import {
  type ConditionInput,
  type ConditionType,
  DEFAULT_SCOPE,
  evaluateCondition,
  mayHold,
  parseCondition,
  printCondition,
  type Truth,
} from './condition.ts';

const input = (args: JsonObject): ConditionInput => ({
  arguments: args,
  principal: { tenant: 't', user: 'ann', agent: 'billing-1', session: 's', proof: 'bearer' },
  facts: { tool: 'refund', runs: 'remote', uncertain: false },
});
const decide = (source: string, args: JsonObject = {}): Truth => evaluateCondition(parseCondition(source), input(args));

describe('evaluateCondition', () => {
  const table: readonly (readonly [string, JsonObject, Truth])[] = [
    ['arguments.amount > 100', { amount: 101 }, true],
    ['arguments.amount > 100', { amount: 100 }, false],
    ['arguments.amount > 100', { amount: '500' }, 'unknown'],
    ['arguments.amount > 100', {}, 'unknown'],
    ['not arguments.amount > 100', {}, 'unknown'],
    ['arguments.amount > 100 and principal.user == "bob"', {}, false],
    ['arguments.amount > 100 or principal.user == "ann"', {}, true],
    ['arguments.amount > 100 or principal.user == "bob"', {}, 'unknown'],
    ['exists(arguments.force)', {}, false],
    ['exists(arguments.force)', { force: null }, true],
    ['exists(arguments.constructor)', {}, false],
    ['arguments.force', { force: true }, true],
    ['arguments.force', { force: 1 }, 'unknown'],
    ['arguments.x == null', { x: null }, true],
    ['arguments.x == null', {}, 'unknown'],
    ['arguments.x == 1', { x: '1' }, false],
    ['arguments.x != 1', { x: '1' }, true],
    ['arguments.x == "1"', { x: ['1'] }, 'unknown'],
    ['arguments.repo in ["a", "b"]', { repo: 'b' }, true],
    ['arguments.repo not in ["a", "b"]', { repo: 'b' }, false],
    ['arguments.labels contains "prod"', { labels: ['x', 'prod'] }, true],
    ['arguments.labels contains "prod"', { labels: ['x'] }, false],
    ['arguments.labels contains "prod"', { labels: [['prod']] }, 'unknown'],
    ["arguments.path starts-with 'src/'", { path: 'src/a' }, true],
    ["arguments.path ends-with '.ts'", { path: 'src/a' }, false],
    ['arguments.text contains "x"', { text: 'axb' }, true],
    ['size(arguments.items) >= 2', { items: [1, 2] }, true],
    ['size(arguments.text) == 2', { text: '👩a' }, true],
    ['size(arguments) > 0', {}, false],
    ['arguments["a b"][0].c == 1', { 'a b': [{ c: 1 }] }, true],
    ['arguments.email matches "@acme[.]dev$"', { email: 'x@acme.dev' }, true],
    ['arguments.a == arguments.b', { a: 1, b: 1 }, true],
    ['facts.uncertain', {}, false],
    ['principal.agent starts-with "billing-" and not (arguments.a == 1 or arguments.b == 2)', { a: 0, b: 0 }, true],
  ];
  it.each(table)('%s of %j is %s', (source, args, expected) => {
    expect(decide(source, args)).toBe(expected);
  });

  it('asks when it cannot tell', () => {
    expect(mayHold(parseCondition('arguments.amount > 100'), input({ amount: '500' }))).toBe(true);
    expect(mayHold(parseCondition('arguments.amount > 100'), input({ amount: 5 }))).toBe(false);
  });

  it('cannot tell when a text is too long for its pattern', () => {
    expect(decide('arguments.x matches "(a|b|c|d|e|f)*z$"', { x: 'a'.repeat(3_000_000) })).toBe('unknown');
  });
});

describe('parseCondition', () => {
  const places: readonly (readonly [string, number, number])[] = [
    ['', 1, 1],
    ['arguments.', 1, 11],
    ['argument.x == 1', 1, 1],
    ['arguments.x = 1', 1, 13],
    ['arguments.x ==', 1, 15],
    ['arguments.x == 1 2', 1, 18],
    ['arguments.x == 1 and\n  principal.name == "x"', 2, 12],
    ['facts.secret', 1, 6],
    ['arguments.x > "a"', 1, 13],
    ['principal.user > 1', 1, 16],
    ['principal.user == 1', 1, 16],
    ['1 == 1', 1, 3],
    ['"a"', 1, 1],
    ['principal.user', 1, 1],
    ['arguments.x matches "("', 1, 13],
    ['arguments.x matches "(?=a)"', 1, 13],
    ['arguments.x matches arguments.y', 1, 13],
    ['arguments.x in "abc"', 1, 13],
    ['arguments[-1] == 1', 1, 11],
    ['arguments.x == 9007199254740993', 1, 16],
    ['arguments.x == "a', 1, 16],
    ['size("abc") > 1', 1, 1],
    ['(arguments.x', 1, 13],
    ['arguments.x == "\\q"', 1, 16],
    ['arguments.x in [1, arguments.y]', 1, 20],
    [`${'not '.repeat(40)}arguments.x`, 1, 129],
    ['arguments.x == 1 && arguments.y == 2', 1, 18],
    ['arguments.é == 1', 1, 11],
  ];
  it.each(places)('refuses %j at %i:%i', (source, line, column) => {
    try {
      parseCondition(source);
      expect.unreachable();
    } catch (error) {
      if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
      expect(error.detail).toEqual({ line, column });
    }
  });

  it('knows the arguments of a tool when it is given its schema', () => {
    const types = new Map<string, ConditionType>([['amount', 'number']]);
    const scope = { ...DEFAULT_SCOPE, arguments: types };
    expect(printCondition(parseCondition('arguments.amount>1', scope))).toBe('arguments.amount > 1');
    for (const source of ['arguments.amuont > 1', 'arguments.amount == "x"', 'arguments.amount starts-with "1"']) {
      expect(() => parseCondition(source, scope)).toThrow(/the condition cannot be used/);
    }
  });

  it('reads what it prints', () => {
    const literal = fc.oneof(
      fc.string({ unit: 'grapheme' }).filter((text) => text.isWellFormed()),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
    );
    const text = literal.map((value) => JSON.stringify(value).replaceAll(/\p{Cc}/gu, ''));
    const path = fc
      .tuple(fc.constantFrom('.a', '.b-c', '["x y"]'), fc.constantFrom('', '[0]', '.z'))
      .map((steps) => `arguments${steps.join('')}`);
    const leaf = fc.oneof(
      fc.tuple(path, fc.constantFrom('==', '!='), text).map((parts) => parts.join(' ')),
      fc.tuple(path, fc.array(text, { maxLength: 3 })).map(([left, values]) => `${left} not in [${values.join(',')}]`),
      path.map((one) => `size(${one}) <= 3`),
      path.map((one) => `exists(${one})`),
      path.map((one) => `${one} matches 'a.*b'`),
      path,
    );
    const { tree } = fc.letrec<{ tree: string }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.tuple(tie('tree'), fc.constantFrom('and', 'or'), tie('tree')).map(([a, op, b]) => `(${a}) ${op} (${b})`),
        tie('tree').map((one) => `not (${one})`),
      ),
    }));
    fc.assert(
      fc.property(tree, fc.jsonValue(), (source, value) => {
        fc.pre(source.length < 1_500);
        const condition = parseCondition(source);
        const printed = printCondition(condition);
        const again = parseCondition(printed);
        expect(printCondition(again)).toBe(printed);
        const args = { a: value, 'b-c': value, 'x y': value } as JsonObject;
        expect(evaluateCondition(again, input(args))).toBe(evaluateCondition(condition, input(args)));
      }),
      { numRuns: 500 },
    );
  });

  it('answers any text with a condition or with POLICY_INVALID', () => {
    const piece = fc.constantFrom(
      'arguments',
      '.',
      'x',
      ' ',
      '(',
      ')',
      '[',
      ']',
      'not ',
      ' and ',
      ' in ',
      '"a"',
      "'",
      '==',
      '<',
      '1',
      'size',
      'exists',
      ',',
      '\n',
      'matches',
    );
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(any, (source) => {
        try {
          evaluateCondition(parseCondition(source), input({}));
        } catch (error) {
          if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
