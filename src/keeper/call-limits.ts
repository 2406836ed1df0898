import { newId, SallyportError } from '../core/index.ts';
import type { Holder } from './calls.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { LimitCounters, Times } from './limit-counters.ts';
import type { BreakerClaim, CallUse, LimitClaim, Reservation } from './limit-messages.ts';
import type { Added, SlidingWindow } from './sliding-window.ts';

/** Leases without admission that one peer, or this process, may have. */
const MAX_LEASES = 4_096;
/** How long to wait for a place among calls that run, in milliseconds: nobody knows when one ends. */
const PLACE_MS = 1_000;

interface TakenWindow {
  readonly claim: LimitClaim;
  readonly window: SlidingWindow;
  readonly added: Added;
}

/** What one call has taken. */
export interface Lease {
  readonly id: string;
  readonly peer: string | null;
  readonly windows: readonly TakenWindow[];
  /** Keys of the places that it has among the calls that run. */
  readonly slots: readonly string[];
  readonly breakers: readonly { readonly claim: BreakerClaim; readonly breaker: CircuitBreaker }[];
}

/** What does not fit, and how long to wait; null: it never will. */
export interface Misfit {
  readonly which: number;
  readonly waitMs: number | null;
}

/**
 * What calls take of their limits, from the reservation to the end. INVARIANT: looking and taking are one step, in which nothing is
 * awaited, in the one process that owns the state: so exactly as many calls pass as may.
 */
export class CallLimits {
  readonly #counters: LimitCounters;
  readonly #times: Times;
  /** Leases whose call is not admitted, by holder. */
  readonly #waiting = new Map<Holder, Map<string, Lease>>();

  constructor(counters: LimitCounters, times: Times) {
    this.#counters = counters;
    this.#times = times;
  }

  /** @throws SallyportError KEEPER_BUSY */
  reserve(holder: Holder, reservation: Reservation): Lease | Misfit {
    const leases = this.#waiting.get(holder) ?? new Map<string, Lease>();
    if (leases.size >= MAX_LEASES) throw new SallyportError('KEEPER_BUSY', 'too many calls wait for their admission');
    const misfit = this.#misfit(holder, reservation);
    if (misfit !== null) return misfit;
    const lease = this.#take(holder, reservation);
    leases.set(lease.id, lease);
    this.#waiting.set(holder, leases);
    return lease;
  }

  /** The lease of a call that is admitted now. @throws SallyportError KEEPER_LOST for one that the holder does not have */
  use(holder: Holder, id: string): Lease {
    const lease = this.#remove(holder, id);
    if (lease === null) throw new SallyportError('KEEPER_LOST', 'what the call had reserved is gone: call again');
    return lease;
  }

  /** The call is not admitted: as if it had never been. */
  giveBack(holder: Holder, id: string): void {
    const lease = this.#remove(holder, id);
    if (lease !== null) this.#undo(lease);
  }

  /** The holder is gone: what it reserved and did not use is free. */
  release(holder: Holder): void {
    for (const lease of this.#waiting.get(holder)?.values() ?? []) this.#undo(lease);
    this.#waiting.delete(holder);
  }

  /** @throws SallyportError BYTES_LIMITED when the result of a call is more than what is left */
  checkResult({ windows, peer }: Lease, bytes: number): void {
    const now = this.#times.mono();
    for (const { claim } of windows) {
      if (claim.kind !== 'bytes' || bytes === 0) continue;
      const window = this.#counters.window(claim, peer);
      if (window.total(now) + bytes <= claim.max) continue;
      const left = Math.max(0, claim.max - window.total(now));
      throw new SallyportError('BYTES_LIMITED', `the result has ${bytes} bytes, and ${left} are left`);
    }
  }

  /** The call has ended; `use` is null where nobody knows how. */
  end(lease: Lease, use: CallUse | null): void {
    const now = this.#times.mono();
    for (const key of lease.slots) this.#counters.addRunning(key, -1);
    for (const { claim } of lease.windows) {
      if (claim.kind !== 'bytes' || use === null || use.bytes === 0) continue;
      // The one of now: a call may run for longer than a window that counts nothing is remembered.
      const window = this.#counters.window(claim, lease.peer);
      window.add(now, use.bytes);
      this.#counters.changed(claim, window);
    }
    for (const { claim, breaker } of lease.breakers) {
      if (use === null) breaker.left(lease);
      else breaker.ended(lease, use.failed, claim, now);
    }
  }

  /** The places of a call that was admitted by another process and may still run. */
  hold(slots: readonly string[]): Lease {
    for (const key of slots) this.#counters.addRunning(key, 1);
    return { id: newId('lease'), peer: null, windows: [], slots, breakers: [] };
  }

  saved(): Promise<void> {
    return this.#counters.saved();
  }

  #misfit({ peer }: Holder, { claims, breakers }: Reservation): Misfit | null {
    const now = this.#times.mono();
    for (const [which, claim] of claims.entries()) {
      const { kind, key, max, amount } = claim;
      if (kind === 'concurrent') {
        if (this.#counters.running(key) < max) continue;
        return { which, waitMs: PLACE_MS };
      }
      const window = this.#counters.window(claim, peer);
      // INVARIANT: fails closed. What is no number does not fit.
      if (!(window.total(now) + amount <= max)) return { which, waitMs: window.waitFor(now, amount, max) };
    }
    for (const [which, claim] of breakers.entries()) {
      const waitMs = this.#counters.breaker(claim, peer).waitMs(now);
      if (waitMs !== null) return { which: claims.length + which, waitMs };
    }
    return null;
  }

  #take({ peer }: Holder, { claims, breakers }: Reservation): Lease {
    const now = this.#times.mono();
    const windows: TakenWindow[] = [];
    const slots: string[] = [];
    for (const claim of claims) {
      if (claim.kind === 'concurrent') {
        this.#counters.addRunning(claim.key, 1);
        slots.push(claim.key);
        continue;
      }
      const window = this.#counters.window(claim, peer);
      windows.push({ claim, window, added: window.add(now, claim.amount) });
      this.#counters.changed(claim, window);
    }
    const passed = breakers.map((claim) => ({ claim, breaker: this.#counters.breaker(claim, peer) }));
    const lease: Lease = { id: newId('lease'), peer, windows, slots, breakers: passed };
    for (const { breaker } of passed) breaker.pass(lease);
    return lease;
  }

  #undo(lease: Lease): void {
    for (const { claim, window, added } of lease.windows) {
      window.takeBack(added);
      this.#counters.changed(claim, window);
    }
    for (const key of lease.slots) this.#counters.addRunning(key, -1);
    for (const { breaker } of lease.breakers) breaker.left(lease);
  }

  #remove(holder: Holder, id: string): Lease | null {
    const leases = this.#waiting.get(holder);
    const lease = leases?.get(id) ?? null;
    leases?.delete(id);
    if (leases?.size === 0) this.#waiting.delete(holder);
    return lease;
  }
}
