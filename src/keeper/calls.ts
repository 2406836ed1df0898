import { type AuditLog, type LogRecord, type RecordDraft, unknownOutcome } from '../audit/index.ts';
import { canonicalJson, isJsonObject, type JsonObject, SallyportError, sha256Hex } from '../core/index.ts';
import type { CallLimits, Lease } from './call-limits.ts';
import type { Admission, AdmittedDraft, CallIdentity, IntentDraft, OutcomeDraft, Receipt } from './keeper.ts';
import type { CallUse } from './limit-messages.ts';
import type { UnknownCalls } from './unknown-calls.ts';

/** Who may settle an admission: this process (`peer` is null), or one connection of a peer. Told apart by identity. */
export interface Holder {
  readonly peer: string | null;
}

/** INVARIANT: a call that a gate took over after a restart is given no secret: what it was admitted with is not in memory. */
const NO_SECRETS = { secrets: [], tenant: '' } as const;

const secretsOf = ({ secrets = [], principal }: IntentDraft): Pick<OpenCall, 'secrets' | 'tenant'> => ({
  secrets,
  tenant: typeof principal?.['tenant'] === 'string' ? principal['tenant'] : '',
});

/** An admission of a boot before, which the gate that runs the call may still adopt. */
export interface Orphan {
  readonly admitted: LogRecord;
  readonly peer: string;
  /** SHA-256 of the secret that was given out with the admission. */
  readonly callHash: string;
  /** The call as `sameCall` names it; null when its arguments were erased. */
  readonly same: string | null;
}

/** How long an admission waits for its gate to come back before its outcome is `unknown`, in milliseconds. */
export const ADOPTION_MS = 10_000;
/** Admissions without outcome that one peer may have, over all its connections and while it is away. */
const MAX_OPEN = 4_096;

interface OpenCall {
  readonly intentSeq: number;
  readonly admittedSeq: number;
  readonly link: Link;
  /** The call as `sameCall` names it: what it was called with is not kept in memory. */
  readonly same: string | null;
  /** Name of the peer that it was admitted for; null for this process. */
  readonly peer: string | null;
  /** What it took of its limits; null: nothing. */
  readonly lease: Lease | null;
  /** References of the secrets that it may be given, and for whom. */
  readonly secrets: readonly string[];
  readonly tenant: string;
  /** Null while nobody is connected who could settle it. */
  holder: Holder | null;
}

interface Parts {
  readonly log: AuditLog;
  readonly unknown: UnknownCalls;
  /** The calls on that list, as `sameCall` names them. */
  readonly uncertain: ReadonlySet<string>;
  readonly orphans: readonly Orphan[];
  readonly adoptionMs: number;
  readonly limits: CallLimits;
}

/**
 * The admissions without outcome, and who may settle each.
 * INVARIANT: an admission leaves exactly once, with its outcome; that is `unknown` unless its holder says otherwise.
 */
export class Calls {
  readonly #log: AuditLog;
  readonly #unknown: UnknownCalls;
  readonly #uncertain: Set<string>;
  readonly #open = new Map<string, OpenCall>();
  /** Those of them that nobody holds. */
  readonly #waiting = new Set<OpenCall>();
  readonly #orphans: Map<string, Orphan & { readonly lease: Lease | null }>;
  readonly #limits: CallLimits;
  /** How many of them each peer has. */
  readonly #counts = new Map<string | null, number>();
  /** Connections that are gone: what they still asked for before has nobody who could settle it. */
  readonly #released = new WeakSet<Holder>();
  readonly #adoptionMs: number;
  #closed = false;

  constructor({ log, unknown, uncertain, orphans, adoptionMs, limits }: Parts) {
    this.#log = log;
    this.#unknown = unknown;
    this.#uncertain = new Set(uncertain);
    this.#adoptionMs = adoptionMs;
    this.#limits = limits;
    // INVARIANT: a call that may still run keeps its places, also over a takeover.
    const held = orphans.map((orphan) => ({ ...orphan, lease: heldBy(orphan, limits) }));
    this.#orphans = orphansByHash(held);
    if (orphans.length > 0) this.#later(() => this.#giveUpOrphans());
  }

  /** Calls without outcome. */
  get size(): number {
    return this.#open.size + this.#orphans.size;
  }

