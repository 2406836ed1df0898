import { type Clock, SallyportError } from '../core/index.ts';
import type { Journal } from './journal.ts';

/** Spent keys that have not expired. */
const MAX_KEYS = 1_000_000;
/** Bytes of a space or a key. */
const MAX_NAME_BYTES = 1_024;
/** How long after its expiry a key is remembered, in milliseconds: a clock may step back this far and nothing is refused. */
const REMEMBERED_MS = 3_600_000;
/** Claims between two looks at what can be forgotten. */
const SWEEP_EVERY = 10_000;
const PREFIX = 'spent/';
const HORIZON = 'spent-horizon';

/**
 * Keys that can be used once (nonces, grants), over restarts.
 * INVARIANT: a key that was spent is remembered, or its expiry lies at or before the horizon, and no key that expires there
 * is accepted. So it does not matter what the clock says when it is presented again with the expiry it had.
 */
export class SpentKeys {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #expiries = new Map<string, number>();
  #horizon: number;
  #sinceSweep = 0;

  constructor(journal: Journal, clock: Clock) {
    this.#journal = journal;
    this.#clock = clock;
    const horizon = journal.get(HORIZON);
    this.#horizon = typeof horizon === 'number' ? horizon : Number.NEGATIVE_INFINITY;
    for (const [name, value] of journal.entries()) {
      // Unreadable means spent for ever: nothing is opened by a damaged value.
      if (name.startsWith(PREFIX))
        this.#expiries.set(name, typeof value === 'number' ? value : Number.MAX_SAFE_INTEGER);
    }
  }

  /** @throws SallyportError KEEPER_BUSY, INPUT_TOO_LARGE, INPUT_NUMBER_RANGE */
  async claim(space: string, key: string, expiresAt: number): Promise<boolean> {
    const name = nameOf(space, key);
    if (!Number.isSafeInteger(expiresAt)) throw new SallyportError('INPUT_NUMBER_RANGE', 'an expiry is a whole number');
    if (this.#expiries.has(name) || expiresAt <= this.#horizon || expiresAt <= this.#clock.now()) return false;
    this.#sweepIfDue();
    if (this.#expiries.size >= MAX_KEYS) throw new SallyportError('KEEPER_BUSY', 'too many keys are spent');
    this.#expiries.set(name, expiresAt);
    await this.#journal.put(name, expiresAt);
    return true;
  }

  #sweepIfDue(): void {
    this.#sinceSweep += 1;
    if (this.#sinceSweep < SWEEP_EVERY && this.#expiries.size < MAX_KEYS) return;
    this.#sinceSweep = 0;
    const before = this.#clock.now() - REMEMBERED_MS;
    const old = [...this.#expiries].filter(([, expiry]) => expiry < before);
    if (old.length === 0) return;
    this.#horizon = old.reduce((latest, [, expiry]) => Math.max(latest, expiry), this.#horizon);
    // First the horizon, then what lies before it: the file keeps the order. Failures stop the journal.
    this.#journal.put(HORIZON, this.#horizon).catch(() => undefined);
    for (const [name] of old) {
      this.#expiries.delete(name);
      this.#journal.delete(name).catch(() => undefined);
    }
  }
}

function nameOf(space: string, key: string): string {
  const name = `${PREFIX}${JSON.stringify([space, key])}`;
  if (Buffer.byteLength(space) <= MAX_NAME_BYTES && Buffer.byteLength(key) <= MAX_NAME_BYTES) return name;
  throw new SallyportError('INPUT_TOO_LARGE', `a space and a key have at most ${MAX_NAME_BYTES} bytes each`);
}
