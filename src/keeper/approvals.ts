import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Answer,
  type Answered,
  APPROVAL_LIMITS,
  type ApprovalRequest,
  type Binding,
  bindingDigest,
  challengeOf,
  checkScope,
  type LastApproved,
  makeGrant,
  type OperatorProof,
  type ProvenApprover,
  readAnswer,
  readBinding,
  readProof,
  rememberArguments,
  requestAsJson,
  sameKind,
  signGrant,
  stateScope,
  takeAnswer,
} from '../approvals/index.ts';
import type { AuditLog } from '../audit/index.ts';
import { type Clock, copyJson, isJsonObject, type JsonValue, newId, SallyportError } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { ApprovalBook, unknownRequest } from './approval-book.ts';
import { approverAsJson, recordAnswer, recordRequest } from './approval-log.ts';
import type {
  AnswerReceipt,
  ApprovalQuestionDraft,
  ApprovalStatus,
  ApprovalSummary,
  ApprovalView,
  GrantUse,
} from './approval-messages.ts';
import { checkSameCall, recoverApprovals } from './approval-records.ts';
import { GrantAnchor } from './grant-anchor.ts';
import { GrantBook } from './grant-book.ts';
import { type GrantKey, openGrantKey } from './grant-key.ts';
import type { IntentDraft, KeeperEvent } from './keeper.ts';
import { Operators, peerMark } from './operators.ts';
import { type StateTable, stateTable } from './state-table.ts';
import { SteadyTime } from './steady-time.ts';

/** How often what has ended is looked for, in milliseconds. */
const LOOK_MS = 500;
/** How long the last approved call of a kind is remembered, in milliseconds: 30 days. */
const REMEMBERED_MS = 2_592_000_000;
/** Characters of a name in a list. */
const MAX_LISTED = 128;
/** Refusals that are remembered until their requests would have ended. */
const MAX_DENIED = 10_000;

export interface ApprovalOptions {
  readonly state: string;
  readonly log: AuditLog;
  readonly store: Store;
  readonly clock: Clock;
  /** Folder outside the state that ends with the machine's run; null: grants end with this process. */
  readonly runtime: string | null;
  readonly user: string;
}

interface Parts extends ApprovalOptions {
  readonly operators: Operators;
  readonly requests: StateTable;
  readonly key: GrantKey;
  readonly anchor: GrantAnchor;
  readonly time: SteadyTime;
  readonly book: ApprovalBook;
  readonly grants: GrantBook;
}

/**
 * Who is asked, who answered, and what their yes still opens: over restarts, in the one process that owns the state.
 * INVARIANT: a request is answered once; answers are taken one after the other.
 */
