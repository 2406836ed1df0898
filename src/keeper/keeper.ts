import type { Answer, Operator, OperatorProof } from '../approvals/index.ts';
import type { RecordDraft } from '../audit/index.ts';
import type { JsonObject, JsonValue, Principal, Surface } from '../core/index.ts';
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
import type { CallUse, Reservation, ReserveAnswer } from './limit-messages.ts';
import type { ApprovalQuestion, ApprovedPolicy, FirstApproval } from './policy-approval.ts';
import type { HeldResult } from './released-results.ts';
import type { Redaction, RedactionReader, SecretUse } from './secret-messages.ts';

/** A record that is durable, or will be with the next flush. */
export interface Receipt {
  readonly seq: number;
}

/**
 * The proof that exactly this call was admitted: what every power of the keeper is released against. `call` is unguessable
 * and spent by its outcome.
 */
export interface Admission {
  readonly call: string;
  readonly intentSeq: number;
  readonly admittedSeq: number;
}

/** A client that presented a good token. */
export interface TokenHolder {
  /** Tells this token from every other one, also from a later one of the same name; no secret. */
  readonly id: string;
  readonly name: string;
  readonly user: string;
}

/** A caller before it has a session. */
export type Caller = Omit<Principal, 'session'>;

/** What makes two calls the same call: who, what, with which arguments. */
export interface CallIdentity {
  readonly principal: Principal;
  readonly tool: string;
  readonly arguments: JsonObject;
}

/** What the records of a call say; the keeper adds type, links and everything the log adds. */
export type IntentDraft = Omit<RecordDraft, 'type' | 'open' | 'grant' | 'findings' | 'intentSeq' | 'admittedSeq'>;
export type AdmittedDraft = Pick<RecordDraft, 'isolation' | 'detail' | 'payloads'>;
export type SessionEndDraft = Pick<RecordDraft, 'detail' | 'payloads'>;
export type OutcomeDraft = Pick<
  RecordDraft,
  'outcome' | 'verdict' | 'findings' | 'error' | 'durationMs' | 'detail' | 'payloads'
>;

/** A policy that a gate has loaded. */
export interface PolicyNotice {
  /** What the policy is the policy of: the path of its file, or a unique text for one given as an object. At most 4,352 bytes. */
  readonly scope: string;
  readonly digest: string;
  readonly source: string;
  readonly rules: number;
  readonly mode: string;
  /** What else the record says: the digest that was approved, whether anything waits, what is wrong with the file. */
  readonly detail?: JsonObject;
}

/** A credential of an operator as it may be shown. */
export type OperatorView = Pick<Operator, 'name' | 'user' | 'groups' | 'class'>;

/** Which calls are stopped: every one, those of an agent, or those of a session. */
export type StopFlag =
  | { readonly kind: 'all' }
  | { readonly kind: 'agent'; readonly name: string }
  | { readonly kind: 'session'; readonly id: string };

/**
 * What a keeper tells those who watch it. `lost`: nobody owns the state just now, so that nothing is admitted; `reconnected`:
 * there is an owner again, and what happened meanwhile is to be asked for (`stops`, `policyLoaded`).
 */
export type KeeperEvent =
  | { readonly type: 'policy'; readonly scope: string; readonly epoch: number; readonly digest: string }
  | { readonly type: 'stop'; readonly flag: StopFlag }
  | { readonly type: 'resume'; readonly flag: StopFlag }
  /** What became of a request of `ask`. Names no grant: who waits for it asks again. */
  | { readonly type: 'approval'; readonly id: string; readonly state: 'waiting' | 'granted' | 'denied' | 'expired' }
  /** A proposed act began to wait, or waits no more. */
  | { readonly type: 'act'; readonly id: string }
  | { readonly type: 'reconnected' }
  | { readonly type: 'lost' };

/**
 * Every power of Sallyport behind one interface: state folder, log, tokens. A gate holds no key; it asks. All values are
 * plain JSON, so the same interface serves embedded and over a socket.
 *
 * Every method rejects with SallyportError KEEPER_CLOSED after `close`, AUDIT_WRITE_FAILED once the log cannot be written
 * (then nothing runs), and, where the keeper is another process, KEEPER_LOST when it went away before it answered.
 */
export interface Keeper {
  /** Public key of the log, as a C2SP vkey line. */
  readonly verifier: string;
  /** Real path of the state folder: no tool may reach it. */
  readonly state: string;

