import type { Answer, OperatorProof } from '../approvals/index.ts';
import {
  count,
  type JsonObject,
  type JsonValue,
  oneOf,
  type Principal,
  type Surface,
  shape,
  text,
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
import {
  readActOffer,
  readActOutcome,
  readActReceipt,
  readActSummaries,
  readActSummary,
  readAdmission,
  readAnswerReceipt,
  readApproved,
  readEvent,
  readFlags,
  readOperators,
  readProposedAct,
  readReceipt,
  readRedaction,
  readRemoval,
  readReserveAnswer,
  readSecret,
  readStatus,
  readSummaries,
  readTokenHolder,
  readView,
} from './answers.ts';
import type {
  AnswerReceipt,
  ApprovalQuestionDraft,
  ApprovalStatus,
  ApprovalSummary,
  ApprovalView,
  OperatorRegistration,
  OperatorRemoval,
  RegistrationAuthority,
} from './approval-messages.ts';
import type { Holder } from './calls.ts';
import type { AdmissionDraft, EmbeddedKeeper } from './embedded-keeper.ts';
import type {
  Admission,
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
import { KeeperLink } from './keeper-link.ts';
import type { CallUse, Reservation, ReserveAnswer } from './limit-messages.ts';
import type { PeerCredential } from './peer-folder.ts';
import type { ApprovalQuestion, ApprovedPolicy, FirstApproval } from './policy-approval.ts';
import type { HeldResult } from './released-results.ts';
import type { Redaction, RedactionReader, SecretUse } from './secret-messages.ts';

/** The keeper as one process has it for a while: its own, or a connection to the one of another process. */
export interface Seat extends Omit<Keeper, 'admit' | 'watch'> {
  /** As `Keeper.admit`; `call` is a secret that the caller made up, so that it can be adopted whatever happens. */
  admit(call: string, draft: AdmissionDraft): Promise<Admission>;
  /** True when the admission is open, and from now on this seat settles it. */
  adopt(call: string): Promise<boolean>;
  /** Resolves when this seat is gone; never, while the keeper is our own. */
  readonly lost: Promise<void>;
}

/** Our own keeper. `former`: the name under which we were a peer before, whose calls we may adopt. */
export function ownSeat(keeper: EmbeddedKeeper, former: string | null): Seat {
  const holder: Holder = Object.freeze({ peer: former });
  const adopted = new Set<string>();
  return {
    verifier: keeper.verifier,
    state: keeper.state,
    lost: new Promise(() => undefined),
    policyLoaded: (policy) => keeper.policyLoaded(policy),
    approvalOf: (question) => keeper.approvalOf(question),
    approveFirst: (approved) => keeper.approveFirst(approved),
    authenticate: (token) => keeper.authenticate(token),
    openSession: (caller, surface, detail) => keeper.openSession(caller, surface, detail),
    endSession: (principal, surface, end) => keeper.endSession(principal, surface, end),
    isUncertain: (call) => keeper.isUncertain(call),
    reserve: (reservation) => keeper.reserve(reservation),
    giveBack: (lease) => keeper.giveBack(lease),
    refuse: (intent) => keeper.refuse(intent),
    admit: (call, draft) => keeper.admitAs(call, draft),
    settle: async (admission, outcome, use) => {
      if (!adopted.has(admission.call)) return keeper.settle(admission, outcome, use);
      const receipt = await keeper.settleFor(holder, admission.call, outcome, use);
      adopted.delete(admission.call);
      return receipt;
    },
    adopt: async (call) => {
      const isOurs = former !== null && (await keeper.adopt(holder, call));
      if (isOurs) adopted.add(call);
      return isOurs;
    },
    stop: (flag, reason) => keeper.stop(flag, reason),
    resume: (flag) => keeper.resume(flag),
    isReleased: (result) => keeper.isReleased(result),
    secret: ({ call }, use) => keeper.secretFor(adopted.has(call) ? holder : null, call, use),
    redact: (value, reader) => keeper.redact(value, reader),
    stops: () => keeper.stops(),
    claim: (space, key, expiresAt) => keeper.claim(space, key, expiresAt),
    ask: (question) => keeper.ask(question),
    approvals: () => keeper.approvals(),
    approval: (id) => keeper.approval(id),
    answer: (id, answer, proof) => keeper.answer(id, answer, proof),
    offerRegistration: () => keeper.offerRegistration(),
    registerOperator: (offer, registration, authority) => keeper.registerOperator(offer, registration, authority),
    removeOperator: (offer, operator, authority) => keeper.removeOperator(offer, operator, authority),
    offerAct: () => keeper.offerAct(),
    perform: (act, authority) => keeper.perform(act, authority),
    proposeAct: (act, waitMs) => keeper.proposeAct(act, waitMs),
    proposedActs: () => keeper.proposedActs(),
    proposedAct: (id) => keeper.proposedAct(id),
    actOutcome: (id) => keeper.actOutcome(id),
    proveAct: (id, proof) => keeper.proveAct(id, proof),
    declineAct: (id) => keeper.declineAct(id),
    operators: () => keeper.operators(),
    close: (reason) => keeper.close(reason),
  };
}

/** A connection to the keeper of another process. @throws SallyportError KEEPER_LOST, PEER_REFUSED */
export async function remoteSeat(
  place: { readonly socket: string; readonly credential: PeerCredential },
  tell: (event: KeeperEvent) => void,
): Promise<Seat> {
  return new RemoteSeat(await KeeperLink.open({ ...place, onEvent: (event) => tell(readEvent(event)) }));
}

/** Asks by name and reads what comes back. */
class RemoteSeat implements Seat {
  readonly #link: KeeperLink;
  readonly verifier: string;
  readonly state: string;
  readonly lost: Promise<void>;
  #lastApproval: Promise<unknown> = Promise.resolve();

  constructor(link: KeeperLink) {
    this.#link = link;
    this.verifier = link.verifier;
    this.state = link.state;
    this.lost = link.lost;
  }

  async policyLoaded(policy: PolicyNotice): Promise<number> {
    return count(await this.#link.request('policyLoaded', policy), 'epoch');
  }

  /** One after the other: answers are long, and a peer that leaves too much of them unread is cut off. */
  approvalOf({ file, real, opening = false }: ApprovalQuestion): Promise<ApprovedPolicy | null> {
    const ask = (): Promise<JsonValue> => this.#link.request('approvalOf', { file, real, opening });
    const answer = this.#lastApproval.then(ask);
    this.#lastApproval = answer.catch(() => undefined);
    return answer.then((value) => readApproved(value, 'approval'));
  }

  async approveFirst(approved: FirstApproval): Promise<void> {
    const { file, real, digest, text: policy, approvedAt, observes = false } = approved;
    await this.#link.request('approveFirst', { file, real, digest, text: policy, approvedAt, observes });
  }

  async authenticate(token: string): Promise<TokenHolder | null> {
    return readTokenHolder(await this.#link.request('authenticate', { token }), 'holder');
  }

  async openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal> {
    const input = { caller, surface, ...(detail === undefined ? {} : { detail }) };
    return readPrincipal(await this.#link.request('openSession', input), 'principal');
  }

  async endSession(principal: Principal, surface: Surface, { detail, payloads }: SessionEndDraft): Promise<void> {
    const end = { ...(detail === undefined ? {} : { detail }), ...(payloads === undefined ? {} : { payloads }) };
    await this.#link.request('endSession', { principal, surface, end });
  }

  async isUncertain({ principal, tool, arguments: args }: CallIdentity): Promise<boolean> {
    return isTrue(await this.#link.request('isUncertain', { principal, tool, arguments: args }));
  }

  async refuse(intent: IntentDraft): Promise<Receipt> {
    return readReceipt(await this.#link.request('refuse', { intent }), 'receipt');
  }

  async reserve(reservation: Reservation): Promise<ReserveAnswer> {
    return readReserveAnswer(await this.#link.request('reserve', reservation), 'lease');
  }

  async giveBack(lease: string): Promise<void> {
    await this.#link.request('giveBack', { lease });
  }

  async admit(call: string, { intent, admitted, grant, lease }: AdmissionDraft): Promise<Admission> {
    const uses = { ...(grant === undefined ? {} : { grant }), ...(lease === undefined ? {} : { lease }) };
    const input = { call, intent, admitted, ...uses };
    return readAdmission(await this.#link.request('admit', input), 'admission');
  }

  async ask({ intent, binding, after }: ApprovalQuestionDraft): Promise<ApprovalStatus> {
    const question = { intent, binding, ...(after === undefined ? {} : { after }) };
    return readStatus(await this.#link.request('ask', question), 'status');
  }

  async approvals(): Promise<readonly ApprovalSummary[]> {
    return readSummaries(await this.#link.request('approvals', {}), 'approvals');
  }

  async approval(id: string): Promise<ApprovalView> {
    return readView(await this.#link.request('approval', { id }), 'approval');
  }

  async answer(id: string, answer: Answer, proof: OperatorProof): Promise<AnswerReceipt> {
    return readAnswerReceipt(await this.#link.request('answer', { id, answer, proof }), 'answer');
  }

  async offerRegistration(): Promise<string> {
    return name(await this.#link.request('offerRegistration', {}), 'offer');
  }

  async registerOperator(
    offer: string,
    registration: OperatorRegistration,
    authority: RegistrationAuthority,
  ): Promise<void> {
    await this.#link.request('registerOperator', { offer, registration, authority });
  }

  async removeOperator(offer: string, operator: string, authority: RegistrationAuthority): Promise<OperatorRemoval> {
    return readRemoval(await this.#link.request('removeOperator', { offer, operator, authority }), 'removal');
  }

  async offerAct(): Promise<ActOffer> {
    return readActOffer(await this.#link.request('offerAct', {}), 'offer');
  }

  async perform(act: OperatorAct, authority?: ActAuthority): Promise<ActReceipt> {
    const input = { act: { ...act }, ...(authority === undefined ? {} : { authority }) };
    return readActReceipt(await this.#link.request('perform', input), 'receipt');
  }

  async proposeAct(act: OperatorAct, waitMs: number): Promise<ActSummary> {
    return readActSummary(await this.#link.request('proposeAct', { act: { ...act }, waitMs }), 'act');
  }

  async proposedActs(): Promise<readonly ActSummary[]> {
    return readActSummaries(await this.#link.request('proposedActs', {}), 'acts');
  }

  async proposedAct(id: string): Promise<ProposedAct> {
    return readProposedAct(await this.#link.request('proposedAct', { id }), 'act');
  }

  async actOutcome(id: string): Promise<ActOutcome> {
    return readActOutcome(await this.#link.request('actOutcome', { id }), 'outcome');
  }

  async proveAct(id: string, proof: OperatorProof): Promise<ActReceipt> {
    return readActReceipt(await this.#link.request('proveAct', { id, proof }), 'receipt');
  }

  async declineAct(id: string): Promise<void> {
    await this.#link.request('declineAct', { id });
  }

  async operators(): Promise<readonly OperatorView[]> {
    return readOperators(await this.#link.request('operators', {}), 'operators');
  }

  async settle({ call }: Admission, outcome: OutcomeDraft, use?: CallUse): Promise<Receipt> {
    const input = { call, outcome, ...(use === undefined ? {} : { use }) };
    return readReceipt(await this.#link.request('settle', input), 'receipt');
  }

  async adopt(call: string): Promise<boolean> {
    return isTrue(await this.#link.request('adopt', { call }));
  }

  async stop(flag: StopFlag, reason: string): Promise<void> {
    await this.#link.request('stop', { flag, reason });
  }

  async resume(flag: StopFlag): Promise<void> {
    await this.#link.request('resume', { flag });
  }

  async secret({ call }: Admission, use: SecretUse): Promise<string> {
    return readSecret(await this.#link.request('secret', { call, use: { ...use } }), 'secret');
  }

  async redact(value: JsonValue, { tenant, session }: RedactionReader): Promise<Redaction> {
    return readRedaction(await this.#link.request('redact', { value, reader: { tenant, session } }), 'redaction');
  }

  async isReleased({ principal: { tenant, user, agent }, tool, digest }: HeldResult): Promise<boolean> {
    const result = { principal: { tenant, user, agent }, tool, digest };
    return isTrue(await this.#link.request('isReleased', result));
  }

  async stops(): Promise<readonly StopFlag[]> {
    return readFlags(await this.#link.request('stops', {}), 'stops');
  }

  async claim(space: string, key: string, expiresAt: number): Promise<boolean> {
    return isTrue(await this.#link.request('claim', { space, key, expiresAt }));
  }

  /** Says that we do not come back: what is still open has the outcome unknown. */
  async close(): Promise<void> {
    await Promise.race([this.#link.request('leave', {}), this.#link.lost]).catch(() => undefined);
    this.#link.close();
  }
}

const isTrue = (value: JsonValue): boolean => value === true;
const name = text(8_192);
const readPrincipal = shape<Principal>({
  ...{ tenant: name, user: name, agent: name, session: name },
  proof: oneOf('key', 'bearer', 'local'),
});