export class Approvals {
  readonly #parts: Parts;
  readonly operators: Operators;
  /** Digests of requests that are being recorded. */
  readonly #asking = new Map<string, Promise<ApprovalStatus>>();
  /** Digests that somebody said no to, until when. */
  readonly #denied = new Map<string, number>();
  readonly #look: NodeJS.Timeout;
  #answering: Promise<unknown> = Promise.resolve();
  /** The request that is being answered: it does not expire meanwhile. */
  #answeringTo: string | null = null;
  #tell: (event: KeeperEvent) => void = () => undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.operators = parts.operators;
    this.#look = setInterval(() => this.#lookForEnds(), LOOK_MS).unref();
  }

  /** Reads what waits and what is open; the log must have been recovered before. */
  static async open(options: ApprovalOptions): Promise<Approvals> {
    const { state, log, store, clock, runtime, user } = options;
    const time = new SteadyTime(clock);
    const now = (): number => time.now();
    const key = openGrantKey(state);
    const anchor = GrantAnchor.open(runtime, state, log.size);
    const [requests, table] = [stateTable(store, 'approval'), stateTable(store, 'grant')];
    const found = await recoverApprovals({ state, requests, grants: table, key, anchor });
    time.atLeast(found.latest);
    const operators = await Operators.open({ store, now, uid: process.getuid?.() ?? null, user });
    const book = new ApprovalBook(() => clock.mono() / 1_000);
    book.restore(found.requests);
    const grants = new GrantBook({ table, key, anchor, now, logSize: () => log.size }, found.grants);
    return new Approvals({ ...options, operators, requests, key, anchor, time, book, grants });
  }

  /** Who is told what happens. */
  tellTo(tell: (event: KeeperEvent) => void): void {
    this.#tell = tell;
  }

  /** Resolves once whoever was answering has been told what came of it. */
  async close(): Promise<void> {
    clearInterval(this.#look);
    await this.#answering;
    await nextTurn();
  }

  /** As `Keeper.ask`. `peer`: who asks; null for this process. */
  async ask({ intent, binding: said, after }: ApprovalQuestionDraft, peer: string | null): Promise<ApprovalStatus> {
    const binding = readBinding(said);
    checkSameCall(intent, binding);
    const { book, grants, time } = this.#parts;
    const digest = bindingDigest(binding);
    const grant = grants.find(binding, intent.session ?? '');
    if (grant !== null) return { kind: 'granted', grant };
    const waiting = book.withDigest(digest);
    if (waiting !== null) return this.#waits(waiting);
    const now = time.now();
    const deniedUntil = this.#denied.get(digest) ?? 0;
    if (deniedUntil > now) {
      return {
        kind: 'refused',
        code: 'APPROVAL_DENIED',
        reason: 'a person said no to this call',
        retryAt: deniedUntil,
      };
    }
    const asking = this.#asking.get(digest);
    if (asking !== undefined) return asking;
    if (after !== undefined) return this.#ended(after, binding, intent.session ?? '');
    return this.#begin(digest, { intent, binding }, peer);
  }

  /** Why a request that is over opens nothing for this call. */
  #ended(id: string, binding: Binding, session: string): ApprovalStatus {
    const { grants, time } = this.#parts;
    const why = grants.whyNot(id, binding, session);
    return { kind: 'refused', ...why, retryAt: time.now() };
  }

  #begin(digest: string, draft: ApprovalQuestionDraft, peer: string | null): Promise<ApprovalStatus> {
    const { book, time } = this.#parts;
    const place = book.take(draft.binding, peer);
    if ('code' in place) {
      const retryAt = time.now() + Math.ceil(60_000 / APPROVAL_LIMITS.requestsPerMinute);
      return Promise.resolve({ kind: 'refused', ...place, retryAt });
    }
    const asking = this.#record(digest, draft, peer)
      .catch((error: unknown) => {
        place.release();
        throw error;
      })
      .finally(() => this.#asking.delete(digest));
    this.#asking.set(digest, asking);
    return asking;
  }

  async #record(
    digest: string,
    { intent, binding }: ApprovalQuestionDraft,
    peer: string | null,
  ): Promise<ApprovalStatus> {
    const { log, requests, book, time } = this.#parts;
    const [id, createdAt] = [newId('ask'), time.now()];
    const seq = await recordRequest(log, { id, intent, binding, peer });
    const request: ApprovalRequest = Object.freeze({
      ...{ id, digest, nonce: newId('nonce'), binding, session: intent.session ?? '', peer, intentSeq: seq, createdAt },
      ...{ expiresAt: createdAt + APPROVAL_LIMITS.waitingMs, yes: [], scope: null },
    });
    await requests.put(id, requestAsJson(request));
    book.put(request);
    this.#tell({ type: 'approval', id, state: 'waiting' });
    return this.#waits(request);
  }

  #waits({ id, expiresAt }: ApprovalRequest): ApprovalStatus {
    return { kind: 'waiting', id, expiresAt, advisory: this.operators.advisory };
  }

  list(): readonly ApprovalSummary[] {
    return this.#parts.book.list().map(({ id, binding, createdAt, expiresAt, yes, scope }) => ({
      ...{ id, tool: short(binding.tool), user: short(binding.principal.user), agent: short(binding.principal.agent) },
      ...{ createdAt, expiresAt, people: binding.approvers.people, yes, scope },
    }));
  }

  /** @throws SallyportError APPROVAL_UNKNOWN */
  async view(id: string): Promise<ApprovalView> {
    const request = this.#parts.book.get(id);
    if (request === null) throw unknownRequest();
    const last = readLast(await this.#parts.store.get('approved', sameKind(request.binding)));
    return { request, last, advisory: this.operators.advisory };
  }

  /** As `Keeper.answer`. `peer`: the operator's connection; null for this process. */
  answer(id: string, answer: Answer, proof: OperatorProof, peer: string | null): Promise<AnswerReceipt> {
    const answered = this.#answering.then(async () => {
      this.#answeringTo = id;
      return this.#answer(id, readAnswer(copyJson(answer)), readProof(copyJson(proof)), peer);
    });
    this.#answering = answered
      .catch(() => undefined)
      .finally(() => {
        this.#answeringTo = null;
      });
    return answered;
  }

  async #answer(id: string, answer: Answer, proof: OperatorProof, peer: string | null): Promise<AnswerReceipt> {
    const { book, time } = this.#parts;
    const request = book.get(id);
    if (request === null || request.expiresAt <= time.now()) throw unknownRequest();
    this.#checkConnection(answer, proof, peer);
    if (answer.kind === 'approve') checkScope(answer.scope, request.binding, time.now());
    const who = await this.operators.prove(proof, challengeOf(request, answer));
    if (book.get(id) !== request) throw unknownRequest();
    // Whoever was taken away meanwhile has said nothing.
    const yes = request.yes.filter((approver) => this.operators.stands(approver));
    const answered = takeAnswer({ ...request, yes, scope: yes.length === 0 ? null : request.scope }, answer, who);
    switch (answered.kind) {
      case 'granted':
        return this.#grant(request, answered, peer);
      case 'waiting':
        return this.#oneYes(answered.request, who, peer);
      default:
        return this.#deny(request, who, peer);
    }
  }

  /** INVARIANT: who made calls as a gate answers none; and who has no credential says yes only while nobody has one. */
  #checkConnection(answer: Answer, proof: OperatorProof, peer: string | null): void {
    if (peer !== null && this.operators.isToolSide(peerMark(peer))) {
      throw new SallyportError('APPROVER_REFUSED', 'this connection was used on the tool side');
    }
    if (answer.kind === 'approve' && proof.class === 'local' && !this.operators.advisory) {
      throw new SallyportError('APPROVER_REFUSED', 'a credential of an operator is set up: answer with one');
    }
  }

  async #grant(
    request: ApprovalRequest,
    { scope, by }: Answered & { kind: 'granted' },
    peer: string | null,
  ): Promise<AnswerReceipt> {
    const { log, key, anchor, time, grants, store } = this.#parts;
    grants.checkRoom();
    const { id, session, binding } = request;
    const draft = { id: newId('grant'), request: id, generation: anchor.generation, session, scope, by };
    const signed = signGrant(makeGrant(draft, binding, time.now()), key.privateKey);
    anchor.advance(log.size + 1);
    const opens = stateScope(scope, binding);
    const detail = { final: true, answer: 'approve', by: by.map(approverAsJson), scope: { ...scope }, opens };
    const record = { detail: { ...detail, expiresAt: signed.grant.expiresAt }, peer, grant: draft.id };
    const seq = await recordAnswer(log, request, record);
    await grants.add(signed, seq);
    await this.#end(request, 'granted');
    const remembered = { ...rememberArguments(binding, newId('salt')) };
    await store.put('approved', sameKind(binding), remembered, { expiresAt: time.now() + REMEMBERED_MS });
    return { kind: 'granted', grant: draft.id };
  }

  async #oneYes(request: ApprovalRequest, who: ProvenApprover, peer: string | null): Promise<AnswerReceipt> {
    const detail = { final: false, answer: 'approve', by: [approverAsJson(who)] };
    await recordAnswer(this.#parts.log, request, { detail, peer, grant: null });
    await this.#parts.requests.put(request.id, requestAsJson(request));
    this.#parts.book.put(request);
    return { kind: 'waiting', people: request.binding.approvers.people, yes: request.yes.length };
  }

  async #deny(request: ApprovalRequest, who: ProvenApprover, peer: string | null): Promise<AnswerReceipt> {
    const detail = { final: true, answer: 'deny', by: [approverAsJson(who)] };
    await recordAnswer(this.#parts.log, request, { detail, peer, grant: null });
    if (this.#denied.size < MAX_DENIED) this.#denied.set(request.digest, request.expiresAt);
    await this.#end(request, 'denied');
    return { kind: 'denied' };
  }

  /** Uses a grant; then the intent may be admitted with its name. @throws SallyportError GRANT_VOID, GRANT_EXPIRED, GRANT_SPENT */
  async spend(intent: IntentDraft, { id, binding: said }: GrantUse): Promise<void> {
    const binding: Binding = readBinding(said);
    checkSameCall(intent, binding);
    await this.#parts.grants.spend(id, binding, intent.session ?? '');
  }

  async #end(request: ApprovalRequest, state: 'granted' | 'denied' | 'expired'): Promise<void> {
    this.#parts.book.remove(request);
    this.#tell({ type: 'approval', id: request.id, state });
    await this.#parts.requests.delete(request.id);
  }

  /** No answer in time is no. A store that fails says so to whoever asks next. */
  #lookForEnds(): void {
    const { book, time, grants, log } = this.#parts;
    const now = time.now();
    for (const [digest, until] of this.#denied) if (until <= now) this.#denied.delete(digest);
    if (log.failure !== null) return;
    const ends = book.list().filter(({ id, expiresAt }) => expiresAt <= now && id !== this.#answeringTo);
    for (const request of ends) {
      recordAnswer(log, request, { detail: { final: true, answer: 'none' }, peer: null, grant: null }).catch(
        () => log.failure,
      );
      this.#end(request, 'expired').catch(() => log.failure);
    }
    grants.sweep().catch(() => log.failure);
  }
}

/** A name in a list: whoever asks for the request gets the whole. INVARIANT: a list is no longer than an answer may be. */
const short = (name: string): string => name.slice(0, MAX_LISTED).toWellFormed();

function readLast(value: JsonValue): LastApproved | null {
  if (!isJsonObject(value)) return null;
  const { salt, lines = null } = value;
  if (typeof salt !== 'string' || !isJsonObject(lines)) return null;
  const digests = Object.entries(lines).filter((line): line is [string, string] => typeof line[1] === 'string');
  return { salt, lines: Object.fromEntries(digests) };
}
