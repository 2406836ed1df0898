import { decideAgain, type Obligations, stricterObligations } from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import type { House } from './house.ts';
import { type Judgement, judge } from './judge.ts';
import { observed } from './observe.ts';

/**
 * Judges a call that was admitted under the policy of a house, from the facts that it was admitted with: facts that the
 * policy of now would need and that nobody looked at make it a denial. Obligations of before stay where they are stricter.
 */
export function judgeAgain(house: House, request: CallRequest, { facts, decision }: Judgement): Judgement {
  const again = observed(house, judge(house, request, facts, decideAgain));
  if (again.decision.effect === 'deny') return again;
  const obligations = keepStricter(decision.obligations, again.decision.obligations);
  return { ...again, decision: { ...again.decision, obligations } };
}

/** What runs keeps the isolation that it runs in. */
const keepStricter = (before: Obligations, now: Obligations): Obligations =>
  stricterObligations({ ...before, isolation: now.isolation }, now) ?? now;