  /**
   * Records that a gate has loaded a policy and returns its epoch, which the gate names with every admission. The digest that
   * is in force for the scope already keeps its epoch; another one begins a new epoch. Epochs are unique and rise over the
   * whole state, also over restarts.
   */
  policyLoaded(policy: PolicyNotice): Promise<number>;
  /**
   * What was approved of a policy file, or null. Paths have at most 4,096 bytes each.
   * @throws SallyportError POLICY_APPROVAL (what is kept cannot be read), STATE_PERMISSIONS, STATE_UNWRITABLE, KEEPER_BUSY
   */
  approvalOf(question: ApprovalQuestion): Promise<ApprovedPolicy | null>;
  /**
   * Takes a policy as approved of which nothing was approved under either name; else nothing happens. Of two at once one wins.
   * Only `perform` replaces what was approved. The text has at most 1 MiB.
   * One that only observes is not taken once a credential of an operator is registered: `perform` lets it in.
   * @throws SallyportError INPUT_TOO_LARGE, STATE_PERMISSIONS, STATE_UNWRITABLE, KEEPER_BUSY, POLICY_APPROVAL
   */
  approveFirst(approved: FirstApproval): Promise<void>;
  /** Stops calls until `resume`, also over restarts; recorded. Narrows, so that every gate may ask for it. */
  stop(flag: StopFlag, reason: string): Promise<void>;
  /**
   * Takes a stop back, as `perform` without a proof.
   * @throws SallyportError PEER_REFUSED for a peer that is no operator, APPROVER_REFUSED
   */
  /**
   * Resolves a secret for a call that was admitted with its reference, and records who got it, in which version and for where,
   * before anybody has it.
   *
   * @throws SallyportError SECRET_NOT_GRANTED (the call was not admitted with it), SECRET_NOT_FOUND, SECRET_DELETED,
   * SECRET_ACCESS_DENIED, SECRET_UNAVAILABLE, INTERNAL for an admission that is unknown or settled
   */
  secret(admission: Admission, use: SecretUse): Promise<string>;
  /** The value without every secret that this keeper knows, in the encodings of docs/secrets.md. */
  redact(value: JsonValue, reader: RedactionReader): Promise<Redaction>;
  resume(flag: StopFlag): Promise<void>;
  /** True for a withheld result that an operator has released. */
  isReleased(result: HeldResult): Promise<boolean>;
  /** The stops in force. */
  stops(): Promise<readonly StopFlag[]>;
  /** Tells `listener` what happens from now on, until the function returned is called. */
  watch(listener: (event: KeeperEvent) => void): () => void;
  /**
   * True exactly once per space and key until `expiresAt` (milliseconds since the epoch), durable before it resolves; false for
   * a key that is spent, and for an expiry that has passed. A clock that steps back makes no spent key usable again.
   * Spaces are `[a-z-]{1,32}`, keys 1 to 512 bytes.
   * @throws SallyportError STORE_REQUEST, STORE_CLOCK, STORE_BUSY, STORE_FULL, STORE_FAILED
   */
  claim(space: string, key: string, expiresAt: number): Promise<boolean>;
  /** The holder of a bearer token, or null; takes as long for one wrong token as for another. */
  authenticate(token: string): Promise<TokenHolder | null>;
  /** Begins a session: names it and records it. */
  openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal>;
  /** Records that a session is over, and what it left: a `session` record with `detail.ended`. */
  endSession(principal: Principal, surface: Surface, end: SessionEndDraft): Promise<void>;

  /** True when the same call was admitted by a process that died before its outcome. */
  isUncertain(call: CallIdentity): Promise<boolean>;
  /**
   * Takes what a call needs of its limits: everything, or nothing. Looking and taking are one step, over all gates of this keeper.
   * What is taken is durable with the admission. The lease is used by `admit`, or given back; it ends with the connection.
   * @throws SallyportError KEEPER_BUSY, INPUT_SCHEMA_MISMATCH
   */
  reserve(reservation: Reservation): Promise<ReserveAnswer>;
  /** The call of a lease is not admitted: it counts as if it had never been. A lease that is not there is no error. */
  giveBack(lease: string): Promise<void>;
  /** Records a call that is not admitted; durable when it resolves. In a flood, repeats are counted instead. */
  refuse(intent: IntentDraft): Promise<Receipt>;
  /**
   * Records `intent` and `admitted`, both durable with one flush when it resolves. INVARIANT: an intent with the decision
   * `confirm` is admitted with a grant only, which must cover the binding (and so the intent) as it is now, and is used with it,
   * also when the call fails afterwards, or when this rejects later than the use.
   * @throws SallyportError EPOCH_STALE when `intent.epoch` is not the current one of its scope, STOPPED while a stop covers it,
   * APPROVAL_NEEDED (a `confirm` without a grant), GRANT_VOID, GRANT_EXPIRED, GRANT_SPENT, KEEPER_LOST (the lease is gone)
   */
  admit(intent: IntentDraft, admitted: AdmittedDraft, grant?: GrantUse, lease?: string): Promise<Admission>;
  /**
   * Records the outcome of an admission: queued when it resolves, durable with the next flush.
   * `use`: how it went, for the limits that it was admitted with; without it nobody knows.
   * @throws SallyportError INTERNAL for an admission that is unknown or settled already; BYTES_LIMITED when the result does not fit:
   * then nothing is recorded, and the call is to be settled as one that delivers nothing
   */
  settle(admission: Admission, outcome: OutcomeDraft, use?: CallUse): Promise<Receipt>;

