import {
  APPROVAL_LIMITS,
  type Binding,
  covers,
  grantAsJson,
  type NotCovered,
  type SignedGrant,
  verifyGrant,
} from '../approvals/index.ts';
import { SallyportError } from '../core/index.ts';
import { isUsedUp, type OpenGrant, openGrantAsJson } from './approval-records.ts';
import type { GrantAnchor } from './grant-anchor.ts';
import type { GrantKey } from './grant-key.ts';
import type { StateTable } from './state-table.ts';

interface Parts {
  readonly table: StateTable;
  readonly key: GrantKey;
  readonly anchor: GrantAnchor;
  readonly now: () => number;
  /** Records of the log, durable or not. */
  readonly logSize: () => number;
}

/**
 * The grants that are open. INVARIANT: counting a use and looking whether there is one left are one step, in the one process
 * that owns the state; what was counted stays counted, whatever fails afterwards.
 */
export class GrantBook {
  readonly #parts: Parts;
  readonly #grants = new Map<string, OpenGrant>();

  constructor(parts: Parts, grants: readonly OpenGrant[]) {
    this.#parts = parts;
    for (const grant of grants) this.#grants.set(grant.signed.grant.id, grant);
  }

  /** A grant that covers the call now and has a use left, or null. */
  find(binding: Binding, session: string): string | null {
    const now = this.#parts.now();
    for (const { signed, used } of this.#grants.values()) {
      if (covers(signed.grant, { binding, session, used }, now) === null) return signed.grant.id;
    }
    return null;
  }

  /** Why the yes to a request covers a call no more, or never did; nobody said it where there is none. */
  whyNot(request: string, binding: Binding, session: string): NotCovered {
    const now = this.#parts.now();
    for (const { signed, used } of this.#grants.values()) {
      if (signed.grant.request !== request) continue;
      const why = covers(signed.grant, { binding, session, used }, now);
      if (why !== null) return why;
    }
    return { code: 'APPROVAL_EXPIRED', reason: 'the request is over, and nobody said yes' };
  }

  /** Room for one more? @throws SallyportError KEEPER_BUSY */
  checkRoom(): void {
    if (this.#grants.size < APPROVAL_LIMITS.grants) return;
    throw new SallyportError('KEEPER_BUSY', `${APPROVAL_LIMITS.grants} grants are open: wait until some have ended`);
  }

  /** A grant whose record is durable; kept when it resolves. */
  async add(signed: SignedGrant, recordSeq: number): Promise<void> {
    const open: OpenGrant = { signed, recordSeq, used: 0 };
    await this.#parts.table.put(signed.grant.id, openGrantAsJson(open));
    this.#grants.set(signed.grant.id, open);
  }

  /**
   * Uses a grant for a call, once more. Counted before anything is awaited, and durable when it resolves.
   * @throws SallyportError GRANT_VOID, GRANT_EXPIRED, GRANT_SPENT, and the codes of the store: then the use is spent
   */
  async spend(id: string, binding: Binding, session: string): Promise<void> {
    const { key, now, anchor, logSize, table } = this.#parts;
    const open = this.#grants.get(id);
    if (open === undefined) throw new SallyportError('GRANT_VOID', 'there is no such grant, or it has ended');
    verifyGrant(grantAsJson(open.signed), key.publicKey);
    const why = covers(open.signed.grant, { binding, session, used: open.used }, now());
    if (why !== null) throw new SallyportError(why.code, why.reason);
    open.used += 1;
    // The record that follows has this number or a later one: a log without it is an older one.
    anchor.advance(logSize() + 1);
    await table.put(id, openGrantAsJson(open));
  }

  /** Forgets what has ended; a used one is remembered until then, so that it is known as spent. */
  async sweep(): Promise<void> {
    const now = this.#parts.now();
    for (const [id, open] of this.#grants) {
      if (now < open.signed.grant.expiresAt) continue;
      this.#grants.delete(id);
      await this.#parts.table.delete(id);
    }
  }

  /** Grants with uses left. */
  get size(): number {
    return [...this.#grants.values()].filter((grant) => !isUsedUp(grant)).length;
  }
}
