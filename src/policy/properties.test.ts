import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callFacts, plainReading, principal, ROOT } from '../../test/support/policy-facts.ts';
import { isSallyportError } from '../core/index.ts';
import {
  type CallFacts,
  compilePolicy,
  type Decision,
  decide,
  explain,
  type PathUse,
  parsePolicy,
  policyFromObject,
  renderExplanation,
} from './index.ts';

const RUNS = process.env['SLOW'] === '1' ? 20_000 : 150;
const check = <Values>(property: fc.IProperty<Values>): void => fc.assert(property, { numRuns: RUNS });

const name = fc.constantFrom(
  'src',
  'docs',
  'a',
  'b',
  '.env',
  'x.key',
  'Src',
  'package.json',
  '..',
  'A',
  '.env.example',
  'é',
  '%2e',
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const glob = fc.oneof(
  path,
  fc.constantFrom('*', '**', '*.key', 'src/', 'src/**', '**/a', 'a/*/b', '.env*', '[ab]', '?', '/src', '.'),
);

interface Rule {
  readonly allowedPaths: readonly string[];
  readonly deniedPaths: readonly string[];
}
const rule = fc.record({
  allowedPaths: fc.array(glob, { maxLength: 4 }),
  deniedPaths: fc.array(glob, { maxLength: 3 }),
});

/** The decision under one rule, or null when such a policy does not load (an unreachable entry, a bad entry). */
function decisionUnder({ allowedPaths, deniedPaths }: Rule, facts: CallFacts): Decision | null {
  try {
    const policy = policyFromObject({ version: 1, tools: { file_read: { allowedPaths, deniedPaths } } });
    return decide(compilePolicy(policy, { root: ROOT, tools: ['file_read'] }), facts);
  } catch (error) {
    if (isSallyportError(error, 'POLICY_INVALID')) return null;
    throw error;
  }
}

const facts = fc
  .record({
    given: path,
    real: path,
    links: fc.constantFrom(1, 2),
    use: fc.constantFrom<PathUse>('file_read', 'file_write'),
  })
  .map(({ given, real, links, use }) => {
    const reading = { ...plainReading(given), real: plainReading(real).lexical, links };
    return callFacts('file_read', { paths: { path: { use, reading } }, principal: principal() });
  });

describe('narrowing never allows more', () => {
  it('another deniedPaths entry', () => {
    check(
      fc.property(rule, glob, facts, (before, entry, call) => {
        const after = { ...before, deniedPaths: [...before.deniedPaths, entry] };
        const [first, second] = [decisionUnder(before, call), decisionUnder(after, call)];
        fc.pre(first !== null && second !== null);
        if (first?.effect !== 'allow') expect(second?.effect).not.toBe('allow');
      }),
    );
  });

  it('one allowedPaths entry less', () => {
    check(
      fc.property(rule, glob, facts, (before, entry, call) => {
        const wider = { ...before, allowedPaths: [...before.allowedPaths, entry] };
        const [narrow, wide] = [decisionUnder(before, call), decisionUnder(wider, call)];
        fc.pre(narrow !== null && wide !== null);
        if (wide?.effect !== 'allow') expect(narrow?.effect).not.toBe('allow');
      }),
    );
  });

  it('a constraint on an argument', () => {
    const constraint = fc.constantFrom(
      { type: 'string' },
      { maxLength: 2 },
      { enum: ['a', 1] },
      { pattern: '^a' },
      { minimum: 3 },
    );
    const value = fc.constantFrom('a', 'abc', 1, 5, null, ['a'], { a: 1 });
    check(
      fc.property(
        fc.dictionary(fc.constantFrom('x', 'y', 'z'), constraint, { minKeys: 1 }),
        fc.dictionary(fc.constantFrom('x', 'y', 'w'), value),
        (named, args) => {
          const effectOf = (tool: object): string =>
            decide(
              compilePolicy(policyFromObject({ version: 1, defaults: { isolation: 'none' }, tools: { t: tool } }), {
                root: ROOT,
                tools: ['t'],
              }),
              callFacts('t', { arguments: args }),
            ).effect;
          if (effectOf({}) !== 'allow') expect(effectOf({ arguments: named })).not.toBe('allow');
          if (effectOf({ arguments: named, otherArguments: 'allow' }) !== 'allow')
            expect(effectOf({ arguments: named })).toBe('deny');
        },
      ),
    );
  });
});

describe('the order of a policy does not matter', () => {
  it('entries of both lists', () => {
    check(
      fc.property(rule, facts, (before, call) => {
        const reversed = {
          allowedPaths: before.allowedPaths.toReversed(),
          deniedPaths: before.deniedPaths.toReversed(),
        };
        expect(decisionUnder(reversed, call)?.effect).toBe(decisionUnder(before, call)?.effect);
      }),
    );
  });

  it('tools, principals and arguments', () => {
    const tools = {
      file_read: { allowedPaths: ['src/'] },
      'mcp__a__*': {},
      t: { arguments: { x: { enum: [1] }, y: true } },
    };
    const principals = { p: { match: { agent: 'a*' }, tools: ['t'] }, q: { match: { user: 'u' }, tools: ['*'] } };
    const turned = (object: object): object => Object.fromEntries(Object.entries(object).toReversed());
    const agent = fc.constantFrom('a', 'b');
    const tool = fc.constantFrom('t', 'mcp__a__b', 'file_read', 'none');
    check(
      fc.property(
        agent,
        fc.constantFrom('u', 'v'),
        tool,
        fc.dictionary(fc.constantFrom('x', 'y'), fc.constantFrom(1, 2)),
        (who, user, called, args) => {
          const [one, other] = [
            { tools, principals },
            { principals: turned(principals), tools: turned(tools) },
          ].map((policy) => {
            const compiled = compilePolicy(
              policyFromObject({ version: 1, defaults: { isolation: 'none' }, ...policy }),
              {
                root: ROOT,
                tools: ['t', 'mcp__a__b', 'file_read'],
              },
            );
            const decision = decide(compiled, callFacts(called, { arguments: args, principal: principal(who, user) }));
            return [decision.effect, decision.effect === 'allow' ? '' : decision.code];
          });
          expect(one).toEqual(other);
        },
      ),
    );
  });
});

describe('explain', () => {
  it('decides what decide decides, and prints nothing that could move a terminal', () => {
    const wild = fc.string({ unit: 'binary', maxLength: 12 });
    check(
      fc.property(rule, facts, wild, (before, call, text) => {
        const { allowedPaths, deniedPaths } = before;
        fc.pre(decisionUnder(before, call) !== null);
        const policy = policyFromObject({ version: 1, tools: { file_read: { allowedPaths, deniedPaths } } });
        const compiled = compilePolicy(policy, { root: ROOT, tools: ['file_read'] });
        const hostile = { ...call, principal: principal(text), arguments: { [text || 'x']: text } };
        const explanation = explain(compiled, hostile);
        expect(explanation.decision).toEqual(decide(compiled, hostile));
        for (const line of renderExplanation(explanation)) expect(line).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*$/u);
      }),
    );
  });
});

