import { isJsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Store } from '../store/index.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { BreakerClaim, LimitClaim } from './limit-messages.ts';
import { SlidingWindow } from './sliding-window.ts';
import { unreadable } from './state-table.ts';

/** Counts that are kept at a time, and those that one peer may cause. Over them: KEEPER_BUSY, so that nothing goes uncounted. */
const MAX_COUNTERS = 65_536;
const MAX_OF_PEER = 16_384;
/** How often idle ones are looked for, when there is no room and anyway, in milliseconds. */
const SWEEP_MS = 1_000;
const TIDY_MS = 60_000;
const SPACE = 'limit';
const PAGE = 1_000;

interface Entry<T> {
  readonly value: T;
  readonly peer: string | null;
  readonly isIdle: (now: number) => boolean;
}

/** The counts by their keys. Windows outlive the process, in the store. State: owned here. */
export class LimitCounters {
  readonly #store: Store;
  readonly #windows = new Map<string, Entry<SlidingWindow>>();
  readonly #breakers = new Map<string, Entry<CircuitBreaker>>();
  readonly #slots = new Map<string, number>();
  readonly #dirty = new Map<string, SlidingWindow>();
  readonly #times: Times;
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #sweptAt = Number.NEGATIVE_INFINITY;

  private constructor(store: Store, times: Times) {
    this.#store = store;
    this.#times = times;
  }

  /** With what the store holds. Time that no keeper ran is what the wall clock says it was. */
  static async open(store: Store, times: Times): Promise<LimitCounters> {
    const counters = new LimitCounters(store, times);
    for (let after: string | null = ''; after !== null; ) {
      const page = await store.list(SPACE, { limit: PAGE, ...(after === '' ? {} : { after }) });
      for (const { key, value } of page.entries) counters.#load(key, value);
      after = page.next;
    }
    return counters;
  }

  /** @throws SallyportError KEEPER_BUSY */
  window({ kind, key, windowMs }: LimitClaim, peer: string | null): SlidingWindow {
    const make = (): SlidingWindow => new SlidingWindow(windowMs);
    const isIdle = (window: SlidingWindow, now: number): boolean => window.total(now) === 0;
    return this.#in(this.#windows, `${kind}-${windowMs}-${key}`, { peer, make, isIdle });
  }

  /** @throws SallyportError KEEPER_BUSY */
  breaker({ key, withinMs }: BreakerClaim, peer: string | null): CircuitBreaker {
    const isIdle = (breaker: CircuitBreaker, now: number): boolean => breaker.isIdle(now, withinMs);
    return this.#in(this.#breakers, key, { peer, make: () => new CircuitBreaker(), isIdle });
  }

  /** Calls that run just now. */
  running(key: string): number {
    return this.#slots.get(key) ?? 0;
  }

  addRunning(key: string, change: 1 | -1): void {
    const count = this.running(key) + change;
    if (count > 0) this.#slots.set(key, count);
    else this.#slots.delete(key);
  }

  /** That a window changed and is to be written. */
  changed(claim: LimitClaim, window: SlidingWindow): void {
    this.#dirty.set(`${claim.kind}-${claim.windowMs}-${claim.key}`, window);
    if (this.#next === null) this.saved().catch(() => undefined); // whoever relies on it waits, and hears of it
  }

  /** Resolves when everything that changed before is durable. @throws SallyportError the codes of the store */
  saved(): Promise<void> {
    if (this.#dirty.size === 0) return this.#writing;
    this.#next ??= this.#writing.catch(() => undefined).then(() => this.#write());
    return this.#next;
  }

  #write(): Promise<void> {
    this.#next = null;
    this.#sweep(TIDY_MS);
    const batch = [...this.#dirty];
    this.#dirty.clear();
    const [now, at] = [this.#times.mono(), this.#times.wall()];
    const writes = batch.map(([name, window]) => {
      return this.#store.put(SPACE, name, { at, slices: window.save(now) });
    });
    this.#writing = Promise.all(writes).then(
      () => undefined,
      (error: unknown) => {
        for (const [name, window] of batch) this.#dirty.set(name, window);
        throw error;
      },
    );
    return this.#writing;
  }

  #in<T>(
    map: Map<string, Entry<T>>,
    name: string,
    { peer, make, isIdle }: { peer: string | null; make: () => T; isIdle: (value: T, now: number) => boolean },
  ): T {
    const known = map.get(name);
    if (known !== undefined) return known.value;
    if (this.#isFull(peer)) this.#sweep(SWEEP_MS);
    if (this.#isFull(peer)) throw new SallyportError('KEEPER_BUSY', 'too many limits are counted');
    const value = make();
    map.set(name, { value, peer, isIdle: (now) => isIdle(value, now) });
    return value;
  }

  #isFull(peer: string | null): boolean {
    const size = this.#windows.size + this.#breakers.size;
    if (peer === null || size < MAX_OF_PEER) return size >= MAX_COUNTERS;
    let own = 0;
    for (const map of [this.#windows, this.#breakers]) for (const entry of map.values()) if (entry.peer === peer) own++;
    return own >= MAX_OF_PEER || size >= MAX_COUNTERS;
  }

  /** Forgets what counts nothing, here and in the store: a time to expire there would be told by a clock that can jump. */
  #sweep(everyMs: number): void {
    const now = this.#times.mono();
    if (now - this.#sweptAt < everyMs) return;
    this.#sweptAt = now;
    for (const [name, { isIdle }] of this.#breakers) if (isIdle(now)) this.#breakers.delete(name);
    for (const [name, { isIdle }] of this.#windows) {
      if (!isIdle(now)) continue;
      this.#windows.delete(name);
      this.#dirty.delete(name);
      this.#store.delete(SPACE, name).catch(() => undefined); // counts nothing there either; the next process tries again
    }
  }

  #load(name: string, value: JsonValue): void {
    const windowMs = Number(/^[a-z]+-([0-9]+)-/.exec(name)?.[1]);
    const { at, slices } = isJsonObject(value) ? value : {};
    if (!Number.isFinite(windowMs) || typeof at !== 'number' || !Array.isArray(slices)) throw unreadable(SPACE);
    const passed = Math.max(0, this.#times.wall() - at);
    const read = slices.map((slice) => (Array.isArray(slice) ? slice.map(Number) : []));
    const window = SlidingWindow.load(windowMs, read, this.#times.mono(), passed);
    const isIdle = (now: number): boolean => window.total(now) === 0;
    this.#windows.set(name, { value: window, peer: null, isIdle });
  }
}

/** Both in milliseconds: `mono` never goes back and never jumps; `wall` is for what is written, and for people. */
export interface Times {
  mono(): number;
  wall(): number;
}
