import { availableParallelism } from 'node:os';
import { SallyportError } from '../core/index.ts';

/** Lets some starts go on at once; the others wait for their turn, first come, first served. */
export interface StartTurns {
  /**
   * Runs `start` when it is its turn. Where this rejects for another reason than that of `start`, it was not called.
   * @throws what `start` throws, the reason of the signal, SallyportError SANDBOX_FAILED when this is closed
   */
  run<T>(start: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Sends everybody away who waits, and who comes. Starts that go on are not waited for. */
  close(): void;
}

/** Somebody who waits. */
interface Waiting {
  readonly enter: () => void;
  readonly leave: (reason: unknown) => void;
}

/**
 * State: who starts and who waits, owned here. A start is work of the processor: of hundreds at once none would be there before its
 * time is over. `eachCore`: how many go on for each core of the machine.
 */
export function openStartTurns(eachCore: number): StartTurns {
  const most = eachCore * availableParallelism();
  const waiting = new Set<Waiting>();
  let [running, isClosed] = [0, false];
  const turn = async (signal: AbortSignal | undefined): Promise<void> => {
    signal?.throwIfAborted();
    if (isClosed) throw closedError();
    // INVARIANT: a turn is handed on, and never free while somebody waits: nobody is passed over.
    if (running === most) await waitIn(waiting, signal);
    else running += 1;
  };
  const handOn = (): void => {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else next.enter();
  };
  return {
    run: async (start, signal) => {
      await turn(signal);
      try {
        return await start();
      } finally {
        handOn();
      }
    },
    close: () => {
      isClosed = true;
      for (const one of waiting) one.leave(closedError());
    },
  };
}

function waitIn(waiting: Set<Waiting>, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      waiting.delete(one);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const one: Waiting = {
      enter: () => settle(resolve),
      leave: (reason) => settle(() => reject(reason)),
    };
    const onAbort = (): void => one.leave(signal?.reason);
    waiting.add(one);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const closedError = (): SallyportError => new SallyportError('SANDBOX_FAILED', 'the sandboxes are closed');
