import { type ErrorCode, isSallyportError, remedyOf, SallyportError } from '../core/index.ts';
import type { GrantUse } from '../keeper/index.ts';
import type { Decision } from '../policy/index.ts';
import { type AnswerWatch, watchAnswers } from './answer-watch.ts';
import { bindingOf } from './binding.ts';
import type { CallRequest } from './call.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { intentOf } from './records.ts';
import type { RunningCall } from './running-calls.ts';

/** How long a call waits for a person, and what it waited for already. */
export interface Patience {
  /** Milliseconds on the clock that never goes back. */
  readonly until: number;
  /** The request that was answered, or has ended; null: nobody was asked yet. */
  readonly after: string | null;
}

/** A question that nobody said yes to, as a denial. `request`: the one that still waits. */
export interface NoYes {
  readonly kind: 'no-yes';
  readonly decision: Decision & { readonly effect: 'deny' };
  readonly request: string | null;
  /** Milliseconds since the epoch: when the same call may fare better; null where time changes nothing. */
  readonly retryAt: number | null;
}

/** What became of a question: a yes for the call as it is now, something to look into again, or a denial. */
export type Confirmation =
  | { readonly kind: 'yes'; readonly use: GrantUse }
  | { readonly kind: 'answered'; readonly request: string }
  | NoYes;

/** What waits: told to whoever can say so to a person. */
export interface WaitingCall {
  readonly request: string;
  readonly tool: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The agent could answer for itself: as `ApprovalStatus`. */
  readonly advisory: boolean;
}

/** How a caller waits for a person's yes. */
export interface ApprovalWait {
  /** As `SessionOptions.approvalWaitMs`, for this call. */
  readonly approvalWaitMs?: number;
  /** Is told when the call begins to wait. */
  readonly onApprovalWaiting?: (waiting: WaitingCall) => void;
}

/** A call that a person is asked about. */
export interface Question {
  readonly house: House;
  readonly request: CallRequest;
  readonly judgement: Judgement;
  readonly running: RunningCall;
  readonly patience: Patience;
}

/**
 * Step 6: asks for a yes to the call as it was judged, and waits for an answer, within limits. Never a yes by itself: the keeper
 * compares the grant with what is admitted. INVARIANT: a call that waited is judged again, from new facts.
 */
export async function askForYes(question: Question): Promise<Confirmation> {
  const { house, request, judgement, running, patience } = question;
  const answers = watchAnswers(house.keeper);
  try {
    const binding = await bindingOf(house, judgement);
    const intent = intentOf(house, request, judgement);
    const { after } = patience;
    const status = await house.keeper.ask({ intent, binding, ...(after === null ? {} : { after }) });
    if (status.kind === 'refused') return refused(question, status);
    if (status.kind === 'waiting') return await waitFor(question, answers, status);
    running.confirmed();
    return { kind: 'yes', use: { id: status.grant, binding } };
  } catch (error) {
    if (isSallyportError(error)) return noYes(judgement, error.code, `nobody could be asked: ${error.message}`);
    throw error;
  } finally {
    answers.close();
  }
}

function refused({ house, judgement }: Question, status: Refused): NoYes {
  const retryAt = status.retryAt > house.clock.now() ? status.retryAt : null;
  return noYes(judgement, status.code, status.reason, { retryAt });
}

interface Refused {
  readonly code: ErrorCode;
  readonly reason: string;
  readonly retryAt: number;
}

interface Waiting {
  readonly id: string;
  readonly expiresAt: number;
  readonly advisory: boolean;
}

async function waitFor(question: Question, answers: AnswerWatch, waiting: Waiting): Promise<Confirmation> {
  const { request, judgement } = question;
  const { id, expiresAt, advisory } = waiting;
  const end = waitForEnd(question, answers, waiting);
  request.onApprovalWaiting({ request: id, tool: judgement.parsed.name, expiresAt, advisory });
  const ended = await end;
  if (ended === 'answered') return { kind: 'answered', request: id };
  if (ended !== 'late') return noYes(judgement, ended.code, ended.message, { request: id });
  const until = new Date(expiresAt).toISOString();
  const reason = `the request ${id} waits for a person until ${until}, who answers with: sallyport approvals approve ${id}`;
  return noYes(judgement, 'APPROVAL_PENDING', reason, { request: id });
}

/** How long after its end a request is asked for whose end nobody told of, in milliseconds. */
const GRACE_MS = 2_000;

/** Whatever comes first: an answer, the end of the time, a cancellation, a stop, or another policy. */
function waitForEnd(
  { house, request: { signal }, running, patience }: Question,
  answers: AnswerWatch,
  { id, expiresAt }: Waiting,
): Promise<'answered' | 'late' | SallyportError> {
  const patientMs = Math.max(0, patience.until - house.clock.mono() / 1_000);
  const openMs = Math.max(0, expiresAt - house.clock.now());
  return new Promise((resolve) => {
    const end = (by: 'answered' | 'late' | SallyportError): void => {
      clearTimeout(timer);
      running.signal.removeEventListener('abort', onStop);
      signal?.removeEventListener('abort', onCancel);
      resolve(by);
    };
    const onStop = (): void => end(running.stopped() ?? CANCELLED());
    const onCancel = (): void => end(CANCELLED());
    // A call that waits as long as its request hears how that ended.
    const isLong = patientMs + GRACE_MS > openMs;
    const timer = setTimeout(() => end(isLong ? 'answered' : 'late'), isLong ? openMs + GRACE_MS : patientMs);
    running.signal.addEventListener('abort', onStop, { once: true });
    signal?.addEventListener('abort', onCancel, { once: true });
    if (running.signal.aborted) onStop();
    if (signal?.aborted) onCancel();
    void answers.answered(id).then(() => end('answered'));
  });
}

const CANCELLED = (): SallyportError => new SallyportError('TOOL_CANCELLED', 'the call was cancelled while it waited');

/** The denial that takes the place of a question; what asked for it stands with the reason. */
function noYes(
  { decision }: Judgement,
  code: ErrorCode,
  reason: string,
  { request = null, retryAt = null }: Partial<Pick<NoYes, 'request' | 'retryAt'>> = {},
): NoYes {
  const { rule, obligations } = decision;
  const asked = decision.effect === 'allow' ? '' : ` (${decision.code})`;
  const denial = { rule, obligations, code, reason: `${decision.reason}${asked}; ${reason}`, instead: remedyOf(code) };
  return { kind: 'no-yes', decision: { effect: 'deny', ...denial }, request, retryAt };
}
