import { type AuditLog, HEARTBEAT_MS, type RecordDraft } from '../audit/index.ts';
import {
  type Clock,
  canonicalJson,
  type JsonObject,
  newId,
  type Principal,
  SallyportError,
  type Surface,
} from '../core/index.ts';
import type { Journal } from './journal.ts';
import type {
  Admission,
  AdmittedDraft,
  Caller,
  CallIdentity,
  IntentDraft,
  Keeper,
  KeeperEvent,
  OutcomeDraft,
  PolicyNotice,
  Receipt,
  StopFlag,
  TokenHolder,
} from './keeper.ts';
import type { Ownership } from './owner.ts';
import { PolicyEpochs } from './policy-epochs.ts';
import { RefusalMeter } from './refusal-meter.ts';
import { SpentKeys } from './spent-keys.ts';
import { StopFlags } from './stop-flags.ts';
import type { TokenFolder } from './token-folder.ts';
import type { UnknownCalls } from './unknown-calls.ts';
import { Watchers } from './watchers.ts';

interface Parts {
  readonly state: string;
  readonly log: AuditLog;
  readonly ownership: Ownership;
  readonly tokens: TokenFolder;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly unknown: UnknownCalls;
  /** The calls on that list, as `sameCall` writes them. */
  readonly uncertain: ReadonlySet<string>;
}

