import { describe, expect, test } from 'vitest';
import { callFacts } from '../../test/support/policy-facts.ts';
import { isSallyportError } from '../core/index.ts';
import {
  comparePolicies,
  compilePolicy,
  decide,
  explain,
  meetPolicies,
  type Policy,
  policyFromObject,
  renderExplanation,
} from './index.ts';

const policyOf = (more: object): Policy =>
  policyFromObject({ version: 1, defaults: { isolation: 'none' }, tools: { t: {} }, ...more });
const withTool = (rule: object): Policy => policyOf({ tools: { t: rule } });
const HOUR = { calls: 5, within: '1h' };

function problemsOf(policy: object): string {
  try {
    policyOf(policy);
    return 'none';
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
    return error.message;
  }
}

describe('what does not load', () => {
  test.each([
    [{ calls: 5 }, 'calls without within'],
    [{ spend: 5 }, 'spend without within'],
    [{ concurrent: 2, within: '1m' }, 'within without calls, bytes or spend'],
    [{ per: 'session' }, 'nothing is limited'],
    [{ maxCallsPerMinute: 3, per: 'session' }, 'per without calls'],
    [{ calls: 0, within: '1m' }, '"calls"'],
    [{ concurrent: 4_097 }, '"concurrent"'],
    [{ spend: 0, within: '1m' }, '"spend"'],
    [{ bytes: 5, within: '1m' }, '"bytes"'],
    [{ calls: 5, within: '25h' }, 'longer than 24 hours'],
    [{ calls: 5, within: '1m', per: 'planet' }, '"per"'],
  ])('rateLimit: %j', (rateLimit, message) => {
    expect(problemsOf({ tools: { t: { rateLimit } } })).toContain(message);
    if (!('maxCallsPerMinute' in rateLimit)) expect(problemsOf({ limits: { x: rateLimit } })).toContain(message);
  });

  test.each([
    [{ limits: {} }, '"limits"'],
    [{ limits: { x: { ...HOUR, tools: [] } } }, '"tools"'],
    [{ limits: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`l${n}`, HOUR])) }, '"limits"'],
    [{ tools: { t: { cost: -1 } } }, '"cost"'],
    [{ tools: { t: { breaker: { failures: 3, within: '1m' } } } }, '"breaker"'],
    [{ tools: { t: { breaker: { failures: 101, within: '1m', pause: '1m' } } } }, '"failures"'],
  ])('%j', (policy, message) => {
    expect(problemsOf(policy)).toContain(message);
  });
});

describe('the obligations of a call', () => {
  const limitsOf = (policy: Policy, tool = 't'): readonly string[] => {
    const compiled = compilePolicy(policy, { root: '/w', tools: ['t', 'u'] });
    const { obligations } = decide(compiled, callFacts(tool, { runs: 'in-process' }));
    return obligations.limits.map(
      ({ kind, max, windowMs, per, subject }) => `${kind} ${max} ${windowMs} ${per} ${subject}`,
    );
  };

  test('are the limits of its tool and those that it shares', () => {
    const policy = policyOf({
      limits: { all: { ...HOUR, per: 'tenant' }, some: { concurrent: 2, tools: ['u*'], per: 'tool' } },
      tools: { t: { rateLimit: { maxCallsPerMinute: 3, bytes: '1KiB', within: '2m', per: 'session' } }, u: {} },
    });
    expect(limitsOf(policy)).toEqual([
      'calls 3 60000 principal tool t',
      'bytes 1024 120000 session tool t',
      'calls 5 3600000 tenant limit all',
    ]);
    expect(limitsOf(policy, 'u')).toEqual([
      'calls 5 3600000 tenant limit all',
      'concurrent 2 0 tool limit some, tool u',
    ]);
  });

  test('are explained', () => {
    const compiled = compilePolicy(withTool({ rateLimit: HOUR }), { root: '/w', tools: ['t'] });
    const lines = renderExplanation(explain(compiled, callFacts('t', { runs: 'in-process' })));
    expect(lines.at(-1)).toContain('counted by tools.t.rateLimit.calls');
  });

  test('under two policies: each count once, up to the smaller maximum, at the higher cost', () => {
    const compile = (rateLimit: object, cost: unknown) =>
      compilePolicy(withTool({ rateLimit, cost }), { root: '/w', tools: ['t'] });
    const meet = meetPolicies(
      compile({ calls: 5, spend: 9, within: '1h' }, 2),
      compile({ calls: 3, spend: 20, within: '1h', concurrent: 1 }, 4),
    );
    const { obligations } = decide(meet, callFacts('t', { runs: 'in-process' }));
    expect(obligations.limits.map(({ kind, max, cost }) => `${kind} ${max} ${cost}`)).toEqual([
      'calls 3 4',
      'spend 9 4',
      'concurrent 1 4',
    ]);
  });

  test('also hold for what is no tool: actions of servers', () => {
    const policy = policyOf({
      limits: { docs: { ...HOUR, tools: ['mcp__docs:resources/*'] } },
      servers: { docs: { url: 'https://docs.example/mcp', resources: ['docs:///**'], isolation: 'none' } },
    });
    expect(limitsOf(policy, 'mcp__docs:resources/read')).toEqual(['calls 5 3600000 principal limit docs']);
    expect(limitsOf(policy, 'mcp__docs:prompts/get')).toEqual([]);
  });
});

