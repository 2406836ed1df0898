import type { Clock } from '../core/index.ts';

/**
 * Wall-clock time that never goes back and never stands: the highest of what the clock says, of what it said before plus the
 * time that has passed since, and of what is known from records. A clock that jumps ahead ends things early; one that jumps
 * back prolongs nothing.
 */
export class SteadyTime {
  readonly #clock: Clock;
  #wall: number;
  #mono: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#wall = clock.now();
    this.#mono = clock.mono();
  }

  /** Milliseconds since the epoch. */
  now(): number {
    const mono = this.#clock.mono();
    const passed = this.#wall + (mono - this.#mono) / 1_000;
    this.#wall = Math.max(passed, this.#clock.now());
    this.#mono = mono;
    return Math.floor(this.#wall);
  }

  /** That it is at least so late. */
  atLeast(time: number): void {
    this.#wall = Math.max(this.#wall, time);
  }
}
