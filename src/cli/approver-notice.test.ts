import { expect, test } from 'vitest';
import type { OperatorView } from '../keeper/index.ts';
import { policyFromObject } from '../policy/index.ts';
import { missingApprovers } from './approver-notice.ts';

const operator = (name: string, user: string, ...groups: string[]): OperatorView => ({
  ...{ name, user, groups, class: 'user-id' },
});

test('rules to whose calls not enough people could say yes are named', () => {
  const policy = policyFromObject({
    version: 1,
    tools: {
      pay: { requiresConfirmation: 'always', approvers: { groups: ['payments'], people: 2 } },
      ship: { requiresConfirmation: 'always', approvers: { people: 2 } },
      look: {},
    },
  });
  const names = (...all: OperatorView[]): string[] =>
    missingApprovers(policy, all).map((line) => line.split(':')[0] ?? '');
  expect(names()).toEqual(['tools.pay', 'tools.ship']);
  expect(missingApprovers(policy, [operator('a', 'ann', 'payments')])[0]).toBe(
    'tools.pay: a yes to its calls needs 2 of the operators of payments, and 1 are registered',
  );
  // Two credentials of one person are one person.
  expect(names(operator('a', 'ann', 'payments'), operator('b', 'ann', 'payments'))).toEqual([
    'tools.pay',
    'tools.ship',
  ]);
  expect(names(operator('a', 'ann', 'payments'), operator('b', 'bob', 'ops'))).toEqual(['tools.pay']);
  expect(names(operator('a', 'ann', 'payments'), operator('b', 'bob', 'payments'))).toEqual([]);
});
