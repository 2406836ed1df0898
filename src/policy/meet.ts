import type { IsolationLevel } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import { factsFor } from './covered-facts.ts';
import { type Decision, type Effect, type Obligations, ON_INJECTION, type OnInjection } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { deny } from './finding.ts';
import { judge } from './judge.ts';
import { joinBreakers, joinLimits } from './limits.ts';

type NotAllowed = Exclude<Decision, { readonly effect: 'allow' }>;

/**
 * The meet of two policies: a call is decided under both, each with the facts that it reads, and the stricter answer holds. So
 * what `changed` denies is denied at once, and what only `changed` allows waits until `approved` allows it too. Every function
 * at this door that takes a compiled policy takes a meet.
 */
export const meetPolicies = (changed: CompiledPolicy, approved: CompiledPolicy): CompiledPolicy =>
  Object.freeze({ ...changed, also: approved });

/** Decides under one policy, from facts that were perhaps gathered under others. */
function decideAlone(compiled: CompiledPolicy, facts: CallFacts): Decision {
  const own = factsFor(compiled, facts);
  if (own !== null) return judge(compiled, own, null);
  const decision = judge(compiled, facts, null);
  if (decision.effect === 'deny') return decision;
  const finding = deny('POLICY_CHANGED', 'the policy now judges arguments of this call that were not looked at');
  return Object.freeze({ ...finding, obligations: decision.obligations });
}

/** Decides anew a call whose facts were gathered under another policy. */
export const decideAgain = (compiled: CompiledPolicy, facts: CallFacts): Decision =>
  compiled.also === undefined ? decideAlone(compiled, facts) : decideByBoth(compiled, compiled.also, facts);

/** Deny beats confirm beats allow; obligations combine to the stricter. */
export function decideByBoth(changed: CompiledPolicy, approved: CompiledPolicy, facts: CallFacts): Decision {
  const first = decideAlone(changed, facts);
  const second =
    approved.also === undefined ? decideAlone(approved, facts) : decideByBoth(approved, approved.also, facts);
  const obligations = stricterObligations(first.obligations, second.obligations);
  if (obligations === null && first.effect !== 'deny' && second.effect !== 'deny') return refuseIsolation(first);
  const told = isTold(second, first) ? waiting(second, first) : first;
  return Object.freeze({ ...told, obligations: obligations ?? told.obligations });
}

const RANK: Readonly<Record<Effect, number>> = { allow: 0, confirm: 1, deny: 2 };

/** Whether the answer of the approved policy is the one that holds, or that explains more. */
function isTold(second: Decision, first: Decision): second is NotAllowed {
  if (second.effect === 'allow') return false;
  if (RANK[second.effect] > RANK[first.effect]) return true;
  // A name that the approved policy denies is not looked up; that it has no address is then no reason.
  return second.effect === 'deny' && first.effect === 'deny' && first.code === 'ENDPOINT_UNRESOLVED';
}

const INSTEAD = 'Ask the operator to look at the change and run: sallyport policy approve';

function waiting(second: NotAllowed, first: Decision): NotAllowed {
  if (first.effect !== 'allow') return second;
  const reason = `allowed by the changed policy, which waits for approval; until then: ${second.reason}`;
  return { ...second, reason, instead: INSTEAD };
}

function refuseIsolation(first: Decision): Decision {
  const reason = 'the changed policy and the approved one accept no isolation in common';
  return Object.freeze({ ...deny('ISOLATION_UNSTATED', reason, { instead: INSTEAD }), obligations: first.obligations });
}

/** The stricter of each obligation; `null`: no isolation level that both accept. */
export function stricterObligations(first: Obligations, second: Obligations): Obligations | null {
  const isolation = commonIsolation(first.isolation, second.isolation);
  if (isolation === null) return null;
  return Object.freeze({
    isolation,
    timeoutMs: shortest(first.timeoutMs, second.timeoutMs),
    maxLength: smallest(first.maxLength, second.maxLength),
    onInjection: stricterOnInjection(first.onInjection, second.onInjection),
    boundary: first.boundary || second.boundary,
    outputSchemas: Object.freeze([...new Set([...first.outputSchemas, ...second.outputSchemas])]),
    audit: first.audit || second.audit,
    limits: joinLimits(first.limits, second.limits),
    breakers: joinBreakers(first.breakers, second.breakers),
  });
}

/** An empty list says nothing: what has to be stated is judged before. */
function commonIsolation(
  first: readonly IsolationLevel[],
  second: readonly IsolationLevel[],
): readonly IsolationLevel[] | null {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
  const common = first.filter((level) => second.includes(level));
  return common.length === 0 ? null : Object.freeze(common);
}

/** 0 stands for no limit of the policy's own. */
const shortest = (first: number, second: number): number =>
  first === 0 || second === 0 ? Math.max(first, second) : Math.min(first, second);

const stricterOnInjection = (first: OnInjection, second: OnInjection): OnInjection =>
  ON_INJECTION.find((word) => word === first || word === second) ?? 'quarantine';

const smallest = (first: number | null, second: number | null): number | null =>
  first === null || second === null ? (first ?? second) : Math.min(first, second);
