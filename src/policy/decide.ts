import type { Principal } from '../core/index.ts';
import { readActionName } from './actions.ts';
import type { CompiledPolicy } from './compiled.ts';
import { ownPathUses, strongestUses } from './covered-facts.ts';
import type { Decision } from './decision.ts';
import type { CallFacts, PathReading, PathUse } from './facts.ts';
import { judge } from './judge.ts';
import { actionMayBeAllowed } from './judge-action.ts';
import { judgePath } from './judge-path.ts';
import { decideByBoth } from './meet.ts';
import { matchPrincipals, mayUse } from './principals.ts';

/**
 * Decides a call from its facts alone: the same facts under the same policy give the same decision. Never throws for what
 * a caller sent.
 * @example
 * const decision = decide(compiled, facts);
 * if (decision.effect !== 'allow') return `${decision.reason}. ${decision.instead}`;
 */
export const decide = (compiled: CompiledPolicy, facts: CallFacts): Decision =>
  compiled.also === undefined ? judge(compiled, facts, null) : decideByBoth(compiled, compiled.also, facts);

/**
 * Whether some call of the tool, or action `mcp__SERVER:METHOD`, could be allowed to this caller: what cannot is not advertised. True says nothing about a
 * particular call.
 */
export function mayBeAllowed(
  compiled: CompiledPolicy,
  tool: string,
  principal: Pick<Principal, 'agent' | 'user'>,
): boolean {
  if (compiled.also !== undefined && !mayBeAllowed(compiled.also, tool, principal)) return false;
  const action = readActionName(tool);
  const rule = compiled.tools.get(tool);
  const isOpen = action === null ? rule !== undefined && !rule.allowsNothing : actionMayBeAllowed(compiled, action);
  if (!isOpen || compiled.principals === null) return isOpen;
  return matchPrincipals(compiled.principals, principal).some((candidate) => mayUse(candidate, tool));
}

/**
 * Which arguments of a tool the policy declares to be paths (`as: file_read` or `file_write`), and for what. Their values are a path or a list of
 * paths; the facts of a call hold each under the argument's name, items of a list under `NAME/INDEX`.
 */
export function pathUses(compiled: CompiledPolicy, tool: string): Readonly<Record<string, PathUse>> {
  const own = ownPathUses(compiled, tool);
  return compiled.also === undefined ? own : strongestUses(own, pathUses(compiled.also, tool));
}

/**
 * Whether the rule of a tool allows one more path, found while the tool runs (an entry of a folder that it was allowed).
 * The same judgement as for a path argument; what would need a yes is not allowed.
 */
export function allowsPath(compiled: CompiledPolicy, tool: string, use: PathUse, reading: PathReading): boolean {
  const { also } = compiled;
  if (also !== undefined) {
    // One policy may call a read what the other calls a write: what is allowed as both is allowed as either.
    const uses: readonly PathUse[] = use === 'file_write' ? ['file_write', 'file_read'] : [use];
    const { also: _, ...own } = compiled;
    return uses.every((one) => allowsPath(own, tool, one, reading) && allowsPath(also, tool, one, reading));
  }
  const rule = compiled.tools.get(tool);
  return rule !== undefined && judgePath(rule.paths[use], reading, compiled.root, null) === null;
}

/** Whether nothing is enforced (`mode: observe`): only when every policy that counts says so. */
export const isObserving = ({ policy, also }: CompiledPolicy): boolean =>
  policy.mode === 'observe' && (also === undefined || isObserving(also));
