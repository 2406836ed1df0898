import { expect, test } from 'vitest';
import { approversOf, type CompiledPolicy, compilePolicy, meetPolicies, policyFromObject } from './index.ts';

const compile = (source: object): CompiledPolicy =>
  compilePolicy(policyFromObject({ version: 1, ...source }), { root: '/w', tools: ['pay', 'post'] });
const of = (approvers: object): CompiledPolicy => compile({ tools: { pay: { approvers } } });
const ANYONE = { groups: [], people: 1, ownUser: true };

test('a rule, else the defaults, else any one operator says who', () => {
  const defaults = { approvers: { people: 2 } };
  expect(approversOf(compile({ tools: { pay: {} } }), 'pay')).toEqual(ANYONE);
  expect(approversOf(compile({ defaults, tools: { pay: {} } }), 'pay')).toEqual({ ...ANYONE, people: 2 });
  expect(approversOf(compile({ defaults }), 'mcp__x:resources/read')).toEqual({ ...ANYONE, people: 2 });
  const own = compile({ defaults, tools: { pay: { approvers: { groups: ['b', 'a'], ownUser: false } } } });
  expect(approversOf(own, 'pay')).toEqual({ groups: ['a', 'b'], people: 1, ownUser: false });
});

test('[T5] an argument that stands for another tool brings the approvers of that rule along', () => {
  const compiled = compile({
    tools: {
      api_call: { allowedEndpoints: ['a.example'], approvers: { groups: ['net'], people: 2 } },
      post: { arguments: { url: { as: 'api_call' } }, otherArguments: 'allow', approvers: { ownUser: false } },
    },
  });
  expect(approversOf(compiled, 'post')).toEqual({ groups: ['net'], people: 2, ownUser: false });
});

test('[T5] under two policies the stricter of each holds, and groups without a common one are nobody', () => {
  const meet = (first: object, second: object): unknown => approversOf(meetPolicies(of(first), of(second)), 'pay');
  const strict = { groups: ['a'], people: 3, ownUser: false };
  expect(meet({ people: 1 }, strict)).toEqual(strict);
  expect(meet(strict, { people: 1 })).toEqual(strict);
  expect(meet({ groups: ['a', 'b'] }, { groups: ['b', 'c'] })).toEqual({ ...ANYONE, groups: ['b'] });
  expect(meet({ groups: ['a'] }, { groups: ['b'] })).toBeNull();
});

test.each([{}, { people: 0 }, { people: 6 }, { groups: [] }, { groups: [''] }, { ownUser: 'no' }, { who: 'ann' }])(
  'approvers cannot be %j',
  (approvers) => {
    expect(() => of(approvers)).toThrow(expect.objectContaining({ code: 'POLICY_INVALID' }));
  },
);
