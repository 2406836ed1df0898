import { type Answer, type OperatorProof, type ProvenApprover, readProof } from '../approvals/index.ts';
import { type AuditLog, HEARTBEAT_MS, type RecordDraft } from '../audit/index.ts';
import {
  type Clock,
  copyJson,
  DEFAULT_LIMITS,
  type JsonObject,
  type JsonValue,
  newId,
  type Principal,
  SallyportError,
  type Surface,
  sha256Hex,
} from '../core/index.ts';
import type { Store } from '../store/index.ts';
import type {
  ActAuthority,
  ActOffer,
  ActOutcome,
  ActReceipt,
  ActSummary,
  OperatorAct,
  ProposedAct,
} from './act-messages.ts';
import { approverAsJson } from './approval-log.ts';
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
import type { Approvals } from './approvals.ts';
import type { CallLimits } from './call-limits.ts';
import { Calls, type Holder, type Orphan } from './calls.ts';
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
import { actDetails, OperatorActs, readAct } from './operator-acts.ts';
import type { Ownership } from './owner.ts';
import {
  type ApprovalQuestion,
  type ApprovedPolicy,
  type FirstApproval,
  keepUnderName,
  readApproval,
  writeApproval,
  writeFirstApproval,
} from './policy-approval.ts';
import type { PolicyEpochs } from './policy-epochs.ts';
import { ProposedActs } from './proposed-acts.ts';
import { RefusalMeter } from './refusal-meter.ts';
import type { HeldResult, ReleasedResults } from './released-results.ts';
import type { Redaction, RedactionReader, SecretUse } from './secret-messages.ts';
import type { Secrets } from './secrets.ts';
import { openStateFolder } from './state-folder.ts';
import type { StopFlags } from './stop-flags.ts';
import type { TokenFolder } from './token-folder.ts';
import { digestOf, type UnknownCalls } from './unknown-calls.ts';
import { Watchers } from './watchers.ts';

interface Parts {
  readonly state: string;
  readonly log: AuditLog;
  readonly ownership: Ownership;
  readonly tokens: TokenFolder;
  readonly clock: Clock;
  readonly store: Store;
  readonly epochs: PolicyEpochs;
  readonly stops: StopFlags;
  readonly released: ReleasedResults;
  readonly secrets: Secrets;
  readonly approvals: Approvals;
  readonly unknown: UnknownCalls;
  /** The calls on that list, as `sameCall` writes them. */
  readonly uncertain: ReadonlySet<string>;
  /** Digests of the principals each of whose calls counts as one of them. */
  readonly covered: ReadonlySet<string>;
  /** Admissions of boots before that a gate may still adopt. */
  readonly orphans: readonly Orphan[];
  readonly adoptionMs: number;
  readonly limits: CallLimits;
  /** Prints a one-time code on the terminal of this process; null: nobody sits there. */
  readonly onOperatorCode: ((code: string) => void) | null;
}

/** The socket over which peers come, while it is open. */
export interface KeeperServer {
  readonly path: string;
  /** Cuts every connection and takes the socket away. */
  close(): Promise<void>;
}

/** What is to be admitted, with which yes and which lease. */
export interface AdmissionDraft {
  readonly intent: IntentDraft;
  readonly admitted: AdmittedDraft;
  readonly grant?: GrantUse | undefined;
  readonly lease?: string | undefined;
}

/** This process as the holder of its own calls. */
const OWN: Holder = Object.freeze({ peer: null });

/**
 * The keeper inside the gate's process. Made by `openKeeper`.
 * INVARIANT: every promise of `Keeper` is kept here and nowhere else; the connection of a peer only asks.
 */
