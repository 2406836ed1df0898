/** A row as it lies in a table; the value is canonical JSON text. Expiry in milliseconds since the epoch; null: never. */
export interface Row {
  readonly key: string;
  readonly value: string;
  readonly expires: number | null;
}

/**
 * What an engine has to bring: rows, without a thought about time. What operations mean is said once, in `apply.ts`, for every
 * engine. Synchronous: a transaction is open around the calls.
 */
export interface Table {
  entry(space: string, key: string): Row | null;
  putEntry(space: string, row: Row): void;
  deleteEntry(space: string, key: string): void;
  /** The expiry of a claim, or null when there is none. */
  claim(space: string, key: string): number | null;
  putClaim(space: string, key: string, expires: number): void;
  /** At most `count` rows behind the key `after` (all keys are behind ''), ordered by the bytes of their keys. */
  scan(space: string, after: string, count: number): readonly Row[];
  /** Deletes at most `count` entries and claims whose expiry is `time` or earlier, and returns how many. */
  forget(time: number, count: number): number;
  /** Runs `attempt`; undoes what it wrote when it throws or returns false. */
  undoable(attempt: () => boolean): boolean;
}
