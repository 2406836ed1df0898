import { type Principal, quoteForMessage } from '../core/index.ts';
import type { CompiledPolicy, CompiledPrincipal, PrincipalIndex } from './compiled.ts';
import { deny, type Finding, listSome, type Trace, traced } from './finding.ts';
import type { PrincipalRule } from './policy.ts';
import { namesTool } from './tool-names.ts';

/** Indexes principals; their tools are expanded over the tools that exist and have a rule. */
export function indexPrincipals(rules: readonly PrincipalRule[], tools: readonly string[]): PrincipalIndex {
  const byAgent = new Map<string, CompiledPrincipal[]>();
  const byUser = new Map<string, CompiledPrincipal[]>();
  const others: CompiledPrincipal[] = [];
  for (const { name, match, tools: entries, rule } of rules) {
    const expanded = new Set(tools.filter((tool) => entries.some(({ text }) => namesTool(text, tool))));
    const actions = entries.map(({ text }) => text).filter((text) => text.includes(':'));
    const principal = { name, agent: match.agent, user: match.user, tools: expanded, actions, rule };
    if (isExact(match.agent)) append(byAgent, match.agent, principal);
    else if (isExact(match.user)) append(byUser, match.user, principal);
    else others.push(principal);
  }
  return { byAgent, byUser, others };
}

const isExact = (pattern: string | null): pattern is string => pattern !== null && !pattern.endsWith('*');

function append(index: Map<string, CompiledPrincipal[]>, key: string, principal: CompiledPrincipal): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [principal]);
  else list.push(principal);
}

const fits = (pattern: string | null, value: string): boolean =>
  pattern === null || (pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : pattern === value);

/** The principals that a caller is; it may use the tools of all of them. */
export function matchPrincipals(
  index: PrincipalIndex,
  { agent, user }: Pick<Principal, 'agent' | 'user'>,
): readonly CompiledPrincipal[] {
  const candidates = [...(index.byAgent.get(agent) ?? []), ...(index.byUser.get(user) ?? []), ...index.others];
  return candidates.filter((principal) => fits(principal.agent, agent) && fits(principal.user, user));
}

/** Whether the lists of a principal name a tool, or an action of a server. */
export const mayUse = ({ tools, actions }: CompiledPrincipal, name: string): boolean =>
  tools.has(name) || (name.includes(':') && actions.some((pattern) => namesTool(pattern, name)));

/** Whether the caller may use the tool at all. */
export function judgePrincipal(
  compiled: CompiledPolicy,
  caller: Principal,
  tool: string,
  trace: Trace,
): Finding | null {
  const { principals } = compiled;
  if (principals === null) {
    return trace && traced(trace, 'principal', subjectOf(caller), null, 'the policy does not tell callers apart');
  }
  const matched = matchPrincipals(principals, caller);
  const isListed = matched.some((principal) => mayUse(principal, tool));
  if (isListed && trace === null) return null;
  const finding = isListed ? null : refuseCaller(matched, caller, tool);
  return traced(trace, 'principal', subjectOf(caller), finding, `is ${matched.map(({ rule }) => rule.id).join(', ')}`);
}

const subjectOf = ({ agent, user }: Principal): string =>
  `agent ${quoteForMessage(agent)}, user ${quoteForMessage(user)}`;

function refuseCaller(matched: readonly CompiledPrincipal[], caller: Principal, tool: string): Finding {
  const [first] = matched;
  if (first === undefined) {
    const reason = `no principal of the policy is ${subjectOf(caller)}`;
    return deny('PRINCIPAL_NOT_ALLOWED', reason, { instead: 'This caller may use no tool' });
  }
  const usable = [...new Set(matched.flatMap(({ tools }) => [...tools]))];
  const instead = usable.length === 0 ? 'This caller may use no tool' : `Tools you may use: ${listSome(usable)}`;
  const rule = { ...first.rule, id: `${first.rule.id}.tools` };
  return deny('TOOL_NOT_ALLOWED', `${rule.id} does not list ${quoteForMessage(tool)}`, { rule, instead });
}

/** The tools that a caller may use, for the sentence about what would be allowed. */
export function usableTools(compiled: CompiledPolicy, caller: Principal): readonly string[] {
  if (compiled.principals === null) return [...compiled.tools.keys()];
  return [...new Set(matchPrincipals(compiled.principals, caller).flatMap(({ tools }) => [...tools]))];
}
