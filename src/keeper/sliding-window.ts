/** A window is kept in at most about so many slices: what comes close together ends together. */
const SLICES = 64;

/** Amounts that came so close together that they are kept as one. */
interface Slice {
  readonly first: number;
  last: number;
  sum: number;
}

/** An amount that was added, as it is taken back. */
export interface Added {
  readonly slice: object;
  readonly amount: number;
}

/**
 * How much came in the last `windowMs`, in bounded memory. Time is given, and never goes back.
 * INVARIANT: an amount counts for the whole window at least: slices make it count longer (by a 64th at most), never shorter.
 */
export class SlidingWindow {
  readonly windowMs: number;
  #slices: Slice[] = [];
  #total = 0;

  constructor(windowMs: number) {
    this.windowMs = windowMs;
  }

  /** What counts now. */
  total(now: number): number {
    let ended = 0;
    for (const { last, sum } of this.#slices) {
      if (last + this.windowMs > now) break;
      this.#total -= sum;
      ended += 1;
    }
    if (ended > 0) this.#slices = this.#slices.slice(ended);
    return this.#total;
  }

  add(now: number, amount: number): Added {
    this.total(now);
    let slice = this.#slices.at(-1);
    if (slice === undefined || now - slice.first >= this.windowMs / SLICES) {
      slice = { first: now, last: now, sum: 0 };
      this.#slices.push(slice);
    }
    slice.last = now;
    slice.sum += amount;
    this.#total += amount;
    return { slice, amount };
  }

  /** What has ended since is not there any more to be taken back. */
  takeBack({ slice, amount }: Added): void {
    const found = this.#slices.find((one) => one === slice);
    if (found === undefined) return;
    found.sum -= amount;
    this.#total -= amount;
  }

  /** How long until `amount` fits under `max`; null: never. */
  waitFor(now: number, amount: number, max: number): number | null {
    if (amount > max) return null;
    let left = this.total(now);
    for (const { last, sum } of this.#slices) {
      left -= sum;
      if (left + amount <= max) return Math.max(1, last + this.windowMs - now);
    }
    return 1;
  }

  /** First, last and sum of each slice, as ages at `now`. */
  save(now: number): number[][] {
    this.total(now);
    return this.#slices.map(({ first, last, sum }) => [now - first, now - last, sum]);
  }

  /** What was saved, `passed` milliseconds ago. */
  static load(windowMs: number, saved: readonly (readonly number[])[], now: number, passed: number): SlidingWindow {
    const window = new SlidingWindow(windowMs);
    for (const [first = 0, last = 0, sum = 0] of saved) {
      window.#slices.push({ first: now - passed - first, last: now - passed - last, sum });
      window.#total += sum;
    }
    return window;
  }
}