export class EmbeddedKeeper implements Keeper {
  readonly verifier: string;
  readonly state: string;
  readonly #parts: Parts;
  readonly #refusals = new RefusalMeter();
  readonly #watchers = new Watchers();
  readonly #epochs: PolicyEpochs;
  readonly #stops: StopFlags;
  readonly #approvals: Approvals;
  readonly #acts: OperatorActs;
  readonly #proposed: ProposedActs;
  readonly #calls: Calls;
  readonly #heartbeat: NodeJS.Timeout;
  #server: KeeperServer | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.verifier = parts.log.verifierKey;
    this.state = parts.state;
    this.#epochs = parts.epochs;
    this.#stops = parts.stops;
    this.#approvals = parts.approvals;
    this.#approvals.tellTo((event) => this.#watchers.tell(event));
    this.#acts = new OperatorActs(parts.approvals.operators, parts.clock);
    this.#proposed = new ProposedActs(parts.clock);
    this.#calls = new Calls(parts);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  /** `peer`, here and below: the peer that asks; null for this process. */
  async policyLoaded(policy: PolicyNotice, peer: string | null = null): Promise<number> {
    this.#checkOpen();
    const { scope, digest, source, rules, mode } = policy;
    const { epoch, isNew } = await this.#epochs.load(scope, digest, peer);
    // Told before it is recorded: a gate that is behind denies from now on, and may as well know why.
    if (isNew) this.#watchers.tell({ type: 'policy', scope, epoch, digest });
    const detail = { ...policy.detail, scope, source, rules, mode, inForceBefore: !isNew };
    await this.#durable({ type: 'policy-loaded', policyDigest: digest, epoch, detail });
    return epoch;
  }

  async approvalOf(question: ApprovalQuestion): Promise<ApprovedPolicy | null> {
    this.#checkOpen();
    const state = openStateFolder(this.state, []);
    if (question.opening === true) keepUnderName(state, question);
    return readApproval(state, question);
  }

  async approveFirst(approved: FirstApproval, peer: string | null = null): Promise<void> {
    this.#checkOpen();
    const { file, digest, text } = approved;
    if (Buffer.byteLength(text) > DEFAULT_LIMITS.policyBytes) {
      throw new SallyportError('INPUT_TOO_LARGE', `a policy has at most ${DEFAULT_LIMITS.policyBytes} bytes`);
    }
    if (approved.observes === true && !this.#acts.advisory) {
      throw new SallyportError('POLICY_APPROVAL', `the policy only observes, which needs an operator: ${file}`);
    }
    const isNew = writeFirstApproval(openStateFolder(this.state, []), approved);
    if (!isNew || peer === null) return;
    // This process records it with the policy that it loads; a peer might leave that out.
    const detail = { scope: file, source: file, firstUse: true, ...saidBy(peer) };
    await this.#durable({ type: 'policy-loaded', policyDigest: digest, detail });
  }

  async stop(flag: StopFlag, reason: string, peer: string | null = null): Promise<void> {
    this.#checkOpen();
    const durable = this.#stops.add(flag);
    this.#watchers.tell({ type: 'stop', flag });
    await durable;
    await this.#durable({ type: 'stop', detail: { flag: { ...flag }, stopped: true, reason, ...saidBy(peer) } });
  }

  async resume(flag: StopFlag, peer: string | null = null): Promise<void> {
    await this.perform({ act: 'resume', flag }, undefined, peer);
  }

  async offerAct(): Promise<ActOffer> {
    this.#checkOpen();
    return { offer: this.#acts.offer(), advisory: this.#acts.advisory };
  }

  async perform(act: OperatorAct, authority?: ActAuthority, peer: string | null = null): Promise<ActReceipt> {
    this.#checkOpen();
    await this.#aboutAct(act, peer);
    return this.#perform(act, await this.#acts.authorise(act, authority ?? null, peer), saidBy(peer));
  }

  async #perform(act: OperatorAct, { groups: _groups, ...by }: ProvenApprover, said: JsonObject): Promise<ActReceipt> {
    // Who is `local` proved nothing.
    const advisory = by.class === 'local';
    const who = { who: approverAsJson(by), advisory, ...said };
    // Recorded before it is in force: whatever runs after a stop stands behind the record that ended it.
    await this.#durable({ type: 'operator', detail: { ...actDetails(act), ...who } });
    await this.#carryOut(act, who);
    return { by, advisory };
  }

