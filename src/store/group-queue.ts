import { isSallyportError, SallyportError } from '../core/index.ts';
import type { Answer } from './apply.ts';
import { type Engine, unwrap } from './engine.ts';
import { type Operation, sizeOf } from './operation.ts';
import { STORE_LIMITS } from './store.ts';

/** Operations of one group: bounds how long a transaction is, and what one message to a worker holds. */
const GROUP_OPERATIONS = 512;

/** Group commit: what is asked while a group is being written goes together into the next one. */
export interface GroupQueue {
  /** @throws SallyportError STORE_CLOSED, STORE_BUSY, and what the engine or the operation refuses */
  ask(operation: Operation): Promise<Answer>;
  /** Waits for what was asked before, then closes the engine. Idempotent. */
  close(): Promise<void>;
}

interface Asked {
  readonly operation: Operation;
  readonly bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/** `now`: the clock, milliseconds since the epoch; read once for each group. */
export function groupQueue(engine: Engine, now: () => number): GroupQueue {
  let waiting: Asked[] = [];
  let bytes = 0;
  let running: Promise<void> | null = null;
  let closing: Promise<void> | null = null;
  /** INVARIANT: after the disk failed, nothing reaches the engine any more. */
  let failure: SallyportError | null = null;

  async function runAll(): Promise<void> {
    // One turn of the event loop, so that callers of the same turn share the first transaction.
    await new Promise<void>((resolve) => setImmediate(resolve));
    while (waiting.length > 0) {
      const group = waiting.slice(0, GROUP_OPERATIONS);
      waiting = waiting.slice(GROUP_OPERATIONS);
      bytes -= group.reduce((sum, asked) => sum + asked.bytes, 0);
      await runGroup(group);
    }
    running = null;
  }

  async function runGroup(group: readonly Asked[]): Promise<void> {
    try {
      if (failure !== null) throw failure;
      const outcomes = await engine.run(
        group.map((asked) => asked.operation),
        now(),
      );
      group.forEach((asked, at) => {
        settle(asked, () => unwrap(outcomes[at]));
      });
    } catch (error) {
      const known = isSallyportError(error)
        ? error
        : new SallyportError('STORE_FAILED', String(error), { cause: error });
      if (known.code !== 'STORE_FULL') failure ??= known;
      for (const asked of group) asked.reject(known);
    }
  }

  function ask(operation: Operation): Promise<Answer> {
    const size = sizeOf(operation);
    if (closing !== null) return Promise.reject(new SallyportError('STORE_CLOSED', 'the store is closed'));
    if (failure !== null) return Promise.reject(failure);
    if (waiting.length >= STORE_LIMITS.waiting || bytes + size > STORE_LIMITS.waitingBytes) {
      return Promise.reject(new SallyportError('STORE_BUSY', 'too many operations wait for the disk'));
    }
    bytes += size;
    return new Promise((resolve, reject) => {
      waiting.push({ operation, bytes: size, resolve, reject });
      running ??= runAll();
    });
  }

  async function closeOnce(): Promise<void> {
    await running;
    await engine.close();
  }

  return {
    ask,
    close() {
      closing ??= closeOnce();
      return closing;
    },
  };
}

function settle(asked: Asked, read: () => Answer): void {
  try {
    asked.resolve(read());
  } catch (error) {
    asked.reject(error);
  }
}
