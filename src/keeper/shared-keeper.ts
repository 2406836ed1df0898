import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, OperatorProof } from '../approvals/index.ts';
import {
  isSallyportError,
  type JsonObject,
  type JsonValue,
  newId,
  type Principal,
  SallyportError,
  type Surface,
} from '../core/index.ts';
import type {
  ActAuthority,
  ActOffer,
  ActOutcome,
  ActReceipt,
  ActSummary,
  OperatorAct,
  ProposedAct,
} from './act-messages.ts';
import type {
  AnswerReceipt,
  ApprovalQuestionDraft,
  ApprovalStatus,
  ApprovalSummary,
  ApprovalView,
  GrantUse,
  OperatorRegistration,
  OperatorRemoval,
  RegistrationAuthority,
} from './approval-messages.ts';
import type {
  Admission,
  AdmittedDraft,
  Caller,
  CallIdentity,
  IntentDraft,
  Keeper,
  KeeperEvent,
  OperatorView,
  OutcomeDraft,
  PolicyNotice,
  Receipt,
  SessionEndDraft,
  StopFlag,
  TokenHolder,
} from './keeper.ts';
import type { CallUse, Reservation, ReserveAnswer } from './limit-messages.ts';
import type { ApprovalQuestion, ApprovedPolicy, FirstApproval } from './policy-approval.ts';
import type { HeldResult } from './released-results.ts';
import type { Seat } from './seat.ts';
import type { Redaction, RedactionReader, SecretUse } from './secret-messages.ts';
import { Watchers } from './watchers.ts';

/** How long after the owner was lost questions wait for the next one before they are refused, in milliseconds. */
const WAIT_MS = 5_000;
/** Pause before a question is asked again, in milliseconds. */
const PAUSE_MS = 5;

interface Parts {
  /** Takes the state, or connects to who has it; tries for a bounded time. */
  readonly takeSeat: (tell: (event: KeeperEvent) => void) => Promise<Seat>;
  /** After the keeper was closed. */
  readonly left: () => void;
}

/**
 * A keeper that outlives its owner: one seat after the other.
 * INVARIANT: a question that may have been answered by an owner that died is asked again only where twice is as good as once.
 */
export class SharedKeeper implements Keeper {
  readonly verifier: string;
  readonly state: string;
  readonly #parts: Parts;
  readonly #watchers: Watchers;
  /** Admissions that this process must see to the end: `running` ones, and those of which no answer came. */
  readonly #held = new Map<string, 'running' | 'unanswered'>();
  /** Calls whose outcome stands in the log already, and nobody here knows which. */
  readonly #gone = new Set<string>();
  /** The seat that answers now; null while there is none. */
  #seat: Seat | null = null;
  /** The look for one, while there is none; null when the last look failed. */
  #looking: Promise<Seat> | null = null;
  /** Until when questions wait for it; `performance.now()`. */
  #patience = 0;
  #closing: Promise<void> | null = null;

  private constructor(parts: Parts, seat: Seat, watchers: Watchers) {
    this.#parts = parts;
    this.#watchers = watchers;
    this.verifier = seat.verifier;
    this.state = seat.state;
    this.#sitDown(seat);
  }

  static async open(parts: Parts): Promise<SharedKeeper> {
    const watchers = new Watchers();
    return new SharedKeeper(parts, await parts.takeSeat((event) => watchers.tell(event)), watchers);
  }

  policyLoaded(policy: PolicyNotice): Promise<number> {
    return this.#again((seat) => seat.policyLoaded(policy));
  }

  approvalOf(question: ApprovalQuestion): Promise<ApprovedPolicy | null> {
    return this.#again((seat) => seat.approvalOf(question));
  }

  approveFirst(approved: FirstApproval): Promise<void> {
    return this.#again((seat) => seat.approveFirst(approved));
  }

  authenticate(token: string): Promise<TokenHolder | null> {
    return this.#again((seat) => seat.authenticate(token));
  }

  openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal> {
    return this.#once((seat) => seat.openSession(caller, surface, detail));
  }

  endSession(principal: Principal, surface: Surface, end: SessionEndDraft): Promise<void> {
    return this.#once((seat) => seat.endSession(principal, surface, end));
  }

