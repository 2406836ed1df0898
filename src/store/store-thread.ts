import { Worker } from 'node:worker_threads';
import { SallyportError } from '../core/index.ts';
import type { Engine } from './engine.ts';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './worker-messages.ts';

/** Node 20 cannot run TypeScript in a thread: from source, the built one runs. */
const WORKER = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/store/sqlite-worker.js' : './sqlite-worker.js',
  import.meta.url,
);

/**
 * Starts the thread that has the file open.
 * @throws SallyportError with what opening met
 */
export async function startThread(start: WorkerStart): Promise<Engine> {
  const thread = new Worker(WORKER, { workerData: start, execArgv: [] });
  const talk = conversation(thread);
  try {
    await talk(null);
  } catch (error) {
    await thread.terminate();
    throw error;
  }
  return {
    async run(operations, now) {
      const answer = await talk({ kind: 'run', operations, now });
      if (answer.kind === 'done') return answer.outcomes;
      throw new SallyportError('STORE_FAILED', 'the thread of the store answered out of turn');
    },
    async close() {
      // A thread that has ended already, or cannot close, leaves nothing open when it is gone.
      await talk({ kind: 'close' }).catch(() => null);
      await thread.terminate();
    },
  };
}

/** Sends a request (null: listens only) and waits for its answer. While nothing is asked, the thread keeps no process alive. */
function conversation(thread: Worker): (request: WorkerRequest | null) => Promise<WorkerAnswer> {
  let settle: ((answer: WorkerAnswer) => void) | null = null;
  let ended: WorkerAnswer | null = null;
  const receive = (answer: WorkerAnswer): void => settle?.(answer);
  const end = (message: string): void => {
    ended ??= { kind: 'failed', code: 'STORE_FAILED', message };
    receive(ended);
  };
  thread.on('message', receive);
  thread.on('error', (error) => end(`the thread of the store broke: ${error.message}`));
  thread.on('exit', () => end('the thread of the store has ended'));
  return async (request) => {
    thread.ref();
    try {
      const answer = await new Promise<WorkerAnswer>((resolve) => {
        settle = resolve;
        if (ended !== null) resolve(ended);
        else if (request !== null) thread.postMessage(request);
      });
      if (answer.kind === 'failed') throw new SallyportError(answer.code, answer.message);
      return answer;
    } finally {
      settle = null;
      thread.unref();
    }
  };
}
