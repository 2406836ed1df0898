const FIRST_MS = 500;
const LONGEST_MS = 60_000;
/** What lived this long is taken for healthy: its next failure is the first one again. */
export const STEADY_MS = 60_000;

/**
 * Milliseconds to wait before the next attempt after `failures` in a row (1 or more): 0.5 s, doubled each time, 60 s at most,
 * of which a random half is taken off so that many who failed together do not come back together.
 */
export function backoffMs(failures: number, random: number = Math.random()): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(Math.max(failures, 1) - 1, 20));
  return Math.round(full / 2 + (full / 2) * random);
}
