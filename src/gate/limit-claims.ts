import { sha256Hex } from '../core/index.ts';
import type { LimitClaim, Reservation } from '../keeper/index.ts';
import { type CallBreaker, type CallFacts, type CallLimit, costOf } from '../policy/index.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';

/** Budgets are counted in millionths of a unit, so that sums are exact. */
const PER_UNIT = 1_000_000;

/** What a call asks of its limits, and which those are, in the same order. */
export interface CallClaims {
  readonly reservation: Reservation;
  readonly limits: readonly CallLimit[];
  readonly breakers: readonly CallBreaker[];
}

/** What the call would take of its limits, or null where it has none. INVARIANT: each count is in it once (`joinLimits`). */
export function claimsOf(house: House, { facts, decision }: Judgement): CallClaims | null {
  const { limits, breakers } = decision.obligations;
  if (limits.length === 0 && breakers.length === 0) return null;
  return {
    limits,
    breakers,
    reservation: {
      session: facts.principal.session,
      claims: limits.map((limit) => claimOf(house, facts, limit)),
      breakers: breakers.map(({ subject, failures, withinMs, pauseMs }) => {
        return { key: keyOf(house, ['breaker', subject]), failures, withinMs, pauseMs };
      }),
    },
  };
}

function claimOf(house: House, facts: CallFacts, limit: CallLimit): LimitClaim {
  const { kind, windowMs, subject, per } = limit;
  const key = keyOf(house, [subject, per, ...holderOf(facts, per)]);
  const max = kind === 'spend' ? toMillionths(limit.max) : limit.max;
  return { key, kind, max, windowMs, amount: amountOf(facts, limit) };
}

/** INVARIANT: a session key that a client sends does not make it another caller. */
function holderOf({ principal }: CallFacts, per: CallLimit['per']): readonly string[] {
  const { tenant, user, agent, session } = principal;
  if (per === 'tool') return [];
  if (per === 'tenant') return [tenant];
  return per === 'principal' ? [tenant, user, agent] : [tenant, user, agent, session];
}

function amountOf(facts: CallFacts, { kind, cost }: CallLimit): number {
  if (kind === 'bytes') return Buffer.byteLength(JSON.stringify(facts.arguments));
  if (kind !== 'spend') return 1;
  // INVARIANT: a cost that cannot be told fits nowhere. The policy has denied it before.
  return toMillionths(costOf(cost, facts.arguments) ?? Number.MAX_SAFE_INTEGER / PER_UNIT);
}

/** Whatever costs something costs a millionth at least. */
const toMillionths = (units: number): number =>
  units === 0 ? 0 : Math.min(Number.MAX_SAFE_INTEGER, Math.max(1, Math.round(units * PER_UNIT)));

/** A digest: the keeper need not know whose count it is, and no name is too long. */
const keyOf = ({ countedBy }: House, parts: readonly string[]): string =>
  sha256Hex(JSON.stringify([countedBy, ...parts]));
