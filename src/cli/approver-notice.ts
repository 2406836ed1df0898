import type { OperatorView } from '../keeper/index.ts';
import type { Policy } from '../policy/index.ts';

/**
 * The rules to whose calls not enough people could say yes, in a sentence each. People are counted by their names: whom an operator
 * let in may count as that operator's person, and then fewer are left.
 */
export function missingApprovers({ tools, defaults }: Policy, operators: readonly OperatorView[]): readonly string[] {
  return tools.flatMap(({ rule, approvers: own }) => {
    const asked = own ?? defaults.approvers;
    if (asked === null || (asked.groups.length === 0 && asked.people === 1)) return [];
    const { groups, people } = asked;
    const may = operators.filter((one) => groups.length === 0 || one.groups.some((group) => groups.includes(group)));
    const found = new Set(may.map(({ user }) => user)).size;
    if (found >= people) return [];
    const which = groups.length === 0 ? 'operators' : `operators of ${groups.join(', ')}`;
    return [`${rule.id}: a yes to its calls needs ${people} of the ${which}, and ${found} are registered`];
  });
}
