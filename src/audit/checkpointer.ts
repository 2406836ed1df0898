import { SallyportError } from '../core/index.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import type { Entry } from './entry.ts';
import { oneAtATime } from './one-at-a-time.ts';
import type { Publisher } from './publisher.ts';

/** Bytes of durable entries that may wait for a checkpoint before the log waits for it too. */
const UNPUBLISHED_BYTES = 67_108_864;

export interface CheckpointerParts {
  readonly publisher: Publisher;
  /** Milliseconds between checkpoints while records arrive. */
  readonly everyMs: number;
  /** Between two batches: takes what is durable and begins a new write-ahead segment; `finished` is the one before. */
  rotate(take: () => readonly Entry[]): Promise<{ entries: readonly Entry[]; finished: string }>;
  /** Removes segments that a checkpoint covers. */
  drop(segments: readonly string[]): Promise<void>;
  failed(error: unknown): void;
}

/** Brings durable entries under a signed checkpoint, at most each `everyMs` and whenever asked. */
export class Checkpointer {
  readonly #parts: CheckpointerParts;
  readonly #turn: ReturnType<typeof oneAtATime> = oneAtATime();
  #entries: Entry[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | null = null;
  /** INVARIANT: nothing is published after a failure. */
  #stopped = false;

  constructor(parts: CheckpointerParts) {
    this.#parts = parts;
  }

  get checkpoint(): SignedCheckpoint {
    return this.#parts.publisher.checkpoint;
  }

  /** Takes durable entries. The timer does not keep the process alive: what is durable needs no checkpoint to survive. */
  add(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.payloads.reduce((sum, { value }) => sum + value.length, entry.bytes.length);
    }
    if (!this.#stopped) this.#timer ??= setTimeout(() => void this.#onTimer(), this.#parts.everyMs).unref();
  }

  /** Settles when another batch may become durable: memory must not grow because checkpoints are slow. */
  async room(): Promise<void> {
    if (this.#bytes > UNPUBLISHED_BYTES && !this.#stopped) await this.publish();
  }

  /** Signs a checkpoint over all that is durable. */
  publish(): Promise<SignedCheckpoint> {
    this.#clearTimer();
    return this.#turn(() => this.#publish());
  }

  /** No checkpoint is signed from here on. */
  stop(): void {
    this.#stopped = true;
    this.#clearTimer();
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #onTimer(): Promise<void> {
    try {
      await this.publish();
    } catch (error) {
      this.#parts.failed(error);
    }
  }

  async #publish(): Promise<SignedCheckpoint> {
    if (this.#stopped) throw new SallyportError('AUDIT_WRITE_FAILED', 'the log has stopped');
    if (this.#entries.length === 0) return this.checkpoint;
    try {
      const { entries, finished } = await this.#parts.rotate(() => this.#takeAll());
      const checkpoint = await this.#parts.publisher.publish(entries);
      await this.#parts.drop([finished]);
      return checkpoint;
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  #takeAll(): readonly Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    return entries;
  }
}