  isUncertain(call: CallIdentity): Promise<boolean> {
    return this.#again((seat) => seat.isUncertain(call));
  }

  refuse(intent: IntentDraft): Promise<Receipt> {
    return this.#once((seat) => seat.refuse(intent));
  }

  /** INVARIANT: at most once. What an owner that is lost reserved ended with the connection. */
  reserve(reservation: Reservation): Promise<ReserveAnswer> {
    return this.#once((seat) => seat.reserve(reservation));
  }

  giveBack(lease: string): Promise<void> {
    return this.#once((seat) => seat.giveBack(lease));
  }

  async admit(intent: IntentDraft, admitted: AdmittedDraft, grant?: GrantUse, lease?: string): Promise<Admission> {
    const call = newId('call');
    return this.#once(async (seat) => {
      this.#held.set(call, 'unanswered');
      try {
        const admission = await seat.admit(call, { intent, admitted, grant, lease });
        this.#held.set(call, 'running');
        return admission;
      } catch (error) {
        // It may have been admitted all the same; the next seat finds out, and records that it never ran.
        if (!isSallyportError(error, 'KEEPER_LOST')) this.#held.delete(call);
        throw error;
      }
    });
  }

  async settle(admission: Admission, outcome: OutcomeDraft, use?: CallUse): Promise<Receipt> {
    const receipt = await this.#again(async (seat) => {
      if (this.#held.has(admission.call)) return seat.settle(admission, outcome, use);
      if (this.#gone.delete(admission.call)) return null;
      throw new SallyportError('INTERNAL', 'this admission is unknown or settled already');
    });
    if (receipt === null) {
      throw new SallyportError('KEEPER_LOST', 'the outcome was recorded, and nobody here knows as what');
    }
    this.#held.delete(admission.call);
    return receipt;
  }

  stop(flag: StopFlag, reason: string): Promise<void> {
    return this.#again((seat) => seat.stop(flag, reason));
  }

  resume(flag: StopFlag): Promise<void> {
    return this.#again((seat) => seat.resume(flag));
  }

  secret(admission: Admission, use: SecretUse): Promise<string> {
    return this.#again((seat) => seat.secret(admission, use));
  }

  redact(value: JsonValue, reader: RedactionReader): Promise<Redaction> {
    return this.#again((seat) => seat.redact(value, reader));
  }

  isReleased(result: HeldResult): Promise<boolean> {
    return this.#again((seat) => seat.isReleased(result));
  }

  stops(): Promise<readonly StopFlag[]> {
    return this.#again((seat) => seat.stops());
  }

  ask(question: ApprovalQuestionDraft): Promise<ApprovalStatus> {
    return this.#again((seat) => seat.ask(question));
  }

  approvals(): Promise<readonly ApprovalSummary[]> {
    return this.#again((seat) => seat.approvals());
  }

  approval(id: string): Promise<ApprovalView> {
    return this.#again((seat) => seat.approval(id));
  }

  answer(id: string, answer: Answer, proof: OperatorProof): Promise<AnswerReceipt> {
    return this.#once((seat) => seat.answer(id, answer, proof));
  }

  offerRegistration(): Promise<string> {
    return this.#again((seat) => seat.offerRegistration());
  }

  registerOperator(offer: string, registration: OperatorRegistration, authority: RegistrationAuthority): Promise<void> {
    return this.#once((seat) => seat.registerOperator(offer, registration, authority));
  }

  removeOperator(offer: string, operator: string, authority: RegistrationAuthority): Promise<OperatorRemoval> {
    return this.#once((seat) => seat.removeOperator(offer, operator, authority));
  }

  offerAct(): Promise<ActOffer> {
    return this.#again((seat) => seat.offerAct());
  }

  perform(act: OperatorAct, authority?: ActAuthority): Promise<ActReceipt> {
    return this.#once((seat) => seat.perform(act, authority));
  }

  proposeAct(act: OperatorAct, waitMs: number): Promise<ActSummary> {
    return this.#once((seat) => seat.proposeAct(act, waitMs));
  }

  proposedActs(): Promise<readonly ActSummary[]> {
    return this.#again((seat) => seat.proposedActs());
  }

  proposedAct(id: string): Promise<ProposedAct> {
    return this.#again((seat) => seat.proposedAct(id));
  }

  actOutcome(id: string): Promise<ActOutcome> {
    return this.#again((seat) => seat.actOutcome(id));
  }

  proveAct(id: string, proof: OperatorProof): Promise<ActReceipt> {
    return this.#once((seat) => seat.proveAct(id, proof));
  }

  declineAct(id: string): Promise<void> {
    return this.#once((seat) => seat.declineAct(id));
  }

  operators(): Promise<readonly OperatorView[]> {
    return this.#again((seat) => seat.operators());
  }

  claim(space: string, key: string, expiresAt: number): Promise<boolean> {
    return this.#once((seat) => seat.claim(space, key, expiresAt));
  }

  watch(listener: (event: KeeperEvent) => void): () => void {
    return this.#watchers.add(listener);
  }

  close(reason = 'closed'): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: string): Promise<void> {
    try {
      const seat = this.#seat ?? (await this.#looking?.catch(() => null));
      await seat?.close(reason);
    } finally {
      this.#parts.left();
    }
  }

  /** A question that is asked at most once. */
  async #once<T>(ask: (seat: Seat) => Promise<T>): Promise<T> {
    if (this.#closing !== null) throw new SallyportError('KEEPER_CLOSED', 'the keeper is closed');
    return ask(this.#seat ?? (await this.#nextSeat()));
  }

  /** A question that may be asked again when its seat was lost: twice is as good as once. */
  async #again<T>(ask: (seat: Seat) => Promise<T>): Promise<T> {
    const deadline = performance.now() + WAIT_MS;
    for (;;) {
      try {
        return await this.#once(ask);
      } catch (error) {
        if (!isSallyportError(error, 'KEEPER_LOST') || performance.now() > deadline) throw error;
      }
      await sleep(PAUSE_MS);
    }
  }

  /** The seat that is being looked for, for a bounded time. @throws SallyportError KEEPER_LOST, and why the look failed */
  async #nextSeat(): Promise<Seat> {
    const looking = this.#looking ?? this.#look();
    const late = new AbortController();
    const waitMs = Math.max(0, this.#patience - performance.now());
    const timeout = sleep(waitMs, null, { signal: late.signal }).catch(() => null);
    try {
      const seat = await Promise.race([looking, timeout]);
      if (seat !== null) return seat;
    } finally {
      late.abort();
    }
    throw new SallyportError('KEEPER_LOST', 'no process owns the state just now');
  }

  #sitDown(seat: Seat): void {
    this.#seat = seat;
    this.#looking = null;
    void seat.lost.then(() => {
      this.#seat = null;
      if (this.#closing !== null) return;
      this.#watchers.tell({ type: 'lost' });
      void this.#look();
    });
  }

  /** A look that fails is repeated by the next question. */
  #look(): Promise<Seat> {
    this.#patience = performance.now() + WAIT_MS;
    const looking = this.#takeNext();
    this.#looking = looking;
    looking.catch(() => {
      this.#looking = null;
    });
    return looking;
  }

  async #takeNext(): Promise<Seat> {
    for (;;) {
      const seat = await this.#parts.takeSeat((event) => this.#watchers.tell(event));
      try {
        await this.#adoptAll(seat);
      } catch (error) {
        await seat.close('its calls could not be taken over').catch(() => undefined);
        if (isSallyportError(error, 'KEEPER_LOST')) continue;
        throw error;
      }
      this.#sitDown(seat);
      this.#watchers.tell({ type: 'reconnected' });
      return seat;
    }
  }

  /** Presents what runs here to a new owner of the log. INVARIANT: done before any other question reaches the seat. */
  async #adoptAll(seat: Seat): Promise<void> {
    for (const [call, kind] of [...this.#held]) {
      const isOpen = await seat.adopt(call);
      if (isOpen && kind === 'running') continue;
      this.#held.delete(call);
      if (!isOpen && kind === 'running') this.#gone.add(call);
      if (isOpen) await seat.settle({ call, intentSeq: -1, admittedSeq: -1 }, NEVER_RAN);
    }
  }
}

const NEVER_RAN: OutcomeDraft = Object.freeze({ outcome: 'failed', error: 'KEEPER_LOST' });