describe('parsePolicy, given anything', () => {
  const returnsOrRefuses = (text: string): void => {
    try {
      parsePolicy(text, { file: 'any.yaml' });
    } catch (error) {
      if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
      expect(Array.isArray(error.detail['problems'])).toBe(true);
    }
  };
  const pieces = fc.constantFrom(
    ...[
      'version: 1',
      'tools:',
      '  t:',
      '{',
      '}',
      '[',
      ']',
      ': ',
      '- ',
      '&a',
      '*a',
      '!!x',
      '|',
      '>',
      '"',
      "'",
      '#',
      '? ',
      '<<: ',
      '---',
      '...',
      '%YAML 1.2',
    ],
    ...[
      '\n',
      ' ',
      '\t',
      '\r',
      'allowedPaths: [',
      '"**/[',
      'arguments: {',
      'pattern: "("',
      '$ref',
      'enum: []',
      'isolation: ',
      '.inf',
      '0x1F',
      '~',
      '\u0000',
      '\ufeff',
      '\u2028',
    ],
  );
  it('pieces of policies', () =>
    check(fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => returnsOrRefuses(parts.join('')))));
  it('any text', () => check(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), returnsOrRefuses)));
  it('any object', () => {
    check(
      fc.property(
        fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          try {
            policyFromObject({ version: 1, tools: { t: value } });
          } catch (error) {
            if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
          }
        },
      ),
    );
  });
});

describe('decide, given any path', () => {
  const policy = policyFromObject({
    version: 1,
    tools: {
      file_read: { allowedPaths: ['.', '**/*.md'], deniedPaths: ['.env*', '[!a-z]x', '/a/**/b', '!.env.example'] },
    },
  });
  const compiled = compilePolicy(policy, { root: ROOT, tools: ['file_read'] });
  const wild = fc.array(
    fc.oneof(
      fc.string({ unit: 'binary', maxLength: 4 }),
      fc.constantFrom('/', '..', '%2e', '%25', '%c0%af', '.env', ':', '. ', 'ß', '\u017f', '\ud800'),
    ),
    { maxLength: 12 },
  );
  it('does not throw, and a denied name is denied however it is dressed up', () => {
    check(
      fc.property(
        wild,
        fc.constantFrom('.env', '.ENV', '.env.', '.env ', '.env:s', '\uff0eenv', '.e\u200bnv'),
        (parts, secret) => {
          const given = [
            ...parts
              .join('')
              .split('/')
              .filter((part) => part !== '..'),
            secret,
          ].join('/');
          const reading = { ...plainReading('x'), given, lexical: `${ROOT}/${given}`, real: `${ROOT}/${given}` };
          const facts = callFacts('file_read', { paths: { path: { use: 'file_read', reading } } });
          expect(decide(compiled, facts).effect).toBe('deny');
        },
      ),
    );
  });
});

describe('decide, given anything as arguments', () => {
  it('does not throw', () => {
    const policy = policyFromObject({
      ...{ version: 1, defaults: { isolation: 'none' } },
      tools: { t: { arguments: { a: { as: 'file_read' }, b: { pattern: '^(a+)+$' } }, otherArguments: 'allow' } },
    });
    const compiled = compilePolicy(policy, { root: ROOT, tools: ['t'] });
    check(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'constructor'), fc.jsonValue()), (args) => {
        const decision = decide(compiled, callFacts('t', { arguments: args as CallFacts['arguments'] }));
        if ('a' in args && !(Array.isArray(args['a']) && args['a'].length === 0)) expect(decision.effect).toBe('deny');
      }),
    );
  });
});