describe('a change of limits', () => {
  const breaker = { failures: 5, within: '1m', pause: '30s' };
  const limited = (rateLimit: object): Policy => withTool({ rateLimit });
  const named = (all: object): Policy => policyOf({ limits: { all } });
  test.each<[string, Policy, Policy]>([
    ['a limit more', withTool({}), limited(HOUR)],
    ['a smaller maximum', limited({ ...HOUR, calls: 6 }), limited(HOUR)],
    ['a smaller maximum of bytes', limited({ bytes: '2MiB', within: '1h' }), limited({ bytes: '5KiB', within: '1h' })],
    ['a maximum more', limited(HOUR), limited({ ...HOUR, concurrent: 1 })],
    ['a longer window', limited({ ...HOUR, within: '1m' }), limited(HOUR)],
    ['a count that more share', limited({ ...HOUR, per: 'session' }), limited(HOUR)],
    ['everybody shares', limited(HOUR), limited({ ...HOUR, per: 'tool' })],
    ['a higher cost', withTool({ cost: 2 }), withTool({ cost: 3 })],
    ['a breaker more', withTool({}), withTool({ breaker })],
    ['fewer failures', withTool({ breaker }), withTool({ breaker: { ...breaker, failures: 2 } })],
    ['a longer pause', withTool({ breaker }), withTool({ breaker: { ...breaker, pause: '1h' } })],
    ['a shared limit more', policyOf({}), named(HOUR)],
    ['a shared limit of more tools', named({ ...HOUR, tools: ['t'] }), named({ ...HOUR, tools: ['t', 'u'] })],
    ['a shared limit of all tools', named({ ...HOUR, tools: ['t'] }), named(HOUR)],
  ])('%s narrows, and its opposite widens', (_, before, after) => {
    expect(comparePolicies(before, after).map(({ direction }) => direction)).toEqual(['narrows']);
    expect(comparePolicies(after, before).map(({ direction }) => direction)).toEqual(['widens']);
  });

  test.each<[string, Policy, Policy]>([
    ['a cost that is an argument', withTool({ cost: 2 }), withTool({ cost: 'amount' })],
    ['a shared limit for each tool', named(HOUR), named({ ...HOUR, per: 'tool' })],
    ['other tools', named({ ...HOUR, tools: ['t'] }), named({ ...HOUR, tools: ['u'] })],
  ])('%s may widen', (_, before, after) => {
    expect(comparePolicies(before, after).map(({ direction }) => direction)).toEqual(['may widen']);
  });
});
