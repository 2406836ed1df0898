import type { Principal, Surface } from '../core/index.ts';
import type { Admission } from '../keeper/index.ts';
import { answerAsked, answerDelivered, answerDenied, answerFailed, answerUnconfirmed } from './answer.ts';
import { askForYes, type Confirmation, type NoYes, type Patience, type Question, type WaitingCall } from './confirm.ts';
import { execute } from './execute.ts';
import { gatherFacts } from './facts.ts';
import type { House } from './house.ts';
import { stoppedLate } from './inbound.ts';
import { readIsolation } from './isolation-facts.ts';
import { type Judgement, judge } from './judge.ts';
import { giveBack, reserve } from './limited-calls.ts';
import { observed } from './observe.ts';
import { type ParsedCall, parseAgain, parseLater } from './parse.ts';
import { type Placement, planPlacement } from './placement.ts';
import { planRun } from './planned-run.ts';
import { admit, askSecrets, askUncertain, isRecorded, recordRefusal } from './records.ts';
import type { Asked, CallResult, Denied } from './result.ts';
import type { RunningCall } from './running-calls.ts';
import { secondDoor } from './second-door.ts';
import { recordFitting } from './settle.ts';
import type { SpawnHandover } from './spawn.ts';
import type { CallExchange } from './tool.ts';

/** One call as it reaches the gate. */
export interface CallRequest {
  readonly principal: Principal;
  readonly surface: Surface;
  readonly parsed: ParsedCall;
  readonly signal: AbortSignal | null;
  /** How the caller can be asked while the call runs; null where it cannot. */
  readonly exchange: CallExchange | null;
  /** Takes the program of the call, in place of its tool; null for every other call. */
  readonly spawn: SpawnHandover | null;
  /** How long it may wait for a person's yes, and who is told that it does. */
  readonly approvalWaitMs: number;
  readonly onApprovalWaiting: (waiting: WaitingCall) => void;
}

const UNRECORDED = Object.freeze({
  kind: 'failed',
  outcome: 'failed',
  code: 'AUDIT_WRITE_FAILED',
  reason: 'the tool ran, but its outcome could not be recorded: the result is withheld',
});

/** A call that may run. */
interface Admitted {
  readonly kind: 'admitted';
  readonly house: House;
  readonly admission: Admission;
  readonly running: RunningCall;
  /** The sandbox of what the call spawns by itself. */
  readonly placement: Placement | null;
  /** It was admitted with a lease: its end is told to its limits. */
  readonly isCounted: boolean;
}

/** A call that waited, and is to be judged again. */
type Answered = Extract<Confirmation, { kind: 'answered' }>;

/**
 * The two doors, in reading order. Steps 1 and 2 are behind us: a session is a run of one credential, and
 * `request.principal` is who it proved to be; `request.parsed` is a frozen copy of the arguments (`parse.ts`).
 *
 * INVARIANT: there is no way from here to `execute` but through an `Admission`, and none back but through `inbound`.
 */
export async function passGate(entrance: House, request: CallRequest): Promise<CallResult | Asked> {
  const started = entrance.clock.mono();
  const { name } = request.parsed;

  const passed = await passOut(entrance, request); // 3 to 7: the first door
  if (passed.kind === 'denied') return passed;
  const { house, admission, running, placement, isCounted } = passed;

  try {
    // 8: secrets are resolved for each request that carries one, against this admission (`send.ts`).
    const executed = await execute(house, request, running, { placement, admission }); // 9: in the isolation that was asked for
    const judgement = running.judgement(); // with the obligations that a change of the policy brought meanwhile
    // 10 to 13: what comes back through the second door. What came after the policy or a stop ended the call is withheld.
    const came = stoppedLate(running.stopped()) ?? (await secondDoor(house, { request, judgement, executed }));

    // 14: the outcome is recorded, then the result is released; what cannot be recorded, or does not fit, is withheld.
    const microseconds = house.clock.mono() - started;
    const { delivered, record } = await recordFitting(house, admission, came, { placement, microseconds, isCounted });
    if (delivered.kind === 'failed') return answerFailed(name, delivered, judgement.decision, record);
    if (record === null) return answerFailed(name, UNRECORDED, judgement.decision, null);
    if (delivered.kind === 'asked') return answerAsked(delivered, judgement.decision, record);
    return answerDelivered(delivered, judgement.decision, record);
  } finally {
    running.end();
  }
}

/**
 * A call that is admitted under no policy in force is judged again once: by then the gate has loaded what changed. One that waited
 * for a person is judged again with the answer, until its time is over.
 */