/** The keeper inside the gate's process. Made by `openKeeper`. */
export class EmbeddedKeeper implements Keeper {
  readonly verifier: string;
  readonly state: string;
  readonly #parts: Parts;
  readonly #refusals = new RefusalMeter();
  readonly #watchers = new Watchers();
  readonly #epochs: PolicyEpochs;
  readonly #stops: StopFlags;
  readonly #spent: SpentKeys;
  /** INVARIANT: an admission leaves this map exactly once, with its outcome. */
  readonly #open = new Map<
    string,
    { readonly intentSeq: number; readonly admittedSeq: number; readonly draft: IntentDraft }
  >();
  readonly #heartbeat: NodeJS.Timeout;
  #closing: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.verifier = parts.log.verifierKey;
    this.state = parts.state;
    this.#epochs = new PolicyEpochs(parts.journal);
    this.#stops = new StopFlags(parts.journal);
    this.#spent = new SpentKeys(parts.journal, parts.clock);
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS).unref();
  }

  async policyLoaded(policy: PolicyNotice): Promise<number> {
    this.#checkOpen();
    const { scope, digest, source, rules, mode } = policy;
    const { epoch, isNew } = await this.#epochs.load(scope, digest);
    // Told before it is recorded: a gate that is behind denies from now on, and may as well know why.
    if (isNew) this.#watchers.tell({ type: 'policy', scope, epoch, digest });
    const detail = { ...policy.detail, scope, source, rules, mode, inForceBefore: !isNew };
    await this.#durable({ type: 'policy-loaded', policyDigest: digest, epoch, detail });
    return epoch;
  }

  async stop(flag: StopFlag, reason: string): Promise<void> {
    this.#checkOpen();
    const durable = this.#stops.add(flag);
    this.#watchers.tell({ type: 'stop', flag });
    await durable;
    await this.#durable({ type: 'stop', detail: { flag: { ...flag }, stopped: true, reason } });
  }

  async resume(flag: StopFlag): Promise<void> {
    this.#checkOpen();
    // Recorded before it is in force: whatever runs after a stop stands behind the record that ended it.
    await this.#durable({ type: 'stop', detail: { flag: { ...flag }, stopped: false } });
    if (await this.#stops.remove(flag)) this.#watchers.tell({ type: 'resume', flag });
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
    return this.#spent.claim(space, key, expiresAt);
  }

  async authenticate(token: string): Promise<TokenHolder | null> {
    this.#checkOpen();
    const record = this.#parts.tokens.find(token);
    return record === null ? null : { id: record.digest.slice(0, 16), name: record.name, user: record.user };
  }

  async openSession(caller: Caller, surface: Surface, detail?: JsonObject): Promise<Principal> {
    this.#checkOpen();
    const principal: Principal = Object.freeze({ ...caller, session: newId('ses') });
    await this.#durable({ type: 'session', surface, ...whoIs(principal), ...(detail === undefined ? {} : { detail }) });
    return principal;
  }

  async isUncertain(call: CallIdentity): Promise<boolean> {
    return this.#parts.uncertain.size > 0 && this.#parts.uncertain.has(sameCall(call));
  }

  async refuse(intent: IntentDraft): Promise<Receipt> {
    this.#checkOpen();
    const session = intent.session ?? '';
    const turn = this.#refusals.take(session, this.#parts.clock.now());
    if (!turn.record) return { seq: turn.lastSeq };
    const detail = turn.suppressed === 0 ? intent.detail : { ...intent.detail, suppressedRefusals: turn.suppressed };
    try {
      const receipt = await this.#durable({ type: 'intent', ...intent, ...(detail === undefined ? {} : { detail }) });
      this.#refusals.recorded(session, receipt.seq);
      return receipt;
    } catch (error) {
      this.#refusals.missed(1 + turn.suppressed);
      throw error;
    }
  }

  async admit(intent: IntentDraft, admitted: AdmittedDraft): Promise<Admission> {
    this.#checkOpen();
    if (this.#stops.covers(intent)) throw new SallyportError('STOPPED', 'calls like this were stopped by the operator');
    if (!this.#epochs.isCurrent(intent.epoch)) {
      throw new SallyportError('EPOCH_STALE', 'the policy changed since the call was judged');
    }
    const { log } = this.#parts;
    if (log.sealed !== null) throw log.sealed;
    const first = log.append({ type: 'intent', ...intent });
    const second = log.append({ type: 'admitted', ...linkOf(intent), ...admitted, intentSeq: first.seq });
    const admission: Admission = { call: newId('call'), intentSeq: first.seq, admittedSeq: second.seq };
    this.#open.set(admission.call, { intentSeq: first.seq, admittedSeq: second.seq, draft: intent });
    try {
      await Promise.all([first.durable, second.durable]);
    } catch (error) {
      this.#open.delete(admission.call);
      throw error;
    }
    // Closed meanwhile: its outcome is recorded as unknown already, so it must not run.
    if (!this.#open.has(admission.call)) throw new SallyportError('KEEPER_CLOSED', 'the keeper closed');
    return admission;
  }

  async settle(admission: Admission, outcome: OutcomeDraft): Promise<Receipt> {
    const open = this.#open.get(admission.call);
    if (open === undefined) throw new SallyportError('INTERNAL', 'this admission is unknown or settled already');
    const { intentSeq, admittedSeq, draft } = open;
    const { seq } = this.#parts.log.append({
      type: 'outcome',
      ...linkOf(draft),
      ...outcome,
      intentSeq,
      admittedSeq,
    });
    // Only now: an outcome that cannot be written leaves the call open, to be recorded as unknown when the keeper closes.
    this.#open.delete(admission.call);
    return { seq };
  }

  close(reason = 'closed'): Promise<void> {
    this.#closing ??= this.#shutDown(reason);
    return this.#closing;
  }

  async #shutDown(reason: string): Promise<void> {
    clearInterval(this.#heartbeat);
    const { log, ownership } = this.#parts;
    try {
      this.#parts.unknown.add([...this.#open.values()]);
      for (const call of [...this.#open.keys()]) await this.#abandon(call);
      const detail = { reason, suppressedRefusals: this.#refusals.pending };
      await log.append({ type: 'shutdown', detail }).durable;
    } finally {
      try {
        await log.close();
      } finally {
        await this.#parts.journal.close();
        ownership.release();
      }
    }
  }

  /** A call that still runs when its keeper closes: its outcome will not be known. */
  async #abandon(call: string): Promise<void> {
    const open = this.#open.get(call);
    if (open === undefined) return;
    await this.settle({ call, ...open }, { outcome: 'unknown', error: 'the keeper closed before the call ended' });
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
    log.append({ type: 'heartbeat', detail: { openCalls: this.#open.size } }).durable.catch(() => log.failure);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw new SallyportError('KEEPER_CLOSED', 'the keeper is closed');
  }
}

/** The fields by which the records of one call, and of one session, are found. */
type Link = Pick<RecordDraft, 'surface' | 'principal' | 'session' | 'tool' | 'server' | 'epoch'>;

function linkOf(intent: IntentDraft): Link {
  const { surface, principal, session, tool, server, epoch } = intent;
  const link: { -readonly [field in keyof Link]: Link[field] } = {};
  if (surface !== undefined) link.surface = surface;
  if (principal !== undefined) link.principal = principal;
  if (session !== undefined) link.session = session;
  if (tool !== undefined) link.tool = tool;
  if (server !== undefined) link.server = server;
  if (epoch !== undefined) link.epoch = epoch;
  return link;
}

/** A principal as records name it. */
export const whoIs = (principal: Principal): { principal: JsonObject; session: string } => ({
  principal: { tenant: principal.tenant, user: principal.user, agent: principal.agent, proof: principal.proof },
  session: principal.session,
});

/** The same caller (whatever its session), tool and arguments give the same text. */
export function sameCall(call: {
  principal: { user: string; agent: string };
  tool: string;
  arguments: JsonObject;
}): string {
  return canonicalJson([call.principal.user, call.principal.agent, call.tool, call.arguments]);
}
