import type { JsonObject } from '../core/index.ts';
import type { RuleReference } from './decision.ts';

/** What is counted: calls in a window, calls that run at the same time, bytes in and out, or units of `cost`. */
export type LimitKind = 'calls' | 'concurrent' | 'bytes' | 'spend';

/** What has a count of its own: everybody who uses a tool, a caller, a session of a caller, or a tenant. */
export type LimitScope = 'tool' | 'principal' | 'session' | 'tenant';

/** What a call costs: a number, or the argument that says it. */
export type Cost = number | { readonly argument: string };

/** One maximum as it is written. */
export interface LimitRule {
  readonly kind: LimitKind;
  readonly max: number;
  /** Milliseconds; 0 for calls at the same time. */
  readonly windowMs: number;
  readonly per: LimitScope;
  readonly rule: RuleReference;
}

/** An entry under `limits:`. */
export interface NamedLimit {
  readonly name: string;
  /** Patterns for tools and actions of servers; `null`: every call. */
  readonly tools: readonly string[] | null;
  readonly limits: readonly LimitRule[];
}

/** `breaker:` as it is written. */
export interface BreakerRule {
  readonly failures: number;
  readonly withinMs: number;
  readonly pauseMs: number;
  readonly rule: RuleReference;
}

/** A maximum that a call has to fit into. */
export interface CallLimit extends LimitRule {
  /** What is counted together: `tool NAME` or `limit NAME`. */
  readonly subject: string;
  /** What one call takes of a `spend`. */
  readonly cost: Cost;
}

/** A breaker that a call passes. */
export interface CallBreaker extends BreakerRule {
  /** `tool NAME` or `server NAME`. */
  readonly subject: string;
}

/** The named maxima of what a policy may say. */
export const POLICY_LIMITS: Readonly<Record<'calls' | 'concurrent' | 'spend' | 'failures' | 'named', number>> =
  Object.freeze({
    calls: 1_000_000,
    concurrent: 4_096,
    spend: 1_000_000_000,
    failures: 100,
    /** Entries under `limits:`. */
    named: 16,
  });

/** A call that names no cost costs one unit. */
export const DEFAULT_COST = 1;

/**
 * What the call costs, or null where the argument is no cost: not there, not a number, negative, or more than any budget.
 * ATTACKER-CONTROLLED: the arguments.
 */
export function costOf(cost: Cost, args: JsonObject): number | null {
  if (typeof cost === 'number') return cost;
  const value = Object.hasOwn(args, cost.argument) ? args[cost.argument] : undefined;
  return typeof value === 'number' && value >= 0 && value <= POLICY_LIMITS.spend ? value : null;
}

const isOneCount = (one: CallLimit, other: CallLimit): boolean =>
  one.subject === other.subject && one.kind === other.kind && one.per === other.per && one.windowMs === other.windowMs;

const dearer = (one: Cost, other: Cost): Cost | null => {
  if (typeof one === 'number' && typeof other === 'number') return Math.max(one, other);
  return typeof one === 'object' && typeof other === 'object' && one.argument === other.argument ? one : null;
};

/**
 * The limits of both. What both count is counted once, up to the smaller maximum; costs that cannot be compared are counted twice,
 * each under its own name.
 */
export function joinLimits(first: readonly CallLimit[], second: readonly CallLimit[]): readonly CallLimit[] {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
  const joined = [...first];
  for (const limit of second) {
    const at = joined.findIndex((other) => isOneCount(other, limit));
    const known = joined[at];
    const cost = known === undefined ? null : dearer(known.cost, limit.cost);
    if (known === undefined) joined.push(limit);
    else if (cost === null) joined.push(Object.freeze({ ...limit, subject: `${limit.subject}, other cost` }));
    else joined[at] = Object.freeze({ ...(limit.max < known.max ? limit : known), cost });
  }
  return Object.freeze(joined);
}

/** The breakers of both; of two for the same the one that opens sooner and longer. */
export function joinBreakers(first: readonly CallBreaker[], second: readonly CallBreaker[]): readonly CallBreaker[] {
  if (first.length === 0 || second.length === 0) return first.length === 0 ? second : first;
  const joined = new Map(first.map((breaker) => [breaker.subject, breaker]));
  for (const breaker of second) {
    const known = joined.get(breaker.subject) ?? breaker;
    const failures = Math.min(known.failures, breaker.failures);
    const [withinMs, pauseMs] = [Math.max(known.withinMs, breaker.withinMs), Math.max(known.pauseMs, breaker.pauseMs)];
    joined.set(breaker.subject, Object.freeze({ ...known, failures, withinMs, pauseMs }));
  }
  return Object.freeze([...joined.values()]);
}
