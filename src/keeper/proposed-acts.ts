import { type Clock, canonicalCopy, isSallyportError, newId, SallyportError } from '../core/index.ts';
import type { ActOutcome, ActReceipt, ActSummary, OperatorAct, ProposedAct } from './act-messages.ts';

/** How many acts wait at once, and of one connection. */
const MAX_PROPOSED = 16;
const MAX_OF_PEER = 2;
/** The longest an act waits, and how long what became of it is kept, in milliseconds. */
const MAX_WAIT_MS = 600_000;
const KEPT_MS = 60_000;
/** An act for which nobody has asked for so long has nobody who waits for it, in milliseconds. */
const LEASE_MS = 15_000;
/** Characters of an act as JSON: no longer than what a peer may leave unread. */
const MAX_CHARACTERS = 2_621_440;

interface Entry {
  readonly id: string;
  readonly act: OperatorAct;
  readonly about: Readonly<Record<string, string>>;
  readonly peer: string | null;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** By the clock that never jumps, as all that decides here. */
  readonly until: number;
  leaseUntil: number;
  outcome: ActOutcome;
  isBeingAnswered: boolean;
}

/** What is proposed, by whom, and for how long. */
export interface ProposalDraft {
  readonly act: OperatorAct;
  readonly about: Readonly<Record<string, string>>;
  readonly waitMs: number;
}

/** A proposed act that is being answered. */
export type AnsweredAct = Pick<Entry, 'id' | 'act' | 'peer'>;

/**
 * Acts that wait for an operator, in mind only: they end with this process.
 * INVARIANT: what is carried out is the keeper's own copy of what was proposed, once; and only while whoever proposed it waits.
 */
export class ProposedActs {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws SallyportError KEEPER_BUSY, INPUT_TOO_LARGE, INPUT_SCHEMA_MISMATCH */
  add({ act, about, waitMs }: ProposalDraft, peer: string | null): ActSummary {
    if (!Number.isSafeInteger(waitMs) || waitMs < 1 || waitMs > MAX_WAIT_MS) {
      throw new SallyportError('INPUT_SCHEMA_MISMATCH', 'an act waits from 1 ms to 10 minutes');
    }
    if (canonicalCopy({ ...act }).length > MAX_CHARACTERS) {
      throw new SallyportError('INPUT_TOO_LARGE', 'the act is too long to be shown');
    }
    this.#checkRoom(peer);
    const [createdAt, mono] = [this.#clock.now(), this.#now()];
    const entry: Entry = {
      ...{ id: newId('act'), act: Object.freeze({ ...act }), about, peer, createdAt, expiresAt: createdAt + waitMs },
      ...{ until: mono + waitMs, leaseUntil: mono + LEASE_MS, outcome: { kind: 'waiting' }, isBeingAnswered: false },
    };
    this.#entries.set(entry.id, entry);
    return summaryOf(entry);
  }

  #checkRoom(peer: string | null): void {
    this.#sweep();
    const all = [...this.#entries.values()];
    const ofPeer = all.filter((entry) => entry.peer === peer && entry.outcome.kind === 'waiting');
    if (all.length < MAX_PROPOSED && ofPeer.length < MAX_OF_PEER) return;
    throw new SallyportError('KEEPER_BUSY', 'too many acts wait for an operator');
  }

  list(): readonly ActSummary[] {
    return [...this.#entries.values()].filter((entry) => this.#isOpen(entry)).map(summaryOf);
  }

  /** @throws SallyportError APPROVAL_UNKNOWN */
  get(id: string): Omit<ProposedAct, 'advisory'> {
    const { act, about, createdAt, expiresAt } = this.#open(id);
    return { id, act, about, createdAt, expiresAt };
  }

  /** What became of it; whoever proposed it asks, and waits for as long as they ask. @throws SallyportError APPROVAL_UNKNOWN */
  outcome(id: string, peer: string | null): ActOutcome {
    const entry = this.#entries.get(id);
    if (entry === undefined || entry.peer !== peer) throw unknown();
    if (entry.outcome.kind === 'waiting' && !entry.isBeingAnswered && !this.#isOpen(entry)) {
      this.#end(entry, refusal('APPROVAL_EXPIRED', 'nobody proved it in time'));
    }
    if (entry.outcome.kind === 'waiting') entry.leaseUntil = this.#now() + LEASE_MS;
    return entry.outcome;
  }

  /** A person said no. @throws SallyportError APPROVAL_UNKNOWN */
  decline(id: string): AnsweredAct {
    const entry = this.#open(id);
    this.#end(entry, refusal('APPROVAL_DENIED', 'a person said no to it'));
    return entry;
  }

  /**
   * Answers it: `prove` says who does it, and `carryOut` does it. A proof that does not stand leaves it waiting.
   * INVARIANT: one answer at a time; once a proof stands, the act waits no more, whatever becomes of it.
   * @throws SallyportError APPROVAL_UNKNOWN, and those of both
   */
  async answer<T>(
    id: string,
    prove: (answered: AnsweredAct) => Promise<T>,
    carryOut: (answered: AnsweredAct, who: T) => Promise<ActReceipt>,
  ): Promise<ActReceipt> {
    const entry = this.#open(id);
    entry.isBeingAnswered = true;
    try {
      const who = await prove(entry);
      if (entry.until <= this.#now() || entry.leaseUntil <= this.#now()) throw unknown();
      const receipt = await this.#carriedOut(entry, () => carryOut(entry, who));
      this.#end(entry, { kind: 'done', receipt });
      return receipt;
    } finally {
      entry.isBeingAnswered = false;
    }
  }

  async #carriedOut(entry: Entry, carryOut: () => Promise<ActReceipt>): Promise<ActReceipt> {
    try {
      return await carryOut();
    } catch (error) {
      const why = isSallyportError(error) ? error : new SallyportError('INTERNAL', 'the act failed', { cause: error });
      this.#end(entry, { kind: 'refused', code: why.code, reason: why.message });
      throw error;
    }
  }

  #open(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry === undefined || !this.#isOpen(entry)) throw unknown();
    return entry;
  }

  #isOpen({ outcome, isBeingAnswered, until, leaseUntil }: Entry): boolean {
    return outcome.kind === 'waiting' && !isBeingAnswered && Math.min(until, leaseUntil) > this.#now();
  }

  #end(entry: Entry, outcome: ActOutcome): void {
    entry.outcome = outcome;
    entry.leaseUntil = this.#now() + KEPT_MS;
  }

  /** INVARIANT: what is being answered stays. */
  #sweep(): void {
    for (const [id, entry] of this.#entries) {
      if (!entry.isBeingAnswered && entry.leaseUntil <= this.#now()) this.#entries.delete(id);
    }
  }

  #now(): number {
    return this.#clock.mono() / 1_000;
  }
}

const summaryOf = ({ id, act, createdAt, expiresAt }: Entry): ActSummary => ({
  ...{ id, act: act.act, createdAt, expiresAt },
});

const refusal = (code: 'APPROVAL_EXPIRED' | 'APPROVAL_DENIED', reason: string): ActOutcome => ({
  ...{ kind: 'refused', code, reason },
});

const unknown = (): SallyportError => new SallyportError('APPROVAL_UNKNOWN', 'no such act waits for an operator');
