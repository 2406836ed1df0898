import type { Principal, Surface } from '../core/index.ts';
import { answerDelivered, answerDenied, answerFailed } from './answer.ts';
import { countCall, withHistory } from './call-history.ts';
import { execute } from './execute.ts';
import { gatherFacts } from './facts.ts';
import type { House } from './house.ts';
import { inbound } from './inbound.ts';
import { judge } from './judge.ts';
import { observed } from './observe.ts';
import type { ParsedCall } from './parse.ts';
import { admit, askUncertain, recordOutcome, recordRefusal } from './records.ts';
import type { CallResult } from './result.ts';

/** One call as it reaches the gate. */
export interface CallRequest {
  readonly principal: Principal;
  readonly surface: Surface;
  readonly parsed: ParsedCall;
  readonly signal: AbortSignal | null;
}

const UNRECORDED = Object.freeze({
  kind: 'failed',
  outcome: 'failed',
  code: 'AUDIT_WRITE_FAILED',
  reason: 'the tool ran, but its outcome could not be recorded: the result is withheld',
});

/**
 * The two doors, in reading order. Steps 1 and 2 are behind us: a session is a run of one credential, and
 * `request.principal` is who it proved to be; `request.parsed` is a frozen copy of the arguments (`parse.ts`).
 *
 * INVARIANT: there is no way from here to `execute` but through an `Admission`, and none back but through `inbound`.
 */
export async function passGate(house: House, request: CallRequest): Promise<CallResult> {
  const started = house.clock.mono();
  const { name } = request.parsed;

  // 3: all I/O that the decision needs. A keeper that does not answer is a denial, after a bounded time.
  const uncertain = await askUncertain(house, request);
  if (typeof uncertain !== 'boolean') return answerDenied(name, uncertain, null);
  const gathered = await gatherFacts(house, request, uncertain);

  // INVARIANT: nothing is awaited from here until the call is counted, so that two calls cannot take the same last place.
  const facts = withHistory(house, gathered);
  const judgement = observed(house, judge(house, request, facts)); // 4: pure, from facts alone

  // 5 and 6: what is not allowed is recorded and ends here. `confirm` ends here too: there is nobody to ask yet.
  if (judgement.decision.effect !== 'allow') {
    return answerDenied(name, judgement.decision, await recordRefusal(house, request, judgement));
  }
  const counted = countCall(house, facts);

  // 7: intent and admission become durable together, before anything happens.
  const admission = await admit(house, request, judgement);
  if ('code' in admission) {
    counted.takeBack();
    return answerDenied(name, admission, null);
  }

  // 8: no secret is resolved: a policy that asks for one does not load.
  const executed = await execute(house, request, judgement); // 9: in the isolation that was asked for
  const delivered = inbound(house, judgement, executed); // 10 to 13: what comes back through the second door

  // 14: the outcome is recorded, then the result is released; what cannot be recorded is withheld.
  const record = await recordOutcome(house, admission, delivered, house.clock.mono() - started);
  if (delivered.kind === 'failed') return answerFailed(name, delivered, judgement.decision, record);
  if (record === null) return answerFailed(name, UNRECORDED, judgement.decision, null);
  return answerDelivered(delivered, judgement.decision, record);
}