  async proposeAct(said: OperatorAct, waitMs: number, peer: string | null = null): Promise<ActSummary> {
    this.#checkOpen();
    const act = readAct(copyJson(said, { maxBytes: 2 * DEFAULT_LIMITS.policyBytes }));
    this.#acts.checkConnection(peer);
    const summary = this.#proposed.add({ act, about: await this.#aboutAct(act, peer), waitMs }, peer);
    this.#watchers.tell({ type: 'act', id: summary.id });
    return summary;
  }

  async proposedActs(): Promise<readonly ActSummary[]> {
    this.#checkOpen();
    return this.#proposed.list();
  }

  async proposedAct(id: string): Promise<ProposedAct> {
    this.#checkOpen();
    return { ...this.#proposed.get(id), advisory: this.#acts.advisory };
  }

  async actOutcome(id: string, peer: string | null = null): Promise<ActOutcome> {
    this.#checkOpen();
    return this.#proposed.outcome(id, peer);
  }

  async proveAct(id: string, said: OperatorProof, peer: string | null = null): Promise<ActReceipt> {
    this.#checkOpen();
    const proof = readProof(copyJson(said));
    try {
      return await this.#proposed.answer(
        id,
        ({ act }) => this.#acts.prove({ over: id, proof }, act, peer),
        async ({ act, peer: proposer }, who) => {
          await this.#aboutAct(act, proposer);
          return this.#perform(act, who, { proposal: id, ...saidBy(peer), ...proposedBy(proposer) });
        },
      );
    } finally {
      this.#watchers.tell({ type: 'act', id });
    }
  }

  async declineAct(id: string, peer: string | null = null): Promise<void> {
    this.#checkOpen();
    this.#acts.checkConnection(peer);
    const { act } = this.#proposed.decline(id);
    this.#watchers.tell({ type: 'act', id });
    await this.#durable({ type: 'operator', detail: { declined: actDetails(act), proposal: id, ...saidBy(peer) } });
  }

