/** The time of one group of operations. */
export interface StoreTime {
  /** What the clock says now, milliseconds since the epoch. */
  readonly clock: number;
  /** The highest time ever seen. */
  readonly highest: number;
  /** True when `expires` has come. Whoever relies on that wants it remembered: see `relied`. */
  passed(expires: number | null): boolean;
  /** True once an operation was told that something has passed. */
  relied(): boolean;
}

/**
 * INVARIANT: what was once treated as expired stays expired, also for a later process whose clock runs behind: a group that
 * wrote, or relied on the passing of time, stores `highest` in its own transaction.
 */
export function storeTime(clock: number, seen: number): StoreTime {
  const highest = Math.max(clock, seen);
  let relied = false;
  const passed = (expires: number | null): boolean => {
    if (expires === null || expires > highest) return false;
    relied = true;
    return true;
  };
  return { clock, highest, passed, relied: () => relied };
}