async function passOut(entrance: House, request: CallRequest): Promise<Admitted | Denied> {
  let patience: Patience = { until: entrance.clock.mono() / 1_000 + request.approvalWaitMs, after: null };
  let [house, later, isRenewed] = [entrance.latest(), request, false];
  for (;;) {
    const answer = await tryOut(house, house === entrance ? later : readAgain(house, later), patience);
    if (answer.kind === 'answered') {
      patience = { ...patience, after: answer.request };
      house = entrance.latest();
      later = { ...request, parsed: parseLater(house, request.parsed) };
      continue;
    }
    if (answer.kind === 'admitted' || answer.code !== 'EPOCH_STALE' || isRenewed) return answer;
    house = await entrance.renewed(house);
    isRenewed = true;
  }
}

const readAgain = (house: House, request: CallRequest): CallRequest => ({
  ...request,
  parsed: parseAgain(house, request.parsed),
});

/** Steps 3 to 7 under one policy; a call that waited comes back from 6 to begin again. */
async function tryOut(house: House, request: CallRequest, patience: Patience): Promise<Admitted | Denied | Answered> {
  const { name } = request.parsed;
  // 3: all I/O that the decision needs. A keeper that does not answer is a denial, after a bounded time.
  const uncertain = await askUncertain(house, request);
  if (typeof uncertain !== 'boolean') return answerDenied(name, uncertain, null);
  const isolation = await readIsolation(house, request);
  const facts = await gatherFacts(house, request, { uncertain, isolation });
  const carried = await askSecrets(house, request);
  const decided = observed(house, judge(house, request, facts)); // 4: pure, from facts alone
  const judged = carried === null ? decided : { ...decided, decision: carried };

  // 5: what is denied is recorded and ends here.
  if (judged.decision.effect === 'deny') {
    return answerDenied(name, judged.decision, await recordRefusal(house, request, judged));
  }
  // INVARIANT: before somebody is asked, and before it is admitted: a policy or a stop that comes in between finds the call.
  const running = house.running.begin(house, request, judged);
  const passed = await passLimits({ house, request, judgement: judged, running, patience }).catch((error: unknown) => {
    running.end();
    throw error;
  });
  if (passed.kind !== 'admitted') running.end();
  return passed;
}

/** Takes what the call needs of its limits, and gives it back when the call is not admitted. */
async function passLimits(question: Question): Promise<Admitted | Denied | Answered> {
  const { house, request } = question;
  const reserved = await reserve(house, request, question.judgement);
  if (reserved.kind === 'denied') return reserved;
  const { judgement, lease } = reserved;
  let passed: Admitted | Denied | Answered | null = null;
  try {
    passed = await passOn({ ...question, judgement }, lease);
    return passed;
  } finally {
    if (passed?.kind !== 'admitted') await giveBack(house, lease);
  }
}

/** Steps 5 to 7 for a call that is not denied. */
async function passOn(question: Question, lease: string | null): Promise<Admitted | Denied | Answered> {
  const { house, request, judgement, running } = question;
  const { name } = request.parsed;
  // 6: what needs a yes is asked for, recorded with the question, and waits.
  const yes = judgement.decision.effect === 'confirm' ? await askForYes(question) : null;
  if (yes?.kind === 'answered') return yes;
  if (yes?.kind === 'no-yes')
    return answerUnconfirmed(name, yes, await recordUnconfirmed(house, request, judgement, yes));

  // Where it runs is made before it is admitted, and stands in that record.
  const placement = await planPlacement(house, judgement, planRun(house, judgement));
  if (placement !== null && 'code' in placement) {
    return answerDenied(name, placement, await recordRefusal(house, request, { ...judgement, decision: placement }));
  }
  // 7: intent and admission become durable together, before anything happens; the yes is used with them.
  const admission = await admit(house, request, { judgement, placement, use: yes?.use, lease });
  if (!('code' in admission)) {
    return { kind: 'admitted', house, admission, running, placement, isCounted: lease !== null };
  }
  const record = isRecorded(admission.code)
    ? await recordRefusal(house, request, { ...judgement, decision: admission })
    : null;
  return answerDenied(name, admission, record);
}

/** What was decided, and what came of the question; a call that will be judged again at once has no record of its own. */
const recordUnconfirmed = async (
  house: House,
  request: CallRequest,
  judgement: Judgement,
  { decision }: NoYes,
): Promise<number | null> =>
  decision.code === 'EPOCH_STALE'
    ? null
    : recordRefusal(house, request, { ...judgement, decision: { ...decision, effect: 'confirm' } });
