import { type CallBreaker, type CallLimit, DEFAULT_COST, type LimitRule } from './limits.ts';
import type { Policy, ToolRule } from './policy.ts';
import { namesTool } from './tool-names.ts';

/** What a call has to fit into, and the breakers that it passes. */
export interface CallBounds {
  readonly limits: readonly CallLimit[];
  readonly breakers: readonly CallBreaker[];
}

const NONE: CallBounds = Object.freeze({ limits: Object.freeze([]), breakers: Object.freeze([]) });

/** The bounds of a tool, or of an action of a server (`rule` is null then). */
export function boundsOf(policy: Policy, name: string, rule: ToolRule | null, server: string | null): CallBounds {
  const breaker = policy.servers.get(server ?? '')?.breaker ?? null;
  if (policy.limits.length === 0 && breaker === null && (rule === null || isUnbounded(rule))) return NONE;
  const cost = rule?.cost ?? DEFAULT_COST;
  const bind = (limit: LimitRule, subject: string): CallLimit => Object.freeze({ ...limit, cost, subject });
  // `per: tool`: each tool by itself, whoever calls.
  const subjectOf = (named: string, { per }: LimitRule): string =>
    per === 'tool' ? `limit ${named}, tool ${name}` : `limit ${named}`;
  const shared = policy.limits.filter(({ tools }) => tools === null || tools.some((tool) => namesTool(tool, name)));
  return Object.freeze({
    limits: Object.freeze([
      ...(rule?.limits ?? []).map((limit) => bind(limit, `tool ${name}`)),
      ...shared.flatMap((named) => named.limits.map((limit) => bind(limit, subjectOf(named.name, limit)))),
    ]),
    breakers: Object.freeze([
      ...(rule?.breaker == null ? [] : [Object.freeze({ ...rule.breaker, subject: `tool ${name}` })]),
      ...(breaker === null ? [] : [Object.freeze({ ...breaker, subject: `server ${server}` })]),
    ]),
  });
}

const isUnbounded = ({ limits, breaker }: ToolRule): boolean => limits.length === 0 && breaker === null;
