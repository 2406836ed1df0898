import type { RecordDraft } from '../audit/index.ts';
import type { JsonObject, Principal, Surface } from '../core/index.ts';

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
export type IntentDraft = Omit<RecordDraft, 'type' | 'intentSeq' | 'admittedSeq'>;
export type AdmittedDraft = Pick<RecordDraft, 'isolation' | 'detail' | 'payloads'>;
export type OutcomeDraft = Pick<RecordDraft, 'outcome' | 'error' | 'durationMs' | 'detail' | 'payloads'>;

/** A policy that comes into force. */
export interface PolicyNotice {
  readonly digest: string;
  readonly source: string;
  readonly rules: number;
  readonly mode: string;
}

/**
 * Every power of Sallyport behind one interface: state folder, log, tokens. A gate holds no key; it asks. All values are
 * plain JSON, so the same interface serves embedded and over a socket.
 *
 * Every method rejects with SallyportError KEEPER_CLOSED after `close`, and AUDIT_WRITE_FAILED once the log cannot be
 * written: then nothing runs.
 */
export interface Keeper {
  /** Public key of the log, as a C2SP vkey line. */
  readonly verifier: string;
  /** Real path of the state folder: no tool may reach it. */
  readonly state: string;

  /** Records that a policy is in force and returns its epoch. A gate names the epoch with every admission. */
  policyLoaded(policy: PolicyNotice): Promise<number>;
  /** The holder of a bearer token, or null; takes as long for one wrong token as for another. */
  authenticate(token: string): Promise<TokenHolder | null>;
  /** Begins a session: names it and records it. */
  openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal>;

  /** True when the same call was admitted by a process that died before its outcome. */
  isUncertain(call: CallIdentity): Promise<boolean>;
  /** Records a call that is not admitted; durable when it resolves. In a flood, repeats are counted instead. */
  refuse(intent: IntentDraft): Promise<Receipt>;
  /**
   * Records `intent` and `admitted`, both durable with one flush when it resolves.
   * @throws SallyportError EPOCH_STALE when `intent.epoch` is not the current one
   */
  admit(intent: IntentDraft, admitted: AdmittedDraft): Promise<Admission>;
  /**
   * Records the outcome of an admission: queued when it resolves, durable with the next flush.
   * @throws SallyportError INTERNAL for an admission that is unknown or settled already
   */
  settle(admission: Admission, outcome: OutcomeDraft): Promise<Receipt>;

  /** Writes the shutdown record, signs the last checkpoint, releases the state folder. Idempotent. */
  close(reason?: string): Promise<void>;
}
