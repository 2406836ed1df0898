import type { Readable } from 'node:stream';
import type { SandboxProcess } from '../gate/index.ts';

export interface RunOptions {
  /** Bytes kept of each of the two outputs; the rest is read and dropped. */
  readonly outputBytes: number;
  /** Milliseconds until everything that the command started is killed; `null`: the call's own time decides alone. */
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
  /** A limit of its sandbox that ended it; `null`: none did. */
  readonly limit: string | null;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
}

/**
 * Follows a command to its end. When it ends, whatever way, everything that it started is gone: nothing that a line put into the
 * background outlives the call.
 *
 * @throws the reason of the signal when that ends it
 */
export async function followCommand(child: SandboxProcess, options: RunOptions): Promise<RanCommand> {
  const stdout = capture(child.stdout, options.outputBytes);
  const stderr = capture(child.stderr, options.outputBytes);
  let timedOut = false;
  const late = (): void => {
    timedOut = true;
    void child.stop(0);
  };
  const timer = options.timeoutMs === null ? null : setTimeout(late, options.timeoutMs);
  try {
    const { status, signal, killedBy } = await child.ended;
    options.signal.throwIfAborted();
    const limit = timedOut || killedBy === 'stopped' ? null : killedBy;
    return { status, signal, timedOut, limit, stdout: await stdout, stderr: await stderr };
  } finally {
    if (timer !== null) clearTimeout(timer);
  }
}

/** Settles when the stream ended, or was cut off. */
function capture(stream: Readable, most: number): Promise<CapturedOutput> {
  const chunks: Uint8Array[] = [];
  let kept = 0;
  let dropped = 0;
  stream.on('data', (chunk: Uint8Array) => {
    const part = chunk.subarray(0, most - kept);
    if (part.length > 0) chunks.push(part);
    kept += part.length;
    dropped += chunk.length - part.length;
  });
  return new Promise((resolve) => {
    const end = (): void => resolve({ bytes: Buffer.concat(chunks), dropped });
    stream.once('end', end).once('close', end).once('error', end);
  });
}
