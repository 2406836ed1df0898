import { type Clock, SallyportError } from '../core/index.ts';
import type { SecretLimits } from './limits.ts';

/** Waits, or stops waiting when the signal says so. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>;

interface Waiting {
  readonly start: () => void;
}

/** How much is asked of one provider: so many fetches at once, so many a second, and so many that wait for their turn. */
export class ProviderGate {
  readonly #limits: SecretLimits;
  readonly #clock: Clock;
  readonly #wait: Wait;
  readonly #queue: Waiting[] = [];
  #running = 0;
  /** When the next fetch may start, in milliseconds of the monotonic clock. */
  #next = 0;

  constructor(limits: SecretLimits, clock: Clock, wait: Wait) {
    this.#limits = limits;
    this.#clock = clock;
    this.#wait = wait;
  }

  /**
   * Runs one fetch when its turn has come.
   * @throws SallyportError SECRET_THROTTLED when too many wait already
   */
  async run<T>(fetch: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    try {
      await this.#pace(signal);
      return await fetch();
    } finally {
      this.#running -= 1;
      this.#queue.shift()?.start();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running >= this.#limits.concurrency) await this.#stand(signal);
    this.#running += 1;
  }

  #stand(signal: AbortSignal): Promise<void> {
    if (this.#queue.length >= this.#limits.queue) {
      throw new SallyportError(
        'SECRET_THROTTLED',
        `more than ${this.#limits.queue} secrets of one provider are waited for`,
      );
    }
    return new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        start: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#queue.push(waiting);
    });
  }

  /** A burst of one second's worth may start at once; after it they start evenly. */
  async #pace(signal: AbortSignal): Promise<void> {
    const now = this.#clock.mono() / 1_000;
    const apart = 1_000 / this.#limits.ratePerSecond;
    this.#next = Math.max(this.#next, now - 1_000) + apart;
    if (this.#next > now) await this.#wait(this.#next - now, signal);
  }
}
