import type { LogRecord, RecordDraft } from '../audit/index.ts';
import type { JsonObject, JsonValue, Principal } from '../core/index.ts';

/** A record that is durable. */
export interface Receipt {
  readonly seq: number;
}

/**
 * The proof that exactly this call was admitted: what every power of the keeper is released against. `call` is unguessable
 * and known to the keeper only by the durable `admitted` record.
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

/** What every record of a call says. */
export type IntentDraft = Omit<RecordDraft, 'type' | 'intentSeq' | 'admittedSeq'>;
export type OutcomeDraft = Pick<RecordDraft, 'verdict' | 'error' | 'durationMs' | 'detail' | 'payloads'>;

/**
 * Every power of Sallyport behind one interface: state folder, log, tokens. A gate holds no key; it asks. All values are
 * plain JSON, so the same interface serves embedded and over a socket.
 *
 * Errors are SallyportError: AUDIT_WRITE_FAILED (nothing may run), KEEPER_CLOSED, EPOCH_STALE.
 */
export interface Keeper {
  /** Public key of the log, as a C2SP vkey line. */
  readonly verifier: string;
  /** Folders and files that no tool may touch: the state folder. */
  readonly protectedPaths: readonly string[];

  /** Records that a policy is in force and returns its epoch. A gate names the epoch in every intent. */
  policyLoaded(policy: { digest: string; source: string; rules: number; mode: string }): Promise<number>;
  /** The holder of a bearer token, or null. Takes the same time for every wrong token. */
  authenticate(token: string): Promise<TokenHolder | null>;
  /** Records the begin of a session. */
  openSession(principal: Principal, surface: string, detail?: JsonObject): Promise<Receipt>;

  /** True when an identical call (same digest) was admitted by a process that died before its outcome. */
  isUncertain(callDigest: string): boolean;
  /** Records a call that is not admitted; durable when it resolves. */
  refuse(intent: IntentDraft): Promise<Receipt>;
  /** Records `intent` and `admitted`; both durable, with one flush, when it resolves. */
  admit(
    intent: IntentDraft,
    admitted: { facts: JsonObject; isolation: JsonObject; callDigest: string },
  ): Promise<Admission>;
  /** Records the outcome of an admission, once; queued when it returns, durable with the next flush. */
  settle(admission: Admission, outcome: OutcomeDraft): Receipt;

  /** Durable records of a session, oldest first. */
  records(session: string): AsyncIterable<LogRecord>;
  /** Writes the shutdown record, signs the last checkpoint, releases the state folder. Idempotent. */
  close(reason?: string): Promise<void>;
}

/** A payload value as the gate hands it over. */
export type Payloads = Readonly<Record<string, JsonValue>>;
