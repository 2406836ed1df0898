import type { SallyportError } from '../core/index.ts';
import type { Entry } from './entry.ts';
import { oneAtATime } from './one-at-a-time.ts';

/** Bytes that one flush takes (and one record more), and that may wait for one. */
const BATCH_BYTES = 4_194_304;
const QUEUE_BYTES = 134_217_728;

/** How long an entry that nobody waits for may wait for company, in milliseconds. */
const LINGER_MS = 5;

/** What a group commit hands its batches to. */
export interface GroupCommitSink {
  /** Settles when another batch may be written. */
  room(): Promise<unknown>;
  /** Returns when the entries are on the disk. */
  write(entries: readonly Entry[]): Promise<void>;
  /** The entries are durable; runs before anybody hears of it. */
  written(entries: readonly Entry[]): void;
  failed(error: unknown): void;
}

interface Waiting {
  readonly entry: Entry;
  readonly bytes: number;
  resolve(): void;
  reject(error: SallyportError): void;
}

/** Makes entries durable in batches: all that wait share one write and one flush of the disk. */
export class GroupCommit {
  readonly #sink: GroupCommitSink;
  readonly #turn: ReturnType<typeof oneAtATime> = oneAtATime();
  #queue: Waiting[] = [];
  #queuedBytes = 0;
  #scheduled = false;
  #lingering: NodeJS.Timeout | null = null;
  #stopped: SallyportError | null = null;
  #last: Promise<void> = Promise.resolve();

  constructor(sink: GroupCommitSink) {
    this.#sink = sink;
  }

  /** The disk is so far behind that no more may wait. */
  get full(): boolean {
    return this.#queuedBytes > QUEUE_BYTES;
  }

  /**
   * Queues an entry; settles when it is durable, rejects when the commit was stopped before. `soon`: nobody waits for it, so
   * that it shares the flush of the next entry that somebody waits for, or has one of its own after {@link LINGER_MS}.
   */
  add(entry: Entry, when: 'now' | 'soon' = 'now'): Promise<void> {
    const bytes = entry.payloads.reduce((sum, { value }) => sum + value.length, entry.bytes.length);
    this.#last = new Promise<void>((resolve, reject) => {
      this.#queue.push({ entry, bytes, resolve, reject });
    });
    this.#queuedBytes += bytes;
    if (when === 'now' || this.#queuedBytes > BATCH_BYTES) this.#schedule();
    else this.#lingering ??= setTimeout(() => this.#schedule(), LINGER_MS);
    return this.#last;
  }

  /** Settles when all that was added so far is durable. */
  flush(): Promise<void> {
    if (this.#queue.length > 0) this.#schedule();
    return this.#last;
  }

  /** Runs a task while no batch is being written. */
  between<T>(task: () => Promise<T>): Promise<T> {
    return this.#turn(task);
  }

  /** Refuses everything that waits, and goes on with what is added later. */
  drop(error: SallyportError): void {
    const refused = this.#queue;
    this.#queue = [];
    this.#queuedBytes = 0;
    for (const waiting of refused) waiting.reject(error);
  }

  /** Refuses everything that waits. What is added later waits forever: the caller refuses it. */
  stop(error: SallyportError): void {
    this.#stopped ??= error;
    this.drop(error);
  }

  /** The batch begins after the callbacks that are due now, so that what they add shares it. */
  #schedule(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    if (this.#scheduled || this.#stopped !== null) return;
    this.#scheduled = true;
    setImmediate(() => void this.#commit());
  }

  async #commit(): Promise<void> {
    try {
      await this.#sink.room();
      await this.#turn(() => this.#writeBatch());
    } catch (error) {
      this.#sink.failed(error);
    }
    this.#scheduled = false;
    if (this.#queue.length > 0) this.#schedule();
  }

  async #writeBatch(): Promise<void> {
    const batch = this.#take();
    if (batch.length === 0) return;
    const entries = batch.map(({ entry }) => entry);
    try {
      await this.#sink.write(entries);
    } catch (error) {
      this.#queue = [...batch, ...this.#queue];
      throw error;
    }
    this.#sink.written(entries);
    for (const waiting of batch) waiting.resolve();
  }

  #take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#queue) {
      if (bytes > BATCH_BYTES) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.#queuedBytes -= bytes;
    return this.#queue.splice(0, count);
  }
}