  /** What the keeper knows of what an act names. @throws SallyportError when there is nothing that it could be done to */
  async #aboutAct(act: OperatorAct, peer: string | null): Promise<Readonly<Record<string, string>>> {
    if (act.act === 'unknown-settle') this.#checkListed(act.record, peer);
    if (act.act !== 'result-release') return {};
    const { tool, principal, digest } = await this.#parts.released.find(act.record);
    return { tool, user: principal.user, agent: principal.agent, result: digest };
  }

  async #carryOut(act: OperatorAct, who: JsonObject): Promise<void> {
    switch (act.act) {
      case 'resume':
        await this.#durable({ type: 'stop', detail: { flag: { ...act.flag }, stopped: false, ...who } });
        if (await this.#stops.remove(act.flag)) this.#watchers.tell({ type: 'resume', flag: act.flag });
        return;
      case 'policy-approve':
        return this.#approvePolicy(act, who);
      case 'unknown-settle':
        this.#parts.unknown.remove(act.record);
        return;
      case 'result-release':
        return this.#parts.released.release(act.record);
      default: // the lock of a server lies where its policy does: whoever asked writes it
    }
  }

  #checkListed(record: number, peer: string | null): void {
    if (peer !== null) {
      throw new SallyportError('STATE_OWNED', 'a running process knows the list from when it began: stop it first');
    }
    if (this.#parts.unknown.list().some(({ admittedSeq }) => admittedSeq === record)) return;
    throw new SallyportError('AUDIT_NOT_FOUND', `record ${record} is not on the list: sallyport audit unknown`);
  }

  async #approvePolicy(act: OperatorAct & { act: 'policy-approve' }, who: JsonObject): Promise<void> {
    const { file, real, digest, text, rules, mode } = act;
    const approvedAt = this.#parts.clock.now();
    writeApproval(openStateFolder(this.state, []), { file, real, digest, text, approvedAt });
    const detail = { approved: true, by: 'policy approve', ...who };
    await this.policyLoaded({ scope: file, digest, source: file, rules, mode, detail });
  }

  secret({ call }: Admission, use: SecretUse): Promise<string> {
    return this.secretFor(null, call, use);
  }

  /** As `secret`, for a holder that names the call itself; null: this process. */
  async secretFor(holder: Holder | null, call: string, { reference, destination }: SecretUse): Promise<string> {
    this.#checkOpen();
    const { link, admittedSeq, secrets, tenant } = this.#calls.admitted(holder ?? OWN, call);
    if (!secrets.includes(reference)) {
      throw new SallyportError('SECRET_NOT_GRANTED', 'the call was not admitted with this secret');
    }
    const given = await this.#parts.secrets.give(reference, { tenant, session: link.session ?? '' });
    const { version, redacted } = given;
    const detail = { reference, version, destination, ...(redacted ? {} : { redacted }) };
    await this.#durable({ type: 'secret-use', ...link, admittedSeq, detail });
    return given.value;
  }

  async redact(value: JsonValue, reader: RedactionReader): Promise<Redaction> {
    this.#checkOpen();
    return this.#parts.secrets.redact(value, reader);
  }

  async isReleased(result: HeldResult): Promise<boolean> {
    this.#checkOpen();
    return this.#parts.released.isReleased(result);
  }

  async stops(): Promise<readonly StopFlag[]> {
    this.#checkOpen();
    return this.#stops.list();
  }

  watch(listener: (event: KeeperEvent) => void): () => void {
    return this.#watchers.add(listener);
  }

  async claim(space: string, key: string, expiresAt: number): Promise<boolean> {
    this.#checkOpen();
    return this.#parts.store.claim(space, key, expiresAt);
  }

  async authenticate(token: string): Promise<TokenHolder | null> {
    this.#checkOpen();
    const record = this.#parts.tokens.find(token);
    const { operators } = this.#approvals;
    await operators.presentedAsToken(token);
    if (record !== null) await operators.usedByTool(sha256Hex(token));
    return record === null ? null : { id: record.digest.slice(0, 16), name: record.name, user: record.user };
  }

  async openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal> {
    this.#checkOpen();
    const principal: Principal = Object.freeze({ ...caller, session: newId('ses') });
    await this.#durable({ type: 'session', surface, ...whoIs(principal), ...(detail === undefined ? {} : { detail }) });
    return principal;
  }

  async endSession(principal: Principal, surface: Surface, { detail, payloads = {} }: SessionEndDraft): Promise<void> {
    this.#checkOpen();
    const end = { detail: { ...detail, ended: true }, payloads };
    await this.#durable({ type: 'session', surface, ...whoIs(principal), ...end });
  }

  async isUncertain(call: CallIdentity): Promise<boolean> {
    const { unknown, covered } = this.#parts;
    const { user, agent } = call.principal;
    if (unknown.coversAll({ user, agent })) return true;
    return (covered.size > 0 && covered.has(digestOf(user, agent))) || this.#calls.isUncertain(call);
  }

  async refuse(intent: IntentDraft, peer: string | null = null): Promise<Receipt> {
    this.#checkOpen();
    const session = intent.session ?? '';
    const turn = this.#refusals.take(session, this.#parts.clock.now(), peer);
    if (!turn.record) return { seq: turn.lastSeq };
    const detail = turn.suppressed === 0 ? intent.detail : { ...intent.detail, suppressedRefusals: turn.suppressed };
    try {
      const receipt = await this.#durable({ type: 'intent', ...intent, ...(detail === undefined ? {} : { detail }) });
      this.#refusals.recorded(session, receipt.seq, peer);
      return receipt;
    } catch (error) {
      this.#refusals.missed(1 + turn.suppressed);
      throw error;
    }
  }

  /** `holder`: who asks, as of `admitFor`. */
  async reserve(reservation: Reservation, holder: Holder = OWN): Promise<ReserveAnswer> {
    this.#checkOpen();
    const { clock, limits } = this.#parts;
    const answer = limits.reserve(holder, reservation);
    if ('id' in answer) return { kind: 'reserved', lease: answer.id };
    const { which, waitMs } = answer;
    const retryAt = waitMs === null ? 0 : Math.ceil(clock.now() + waitMs);
    return {
      kind: 'refused',
      which,
      retryAt,
      ...this.#refusals.limited(reservation.session, clock.now(), holder.peer),
    };
  }

  async giveBack(lease: string, holder: Holder = OWN): Promise<void> {
    this.#checkOpen();
    this.#parts.limits.giveBack(holder, lease);
  }

  admit(intent: IntentDraft, admitted: AdmittedDraft, grant?: GrantUse, lease?: string): Promise<Admission> {
    return this.admitAs(newId('call'), { intent, admitted, grant, lease });
  }

  /** As `admit`, under a secret that the caller made up. */
  admitAs(call: string, draft: AdmissionDraft): Promise<Admission> {
    return this.admitFor(OWN, call, draft);
  }

  /** As `admit`, for a holder that names the call itself (`call`, a secret of its own). */
  async admitFor(holder: Holder, call: string, draft: AdmissionDraft): Promise<Admission> {
    const { intent, admitted, grant } = draft;
    this.#checkAdmissible(intent);
    if (grant === undefined && intent.decision === 'confirm') {
      throw new SallyportError('APPROVAL_NEEDED', 'this call needs a yes');
    }
    if (grant !== undefined) await this.#approvals.spend(intent, grant);
    // INVARIANT: what counts is durable before its call is: no crash makes room for one more.
    if (draft.lease !== undefined) await this.#parts.limits.saved();
    // A stop or another policy may have come meanwhile; the use is spent all the same.
    this.#checkAdmissible(intent);
    const lease = draft.lease === undefined ? null : this.#parts.limits.use(holder, draft.lease);
    return this.#calls.admit(holder, call, intent, { ...admitted, ...(grant && { grant: grant.id }), lease });
  }

  #checkAdmissible(intent: IntentDraft): void {
    this.#checkOpen();
    if (this.#stops.covers(intent)) throw new SallyportError('STOPPED', 'calls like this were stopped by the operator');
    if (!this.#epochs.isCurrent(intent.epoch)) {
      throw new SallyportError('EPOCH_STALE', 'the policy changed since the call was judged');
    }
    if (this.#parts.log.sealed !== null) throw this.#parts.log.sealed;
  }

  async ask(question: ApprovalQuestionDraft, peer: string | null = null): Promise<ApprovalStatus> {
    // What could not be admitted is nothing to bother a person with.
    this.#checkAdmissible(question.intent);
    return this.#approvals.ask(question, peer);
  }

  async approvals(): Promise<readonly ApprovalSummary[]> {
    this.#checkOpen();
    return this.#approvals.list();
  }

  async approval(id: string): Promise<ApprovalView> {
    this.#checkOpen();
    return this.#approvals.view(id);
  }

  async answer(id: string, answer: Answer, proof: OperatorProof, peer: string | null = null): Promise<AnswerReceipt> {
    this.#checkOpen();
    return this.#approvals.answer(id, answer, proof, peer);
  }

  async offerRegistration(): Promise<string> {
    this.#checkOpen();
    const { operators } = this.#approvals;
    const offer = operators.offer();
    // INVARIANT: a code that was printed stays good, however often somebody asks: nobody ends it from afar but by wrong ones.
    const { onOperatorCode } = this.#parts;
    if (onOperatorCode !== null && !operators.hasCode) onOperatorCode(operators.offerCode());
    return offer;
  }

  async registerOperator(
    offer: string,
    registration: OperatorRegistration,
    authority: RegistrationAuthority,
    peer: string | null = null,
  ): Promise<void> {
    this.#checkOpen();
    const {
      name,
      user,
      groups,
      class: proven,
    } = await this.#approvals.operators.register(offer, registration, authority);
    const detail = { operator: name, user, groups: [...groups], class: proven, registered: true, ...letBy(authority) };
    await this.#durable({ type: 'operator', detail: { ...detail, ...saidBy(peer) } });
  }

  async operators(): Promise<readonly OperatorView[]> {
    this.#checkOpen();
    const all = this.#approvals.operators.list();
    return all.map(({ name, user, groups, class: proven }) => ({ name, user, groups, class: proven }));
  }

  async removeOperator(
    offer: string,
    name: string,
    authority: RegistrationAuthority,
    peer: string | null = null,
  ): Promise<OperatorRemoval> {
    this.#checkOpen();
    const { operators } = this.#approvals;
    await operators.remove(offer, name, authority);
    const { advisory } = operators;
    const detail = { operator: name, registered: false, advisory, ...letBy(authority), ...saidBy(peer) };
    await this.#durable({ type: 'operator', detail });
    return { advisory };
  }

  /** A one-time code that lets one credential in, for ten minutes: to be printed on this process's own terminal, nowhere else. */
  offerCode(): string {
    return this.#approvals.operators.offerCode();
  }

  /** Remembers for good that a peer used the powers of a gate: it answers nothing any more. */
  async usedByTool(mark: string): Promise<void> {
    await this.#approvals.operators.usedByTool(mark);
  }

  settle(admission: Admission, outcome: OutcomeDraft, use?: CallUse): Promise<Receipt> {
    return this.settleFor(OWN, admission.call, outcome, use);
  }

  /** As `settle`, for the holder of the admission. */
  async settleFor(holder: Holder, call: string, outcome: OutcomeDraft, use?: CallUse): Promise<Receipt> {
    return this.#calls.settle(holder, call, outcome, use ?? null);
  }

  /** True when the call of that secret is open and was admitted for this peer: from now on `holder` settles it. */
  async adopt(holder: Holder, call: string): Promise<boolean> {
    this.#checkOpen();
    return this.#calls.adopt(holder, call);
  }

  /** A peer is gone; `forGood`: its calls need not wait for it to come back. */
  release(holder: Holder, forGood: boolean): void {
    if (this.#closing !== null) return;
    this.#parts.limits.release(holder);
    this.#calls.release(holder, forGood);
  }

  /** What is closed before the log is: the socket over which peers come. */
  serveWith(server: KeeperServer): void {
    this.#server = server;
  }

  /** Path of the socket for other processes. */
  get socket(): string {
    return this.#server?.path ?? '';
  }

  close(reason = 'closed'): Promise<void> {
    this.#closing ??= this.#shutDown(reason);
    return this.#closing;
  }

  async #shutDown(reason: string): Promise<void> {
    clearInterval(this.#heartbeat);
    const { log, ownership } = this.#parts;
    try {
      await this.#approvals.close();
      await this.#server?.close();
      // Calls of peers stay open: the next owner takes them over, and the log ends as after a crash.
      const handedOver = this.#calls.close(OWN);
      const detail = { reason, suppressedRefusals: this.#refusals.pending };
      if (handedOver === 0) await log.append({ type: 'shutdown', detail }).durable;
    } finally {
      try {
        await log.close();
        await this.#parts.limits.saved();
      } finally {
        await this.#parts.secrets.close().catch(() => undefined); // a provider that does not end well holds nothing of ours
        await this.#parts.store.close();
        ownership.release();
      }
    }
  }

  async #durable(draft: RecordDraft): Promise<Receipt> {
    const { seq, durable } = this.#parts.log.append(draft);
    await durable;
    return { seq };
  }

  #beat(): void {
    const { log } = this.#parts;
    // A log that takes nothing any more tells so to whoever calls.
    if (log.failure !== null || log.sealed !== null) return;
    log.append({ type: 'heartbeat', detail: { openCalls: this.#calls.size } }).durable.catch(() => log.failure);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new SallyportError('KEEPER_CLOSED', 'the keeper is closed');
  }
}

const saidBy = (peer: string | null): JsonObject => (peer === null ? {} : { peer });
const proposedBy = (proposer: string | null): JsonObject => (proposer === null ? {} : { proposer });

/** What let a credential in or took it away, and whose it was. The proof was good. */
const letBy = (authority: RegistrationAuthority): JsonObject =>
  'code' in authority || authority.proof.class === 'local'
    ? { by: 'code' }
    : { by: authority.proof.class, who: { operator: authority.proof.operator, class: authority.proof.class } };

/** A principal as records name it. */
export const whoIs = (principal: Principal): { principal: JsonObject; session: string } => ({
  principal: { tenant: principal.tenant, user: principal.user, agent: principal.agent, proof: principal.proof },
  session: principal.session,
});
