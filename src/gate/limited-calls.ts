import { isSallyportError, remedyOf } from '../core/index.ts';
import type { ReserveRefusal } from '../keeper/index.ts';
import type { Decision } from '../policy/index.ts';
import { answerLimited } from './answer.ts';
import type { CallRequest } from './call.ts';
import { denyBuiltIn } from './deny.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { type CallClaims, claimsOf } from './limit-claims.ts';
import { observed } from './observe.ts';
import { recordRefusal } from './records.ts';
import type { Denied } from './result.ts';

type Denial = Decision & { readonly effect: 'deny' };

/** What a call reserved; `lease` is null where nothing limits it, or where limits are only observed. */
export interface Reserved {
  readonly kind: 'reserved';
  readonly lease: string | null;
  /** With what observing let pass. */
  readonly judgement: Judgement;
}

/** Refusals by limits that are being recorded, by session. State: owned here, empty when nothing is refused. */
export interface LimitedCalls {
  /** The record of a refusal: made, or the one that is just made for the same session. */
  record(session: string, isDue: boolean, make: () => Promise<number | null>): Promise<number | null>;
}

export function openLimitedCalls(): LimitedCalls {
  const under = new Map<string, Promise<number | null>>();
  return Object.freeze({
    record: (session: string, isDue: boolean, make: () => Promise<number | null>): Promise<number | null> => {
      if (!isDue) return under.get(session) ?? Promise.resolve(null);
      const made = make().finally(() => {
        if (under.get(session) === made) under.delete(session);
      });
      under.set(session, made);
      return made;
    },
  });
}

/**
 * Between 4 and 5: what the call needs of its limits is taken, in one question to the keeper; none for a call without limits.
 * INVARIANT: nothing is written for a call that does not fit, but one record a second for each session.
 */
export async function reserve(house: House, request: CallRequest, judgement: Judgement): Promise<Reserved | Denied> {
  const claims = claimsOf(house, judgement);
  if (claims === null) return { kind: 'reserved', lease: null, judgement };
  try {
    const answer = await house.keeper.reserve(claims.reservation);
    if (answer.kind === 'reserved') return { kind: 'reserved', lease: answer.lease, judgement };
    return await refuse(house, request, { judgement, decision: denialOf(claims, answer, judgement), answer });
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    const decision = denyBuiltIn(error.code, `the limits of the call cannot be counted: ${error.message}`);
    return answerLimited(request.parsed.name, { decision, retryAt: 0 }, null);
  }
}

interface Refusal {
  readonly judgement: Judgement;
  readonly decision: Denial;
  readonly answer: ReserveRefusal;
}

async function refuse(house: House, request: CallRequest, refusal: Refusal): Promise<Reserved | Denied> {
  const { decision, answer } = refusal;
  const judgement = observed(house, { ...refusal.judgement, decision });
  if (judgement.decision.effect !== 'deny') return { kind: 'reserved', lease: null, judgement };
  const make = (): Promise<number | null> => recordRefusal(house, request, judgement);
  const record =
    answer.record || answer.seq === null
      ? await house.limited.record(request.principal.session, answer.record, make)
      : answer.seq;
  return answerLimited(request.parsed.name, { decision, retryAt: answer.retryAt }, record);
}

/** The call does not go on. What a keeper that is lost knows of it ends with the connection. */
export async function giveBack({ keeper }: House, lease: string | null): Promise<void> {
  if (lease === null) return;
  await keeper.giveBack(lease).catch((error: unknown) => {
    if (!isSallyportError(error)) throw error;
  });
}

const CODES = {
  calls: 'RATE_LIMITED',
  concurrent: 'CONCURRENCY_LIMITED',
  bytes: 'BYTES_LIMITED',
  spend: 'SPEND_LIMITED',
} as const;

function denialOf(
  { limits, breakers }: CallClaims,
  { which, retryAt }: ReserveRefusal,
  { decision }: Judgement,
): Denial {
  const { obligations } = decision;
  const limit = limits[which];
  if (limit === undefined) {
    const breaker = breakers[which - limits.length];
    const rule = breaker?.rule ?? { id: 'builtin.CIRCUIT_OPEN' };
    const reason = `${rule.id}: calls before this one failed, so that none is made for ${(breaker?.pauseMs ?? 0) / 1_000} s`;
    return { effect: 'deny', code: 'CIRCUIT_OPEN', rule, reason, instead: remedyOf('CIRCUIT_OPEN'), obligations };
  }
  const { rule } = limit;
  const code = CODES[limit.kind];
  const isNever = retryAt === 0;
  const reason = `${rule.id} allows ${describe(limit)}${isNever ? ', and this call alone takes more' : ''}`;
  const instead = isNever ? 'Make a smaller call: this one never fits' : remedyOf(code);
  return { effect: 'deny', code, rule, reason, instead, obligations };
}

const NOUNS = { calls: 'calls', concurrent: 'calls at the same time', bytes: 'bytes', spend: 'units' } as const;

const describe = ({ kind, max, windowMs }: CallClaims['limits'][number]): string =>
  `${max} ${NOUNS[kind]}${windowMs === 0 ? '' : ` in ${windowMs / 1_000} s`}`;
