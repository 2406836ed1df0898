import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import type { Approvers, Policy, ToolRule } from './policy.ts';
import { objectAt, textsAt } from './reading.ts';

/** Any one operator. */
const ANYONE: Approvers = Object.freeze({ groups: Object.freeze([]), people: 1, ownUser: true });

/** Reads `approvers:` of a rule or of `defaults:`; null: it is not there. */
export function readApprovers(value: JsonObject): Approvers | null {
  const stated = objectAt(value, 'approvers');
  if (stated === null) return null;
  const { people } = stated;
  const groups = Object.freeze([...new Set(textsAt(stated, 'groups') ?? [])].sort());
  return Object.freeze({
    groups,
    people: typeof people === 'number' ? people : 1,
    ownUser: stated['ownUser'] !== false,
  });
}

/**
 * Who has to say yes to the calls of one rule; null: nobody could be enough for all that is asked.
 * INVARIANT: what the rules ask for that its arguments stand for holds too, so that no argument takes a call past them.
 */
export function compileApprovers(
  { defaults }: Pick<Policy, 'defaults'>,
  rule: ToolRule,
  find: (tool: string) => ToolRule | null,
): Approvers | null {
  const uses = rule.arguments?.flatMap(({ as }) => (as === null ? [] : [as])) ?? [];
  const others = [...new Set<string>(uses)].flatMap((use) => find(use)?.approvers ?? []);
  return others.reduce<Approvers | null>(both, rule.approvers ?? defaults.approvers ?? ANYONE);
}

/** Who has to say yes to a call of the tool, under every policy that counts; null: nobody could be enough. */
export function approversOf({ policy, tools, also }: CompiledPolicy, tool: string): Approvers | null {
  const known = tools.get(tool);
  const asked = known === undefined ? (policy.defaults.approvers ?? ANYONE) : known.approvers;
  return also === undefined ? asked : both(asked, approversOf(also, tool));
}

/** Both at once; no groups: any operator, so that groups without a common one must never come to that. */
function both(first: Approvers | null, second: Approvers | null): Approvers | null {
  if (first === null || second === null) return null;
  const groups = commonGroups(first.groups, second.groups);
  if (groups === null) return null;
  const people = Math.max(first.people, second.people);
  return Object.freeze({ groups, people, ownUser: first.ownUser && second.ownUser });
}

function commonGroups(first: readonly string[], second: readonly string[]): readonly string[] | null {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
  const common = first.filter((group) => second.includes(group));
  return common.length === 0 ? null : Object.freeze(common);
}

/** What a change of `approvers:` does. What comes or goes as a whole may stand in for the defaults, or they for it. */
export function directionOfApprovers(
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): 'widens' | 'narrows' | 'may widen' {
  const [before, after] = [old, now].map((value) =>
    isJsonObject(value ?? null) ? readApprovers({ approvers: value ?? null }) : null,
  );
  if (before == null || after == null) return 'may widen';
  const opensGroups =
    before.groups.length > 0 &&
    (after.groups.length === 0 || after.groups.some((name) => !before.groups.includes(name)));
  const isWider = opensGroups || after.people < before.people || (after.ownUser && !before.ownUser);
  return isWider ? 'widens' : 'narrows';
}
