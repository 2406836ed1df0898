import type { JsonValue } from '../core/index.ts';

/** The named limits of a store; over them: STORE_REQUEST, for values INPUT_TOO_LARGE. Bytes are those of UTF-8. */
export interface StoreLimits {
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly valueDepth: number;
  /** Entries of one page of `list`; a page ends earlier when its values reach `pageBytes`. */
  readonly pageEntries: number;
  readonly pageBytes: number;
  readonly batchWrites: number;
  /** Operations that wait for the disk, and the bytes of what they write; over them: STORE_BUSY. */
  readonly waiting: number;
  readonly waitingBytes: number;
}

export const STORE_LIMITS: StoreLimits = Object.freeze({
  keyBytes: 512,
  valueBytes: 262_144,
  valueDepth: 64,
  pageEntries: 1_000,
  pageBytes: 1_048_576,
  batchWrites: 256,
  waiting: 10_000,
  waitingBytes: 67_108_864,
});

/** When an entry ends: milliseconds since the epoch. Without it, it stays. */
export interface Expiry {
  readonly expiresAt?: number;
}

export interface StoreEntry {
  readonly key: string;
  readonly value: JsonValue;
}

/** A part of a space in the order of its keys. `next` is what to give as `after` for the following page; null at the end. */
export interface StorePage {
  readonly entries: readonly StoreEntry[];
  readonly next: string | null;
}

/** One write of a batch, with the meaning of the method of the same name. */
export type StoreWrite =
  | {
      readonly kind: 'put';
      readonly space: string;
      readonly key: string;
      readonly value: JsonValue;
      readonly expiresAt?: number;
    }
  | { readonly kind: 'delete'; readonly space: string; readonly key: string }
  | { readonly kind: 'claim'; readonly space: string; readonly key: string; readonly expiresAt: number }
  | {
      readonly kind: 'add';
      readonly space: string;
      readonly key: string;
      readonly amount: number;
      readonly expiresAt?: number;
    }
  | {
      readonly kind: 'compareAndSet';
      readonly space: string;
      readonly key: string;
      readonly expected: JsonValue;
      readonly value: JsonValue;
      readonly expiresAt?: number;
    };

/**
 * What the keeper remembers besides its log: grants, nonces, counters, labels. Values are strict JSON other than null, at most
 * 256 KiB; spaces are `[a-z-]{1,32}`; keys are well-formed text without U+0000, 1 to 512 bytes, ordered by their bytes.
 *
 * Every method rejects with a SallyportError: STORE_REQUEST and INPUT_* for what is outside these limits; STORE_CLOSED after
 * `close`; STORE_BUSY when too much waits; STORE_FULL when there is no space, and then nothing of it was written; STORE_FAILED
 * or STORE_CORRUPT when the disk let it down, from then on until it is opened anew. A write that resolves is durable. One that
 * rejects was not acknowledged: after a crash it may be there or not, so whoever asked acts as if it had been refused.
 *
 * Time is the store's: the highest that its clock ever told it, kept over restarts with every write and with every read that
 * met an expired entry. So what was once treated as expired stays so when the clock steps back. An entry is expired when that
 * time has reached its `expiresAt`.
 */
export interface Store {
  /** The value, or null when there is none or it is expired. */
  get(space: string, key: string): Promise<JsonValue | null>;
  /** Replaces value and expiry. */
  put(space: string, key: string, value: JsonValue, options?: Expiry): Promise<void>;
  /** True when there was an unexpired value. Claims are out of its reach. */
  delete(space: string, key: string): Promise<boolean>;
  /** Unexpired entries behind `after` (all without it), sorted by key; `limit` from 1 to 1,000. Claims are not listed. */
  list(space: string, options: { readonly after?: string; readonly limit: number }): Promise<StorePage>;
  /**
   * True exactly once for a key until its expiry has passed: for nonces and for grants that hold once. Claims are a table of
   * their own, so that no other method can make one free again. What is expired already is not granted: false, since it may
   * have been claimed and forgotten. Whoever claims takes `expiresAt` from what was verified, not from the caller's wish.
   *
   * @throws SallyportError STORE_CLOCK when the key is unexpired only because the clock has stepped back
   */
  claim(space: string, key: string, expiresAt: number): Promise<boolean>;
  /**
   * Adds to a counter, from 0 if there is none, and returns its new value. `expiresAt` counts when the counter begins;
   * additions leave it as it is.
   *
   * @throws SallyportError STORE_REQUEST when the value is not a counter or would leave the safe integers
   */
  add(space: string, key: string, amount: number, options?: Expiry): Promise<number>;
  /** Replaces the value if it equals `expected` as JSON (null: there is none). False, and nothing done, otherwise. */
  compareAndSet(
    space: string,
    key: string,
    expected: JsonValue | null,
    value: JsonValue,
    options?: Expiry,
  ): Promise<boolean>;
  /** All writes in order, or none: false when a claim or a comparison among them does not hold. At most 256. */
  batch(writes: readonly StoreWrite[]): Promise<boolean>;
  /**
   * Forgets what is expired at `now` (milliseconds since the epoch, never beyond the store's own time) in steps, between which
   * other operations run, and returns how many entries and claims that were.
   */
  sweep(now: number): Promise<number>;
  /** Waits for what was asked before, then lets the file go. Idempotent. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