  /**
   * Asks for a yes. A grant that covers the call answers at once; the same call joins its waiting request; else it is recorded
   * (an `intent` with the decision `confirm`), and waits ten minutes. Asking again, with `after`, is how to learn what became of
   * it: then nothing new is recorded.
   * @throws SallyportError GRANT_VOID (intent and binding are about different calls), APPROVAL_TOO_LARGE, INPUT_SCHEMA_MISMATCH,
   * and EPOCH_STALE and STOPPED as `admit`
   */
  ask(question: ApprovalQuestionDraft): Promise<ApprovalStatus>;
  /** What waits for a person. @throws SallyportError PEER_REFUSED for a peer that is no operator; so do all methods below */
  approvals(): Promise<readonly ApprovalSummary[]>;
  /** A waiting request with everything that a screen shows. @throws SallyportError APPROVAL_UNKNOWN */
  approval(id: string): Promise<ApprovalView>;
  /**
   * Answers a request, once; recorded. The proof is over `challengeOf(request, answer)`.
   * @throws SallyportError APPROVAL_UNKNOWN (answered, or too late), APPROVER_REFUSED, APPROVAL_SCOPE, APPROVAL_INCOMPLETE
   */
  answer(id: string, answer: Answer, proof: OperatorProof): Promise<AnswerReceipt>;
  /** The name of one registration or removal, for five minutes. The keeper's process prints a one-time code on its own terminal. */
  offerRegistration(): Promise<string>;
  /**
   * Lets a credential of an operator in; recorded.
   * @throws SallyportError OPERATOR_INVALID, APPROVER_REFUSED
   */
  registerOperator(offer: string, registration: OperatorRegistration, authority: RegistrationAuthority): Promise<void>;
  /**
   * Takes a credential away; recorded. `offer` as for a registration; a proof is over `removalChallenge(offer, name)`, and may be
   * the one of the credential itself.
   * @throws SallyportError OPERATOR_INVALID (no offer, no such operator), APPROVER_REFUSED
   */
  removeOperator(offer: string, name: string, authority: RegistrationAuthority): Promise<OperatorRemoval>;
  /** Names one act, for a minute. */
  offerAct(): Promise<ActOffer>;
  /**
   * Does what only an operator may; recorded, with who did it, before it is in force. Without `authority` it is done as long as no
   * credential of an operator is registered, and the record says that it is advisory.
   * @throws SallyportError APPROVER_REFUSED, and those of the act: STATE_UNWRITABLE, AUDIT_NOT_FOUND (no such call on the list),
   * STATE_OWNED (`unknown-settle` over a connection: the owner has the list in mind)
   */
  perform(act: OperatorAct, authority?: ActAuthority): Promise<ActReceipt>;
  /**
   * Proposes an act, which waits at most `waitMs` (to ten minutes) for an operator who proves it, as it was proposed: for as long
   * as `actOutcome` is asked over this connection, and within this run of the keeper.
   * @throws SallyportError KEEPER_BUSY, INPUT_TOO_LARGE, APPROVER_REFUSED (of the tool side), and those of the act as `perform`
   */
  proposeAct(act: OperatorAct, waitMs: number): Promise<ActSummary>;
  /** The acts that wait. */
  proposedActs(): Promise<readonly ActSummary[]>;
  /** The whole of one. @throws SallyportError APPROVAL_UNKNOWN */
  proposedAct(id: string): Promise<ProposedAct>;
  /** What became of one that was proposed over this connection. @throws SallyportError APPROVAL_UNKNOWN */
  actOutcome(id: string): Promise<ActOutcome>;
  /**
   * Does a proposed act as `perform` does, once. The proof is over `actChallenge(id, act)`; one that does not stand leaves it waiting.
   * @throws SallyportError APPROVAL_UNKNOWN (not waiting any more), APPROVER_REFUSED, and those of the act as `perform`
   */
  proveAct(id: string, proof: OperatorProof): Promise<ActReceipt>;
  /** Says no to a proposed act, without a proof; recorded. @throws SallyportError APPROVAL_UNKNOWN, APPROVER_REFUSED */
  declineAct(id: string): Promise<void>;
  /** The credentials that may answer, without secrets. */
  operators(): Promise<readonly OperatorView[]>;

  /** Writes the shutdown record, signs the last checkpoint, releases the state folder. Idempotent. */
  close(reason?: string): Promise<void>;
}
