import { parentPort, workerData } from 'node:worker_threads';
import { SallyportError } from '../core/index.ts';
import { openSqliteEngine, type SqliteEngine } from './sqlite-engine.ts';
import { sqliteError } from './sqlite-error.ts';
import type { WorkerAnswer, WorkerRequest, WorkerStart } from './worker-messages.ts';

/**
 * The thread that has the file open: SQLite is synchronous, and a disk that takes its time must not hold the gate up. Runs one
 * group at a time; ends after `close`, or after a failure other than a full disk.
 */
const port = parentPort;
const { file, maxBytes }: WorkerStart = workerData;

function answer(message: WorkerAnswer): void {
  port?.postMessage(message);
}

function failed(error: unknown): void {
  const { code, message } = sqliteError(error, file);
  answer({ kind: 'failed', code, message });
}

function serve(engine: SqliteEngine, request: WorkerRequest): void {
  try {
    if (request.kind === 'run') {
      answer({ kind: 'done', outcomes: engine.run(request.operations, request.now) });
      return;
    }
    engine.close();
    answer({ kind: 'closed' });
  } catch (error) {
    failed(error);
  }
}

function start(): void {
  if (port === null) throw new SallyportError('INTERNAL', 'the store runs in a worker thread');
  try {
    const engine = openSqliteEngine(file, maxBytes);
    port.on('message', (request: WorkerRequest) => serve(engine, request));
    answer({ kind: 'opened' });
  } catch (error) {
    failed(error);
  }
}

start();
