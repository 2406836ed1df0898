import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { SallyportError } from '../core/index.ts';
import type { PlannedRun } from '../gate/index.ts';
import { findProgram } from './find-program.ts';

export interface RunOptions {
  /** Bytes kept of each of the two outputs; the rest is read and dropped. */
  readonly outputBytes: number;
  /** Milliseconds until everything that the command started is killed; `null`: the signal decides alone. */
  readonly timeoutMs: number | null;
  readonly signal: AbortSignal;
}

/** What one output held. */
export interface CapturedOutput {
  readonly bytes: Uint8Array;
  /** Bytes beyond the limit. */
  readonly dropped: number;
}

/** How a command ended. */
export interface RanCommand {
  /** Exit status; `null` when a signal ended it. */
  readonly status: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

/**
 * Runs a planned command in a process group of its own, without input. When it ends, whatever way, the whole group is killed:
 * nothing that a line put into the background outlives the call, unless it left the group (a sandbox prevents that).
 *
 * @throws SallyportError TOOL_FAILED when it cannot be started; the reason of the signal when that ends it
 */
export async function runCommand(plan: PlannedRun, options: RunOptions): Promise<RanCommand> {
  options.signal.throwIfAborted();
  const program = findProgram(plan.file, { path: plan.env['PATH'] ?? '', cwd: plan.cwd });
  const child = spawn(program, plan.argv, {
    ...{ argv0: plan.file, cwd: plan.cwd, env: plan.env, detached: true, shell: false },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stdout = capture(child.stdout, options.outputBytes);
  const stderr = capture(child.stderr, options.outputBytes);
  let timedOut = false;
  const timer =
    options.timeoutMs === null
      ? null
      : setTimeout(() => {
          timedOut = true;
          killGroup(child);
        }, options.timeoutMs);
  const stop = (): void => killGroup(child);
  options.signal.addEventListener('abort', stop, { once: true });
  try {
    const { status, signal } = await ended(child);
    options.signal.throwIfAborted();
    return { status, signal, timedOut, stdout: stdout(), stderr: stderr() };
  } finally {
    if (timer !== null) clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
  }
}

function ended(child: ChildProcess): Promise<Pick<RanCommand, 'status' | 'signal'>> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new SallyportError('TOOL_FAILED', 'the command could not be started', { cause })),
    );
    // The pipes close when nobody holds them any more: what stayed behind in the group must not keep them open.
    child.once('exit', () => killGroup(child));
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
}

/** Kills everything in the group of the child. */
function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nothing is left in the group.
    if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error;
  }
}

function capture(stream: Readable, most: number): () => CapturedOutput {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  let dropped = 0;
  stream.on('data', (chunk: Uint8Array) => {
    const part = chunk.subarray(0, most - kept);
    if (part.length > 0) chunks.push(part);
    kept += part.length;
    dropped += chunk.length - part.length;
  });
  return () => ({ bytes: Buffer.concat(chunks), dropped });
}
