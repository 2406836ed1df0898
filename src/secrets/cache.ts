import type { SallyportError } from '../core/index.ts';
import { disposeSecret, type SecretHandle } from './handle.ts';
import type { SecretLimits } from './limits.ts';

/** A value that was fetched: the cache's own handle, never given out. */
export interface CacheEntry {
  readonly handle: SecretHandle;
  readonly version: string | null;
  /** Milliseconds of the monotonic clock. */
  readonly since: number;
  /** The number of the fetch. */
  readonly fetch: number;
}

/** A fetch that failed, and until when nobody tries again. */
export interface Failed {
  readonly error: SallyportError;
  readonly until: number;
  /** Failures in a row. */
  readonly times: number;
}

interface Slot {
  entry: CacheEntry | null;
  failed: Failed | null;
  /** The value was refused where it was used: no more of it. */
  refused: boolean;
}

export type Look =
  | { readonly kind: 'fresh'; readonly entry: CacheEntry }
  | { readonly kind: 'failed'; readonly failed: Failed }
  | { readonly kind: 'fetch' };

/** How long after a fetch a refusal does not cause another: an upstream that refuses everything must cost no storm. */
const REFETCH_MS = 5_000;

/** Values and failures by reference, both for a while; the value used longest ago makes room, and what leaves is wiped. */
export class SecretCache {
  readonly #limits: SecretLimits;
  readonly #now: () => number;
  readonly #slots = new Map<string, Slot>();
  /** Which fetch a handle that was given out came from. */
  readonly #origins = new WeakMap<SecretHandle, number>();

  constructor(limits: SecretLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  look(key: string): Look {
    const slot = this.#slots.get(key);
    if (slot === undefined) return { kind: 'fetch' };
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    if (slot.entry !== null && !slot.refused && this.#age(slot.entry) < this.#limits.ttlMs)
      return { kind: 'fresh', entry: slot.entry };
    if (slot.failed !== null && this.#now() < slot.failed.until) return { kind: 'failed', failed: slot.failed };
    return { kind: 'fetch' };
  }

  /** A value that is too old to be fresh, and not too old to be used while its provider cannot answer. */
  stale(key: string): CacheEntry | null {
    const slot = this.#slots.get(key);
    if (slot === undefined || slot.entry === null || slot.refused) return null;
    return this.#age(slot.entry) < this.#limits.ttlMs + this.#limits.staleMs ? slot.entry : null;
  }

  failure(key: string): Failed | null {
    return this.#slots.get(key)?.failed ?? null;
  }

  keep(key: string, entry: CacheEntry): void {
    this.#wipe(this.#slots.get(key));
    this.#put(key, { entry, failed: null, refused: false });
  }

  /** A failure that passes leaves the value; one that is an answer (none, deleted, denied) takes it away. */
  fail(key: string, error: SallyportError, passes: boolean): void {
    const slot = this.#slots.get(key);
    const times = (slot?.failed?.times ?? 0) + 1;
    const { backoffMs, backoffMaxMs, negativeMs } = this.#limits;
    const pause = passes ? Math.min(backoffMs * 2 ** Math.min(times - 1, 30), backoffMaxMs) : negativeMs;
    if (!passes) this.#wipe(slot);
    const failed = { error, times, until: this.#now() + pause };
    this.#put(key, { entry: passes ? (slot?.entry ?? null) : null, failed, refused: slot?.refused ?? false });
  }

  remember(handle: SecretHandle, entry: CacheEntry): void {
    this.#origins.set(handle, entry.fetch);
  }

  invalidate(key: string, handle: SecretHandle): boolean {
    const slot = this.#slots.get(key);
    const origin = this.#origins.get(handle);
    if (slot === undefined || slot.entry === null || origin !== slot.entry.fetch) return origin !== undefined;
    if (this.#age(slot.entry) < REFETCH_MS) return false;
    slot.refused = true;
    return true;
  }

  clear(): void {
    for (const slot of this.#slots.values()) this.#wipe(slot);
    this.#slots.clear();
  }

  #put(key: string, slot: Slot): void {
    this.#slots.delete(key);
    this.#slots.set(key, slot);
    for (const [oldest, held] of this.#slots) {
      if (this.#slots.size <= this.#limits.cacheEntries) return;
      this.#wipe(held);
      this.#slots.delete(oldest);
    }
  }

  #wipe(slot: Slot | undefined): void {
    if (slot === undefined || slot.entry === null) return;
    disposeSecret(slot.entry.handle);
    slot.entry = null;
  }

  #age(entry: CacheEntry): number {
    return this.#now() - entry.since;
  }
}