  isUncertain(call: CallIdentity): boolean {
    if (this.#uncertain.size + this.#orphans.size + this.#waiting.size === 0) return false;
    const text = sameCall(call);
    return (
      this.#uncertain.has(text) ||
      [...this.#waiting].some(({ same }) => same === text) ||
      [...this.#orphans.values()].some(({ same }) => same === text)
    );
  }

  /**
   * @throws SallyportError KEEPER_BUSY, KEEPER_CLOSED, KEEPER_LOST (the holder is gone), INTERNAL (the name `call` is used),
   * and those of the log
   */
  async admit(
    holder: Holder,
    call: string,
    intent: IntentDraft,
    { lease = null, ...admitted }: AdmittedDraft & { grant?: string; lease?: Lease | null },
  ): Promise<Admission> {
    this.#checkAdmissible(holder, call);
    const [link, same] = [linkOf(intent), sameCallOf(intent)];
    const first = this.#log.append({ type: 'intent', ...intent });
    const second = this.#log.append({
      ...{ type: 'admitted', ...link, ...admitted, intentSeq: first.seq },
      ...(holder.peer === null
        ? {}
        : { detail: { ...admitted.detail, ...slotsOf(lease), peer: holder.peer, call: sha256Hex(call) } }),
    });
    const admission: Admission = { call, intentSeq: first.seq, admittedSeq: second.seq };
    this.#keep(call, { ...admission, link, same, peer: holder.peer, lease, ...secretsOf(intent), holder });
    try {
      await Promise.all([first.durable, second.durable]);
    } catch (error) {
      this.#forget(call, null);
      throw error;
    }
    // Closed meanwhile: its outcome is recorded as unknown already, so it must not run.
    if (!this.#open.has(call)) throw new SallyportError('KEEPER_CLOSED', 'the keeper closed');
    return admission;
  }

  /** The admission that a power is asked against. @throws SallyportError INTERNAL as `settle` */
  admitted(holder: Holder, call: string): Pick<OpenCall, 'link' | 'admittedSeq' | 'secrets' | 'tenant'> {
    const open = this.#open.get(call);
    if (open === undefined || open.holder !== holder) {
      throw new SallyportError('INTERNAL', 'this admission is unknown or settled already');
    }
    return open;
  }

  /** @throws SallyportError INTERNAL for an admission that is unknown, settled, or of another holder; BYTES_LIMITED */
  settle(holder: Holder, call: string, outcome: OutcomeDraft, use: CallUse | null): Receipt {
    const open = this.#open.get(call);
    if (open === undefined || open.holder !== holder) {
      throw new SallyportError('INTERNAL', 'this admission is unknown or settled already');
    }
    const { intentSeq, admittedSeq, link, lease } = open;
    if (lease !== null && use !== null) this.#limits.checkResult(lease, use.bytes);
    const { seq } = this.#log.append({ type: 'outcome', ...link, ...outcome, intentSeq, admittedSeq });
    // Only now: an outcome that cannot be written leaves the call open, to be recorded as unknown when the keeper closes.
    this.#forget(call, use);
    return { seq };
  }

  /**
   * Gives an admission to a connection that proves, by its secret, that the call is its own; false if there is none, or no
   * longer. ATTACKER-CONTROLLED: `call`.
   */
  adopt(holder: Holder, call: string): boolean {
    if (this.#released.has(holder)) return false;
    const open = this.#open.get(call);
    if (open !== undefined) return open.peer === holder.peer && this.#give(open, holder);
    const callHash = sha256Hex(call);
    const orphan = this.#orphans.get(callHash);
    if (orphan === undefined || orphan.peer !== holder.peer) return false;
    const { admitted, peer, same, lease } = orphan;
    const link = linkOf(admitted);
    const [intentSeq, admittedSeq] = [admitted.intentSeq ?? -1, admitted.seq];
    this.#log.append({ type: 'adopted', ...link, intentSeq, admittedSeq, detail: { peer } });
    this.#orphans.delete(callHash);
    const adopted: OpenCall = { intentSeq, admittedSeq, link, same, peer, lease, ...NO_SECRETS, holder: null };
    this.#keep(call, adopted);
    return this.#give(adopted, holder);
  }

  /** A connection is gone. Its calls wait for it to come back; `forGood`: their outcome is unknown at once. */
  release(holder: Holder, forGood: boolean): void {
    this.#released.add(holder);
    const calls: [string, OpenCall][] = [];
    for (const [call, open] of this.#open) {
      if (open.holder !== holder) continue;
      open.holder = null;
      this.#waiting.add(open);
      calls.push([call, open]);
    }
    if (calls.length === 0) return;
    if (forGood) this.#giveUp(calls);
    else this.#later(() => this.#giveUp(calls));
  }

  /**
   * Ends with the keeper: calls of this process have the outcome unknown. Those of peers stay open for the next owner of the
   * log; returns how many those are.
   */
  close(own: Holder): number {
    for (const open of this.#open.values()) if (open.holder === own) open.holder = null;
    this.#giveUp([...this.#open].filter(([, { peer }]) => peer === null));
    this.#closed = true;
    return this.size;
  }

  /** After the time of grace; again, if the disk was too busy or full just then. The calls stay open until it is done. */
  #later(task: () => void): void {
    const run = (): void => {
      if (this.#closed || this.#log.failure !== null) return;
      try {
        task();
      } catch {
        this.#later(task);
      }
    };
    setTimeout(run, this.#adoptionMs).unref();
  }

  #checkAdmissible(holder: Holder, call: string): void {
    if (this.#released.has(holder)) throw new SallyportError('KEEPER_LOST', 'the connection of this gate is gone');
    const { peer } = holder;
    if ((this.#counts.get(peer) ?? 0) >= MAX_OPEN) {
      throw new SallyportError('KEEPER_BUSY', `${MAX_OPEN} calls of this gate are under way`);
    }
    // INVARIANT: a secret names one open call, also over restarts, where only its hash is known.
    if (this.#open.has(call) || (this.#orphans.size > 0 && this.#orphans.has(sha256Hex(call)))) {
      throw new SallyportError('INTERNAL', 'this admission exists already');
    }
  }

  #keep(call: string, open: OpenCall): void {
    this.#open.set(call, open);
    this.#counts.set(open.peer, (this.#counts.get(open.peer) ?? 0) + 1);
  }

  #give(open: OpenCall, holder: Holder): true {
    open.holder = holder;
    this.#waiting.delete(open);
    return true;
  }

  #forget(call: string, use: CallUse | null): void {
    const open = this.#open.get(call);
    if (open === undefined) return;
    this.#open.delete(call);
    this.#waiting.delete(open);
    if (open.lease !== null) this.#limits.end(open.lease, use);
    const count = (this.#counts.get(open.peer) ?? 1) - 1;
    if (count > 0) this.#counts.set(open.peer, count);
    else this.#counts.delete(open.peer);
  }

  /** What nobody came back for. A log that stopped is no reason to fail: whoever opens it next finds the calls open. */
  #giveUp(calls: readonly [string, OpenCall][]): void {
    const left = calls.filter(([call, open]) => this.#open.get(call) === open && open.holder === null);
    if (left.length === 0 || this.#log.failure !== null) return;
    this.#unknown.add(left.map(([, open]) => ({ ...open, principal: open.link.principal })));
    for (const [call, { intentSeq, admittedSeq, link, same }] of left) {
      const error = 'the gate went away before the call ended';
      this.#log.append({ type: 'outcome', ...link, outcome: 'unknown', error, intentSeq, admittedSeq });
      this.#doubt(same);
      this.#forget(call, null);
    }
  }

  #giveUpOrphans(): void {
    if (this.#orphans.size === 0 || this.#log.failure !== null) return;
    const left = [...this.#orphans];
    this.#unknown.add(
      left.map(
        ([
          ,
          {
            admitted: { intentSeq = -1, seq, principal },
          },
        ]) => ({ intentSeq, admittedSeq: seq, principal }),
      ),
    );
    for (const [key, { admitted, same, lease }] of left) {
      this.#log.append(unknownOutcome(admitted));
      if (lease !== null) this.#limits.end(lease, null);
      this.#doubt(same);
      this.#orphans.delete(key);
    }
  }

  #doubt(same: string | null): void {
    if (same !== null) this.#uncertain.add(same);
  }
}

const slotsOf = (lease: Lease | null): { readonly slots?: string[] } =>
  lease === null || lease.slots.length === 0 ? {} : { slots: [...lease.slots] };

function heldBy({ admitted }: Orphan, limits: CallLimits): Lease | null {
  const slots = admitted.detail?.['slots'];
  return Array.isArray(slots) ? limits.hold(slots.filter((slot) => typeof slot === 'string')) : null;
}

/** Orphans by the hash of their secret. Those that share one are nobody's to adopt, and are kept under keys of their own. */
function orphansByHash<T extends Orphan>(orphans: readonly T[]): Map<string, T> {
  const counts = new Map<string, number>();
  for (const { callHash } of orphans) counts.set(callHash, (counts.get(callHash) ?? 0) + 1);
  return new Map(
    orphans.map((orphan) => {
      const isTwin = counts.get(orphan.callHash) !== 1;
      return [isTwin ? `twin ${orphan.admitted.seq}` : orphan.callHash, orphan];
    }),
  );
}

/** The fields by which the records of one call, and of one session, are found. */
type Link = Pick<RecordDraft, 'surface' | 'principal' | 'session' | 'tool' | 'server' | 'epoch'>;

function linkOf(intent: Link): Link {
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

/** The call of an intent as `sameCall` names it, or null for one that names no caller, tool or arguments. */
function sameCallOf({ principal, tool, payloads }: IntentDraft): string | null {
  const [user, agent, args] = [principal?.['user'], principal?.['agent'], payloads?.['arguments']];
  if (tool === undefined || typeof user !== 'string' || typeof agent !== 'string' || !isJsonObject(args)) return null;
  return sameCall({ principal: { user, agent }, tool, arguments: args });
}

/**
 * The same caller (whatever its session), tool and arguments give the same text: a digest, for memory only. No record and no
 * file may hold it, for it would outlive arguments that are erased.
 */
export function sameCall(call: {
  principal: { user: string; agent: string };
  tool: string;
  arguments: JsonObject;
}): string {
  return sha256Hex(canonicalJson([call.principal.user, call.principal.agent, call.tool, call.arguments]));
}
