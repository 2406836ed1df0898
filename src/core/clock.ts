/** Time as an argument, so that policy, log and limits can be tested at any hour. */
export interface Clock {
  /** Wall clock, milliseconds since the epoch; may jump. */
  now(): number;
  /** Monotonic, microseconds since an arbitrary start; never goes back. */
  mono(): number;
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  mono: () => Math.round(performance.now() * 1000),
});
