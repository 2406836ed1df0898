import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface CommandOptions {
  /** An absolute path and its words: no shell reads them. */
  readonly argv: readonly string[];
  /** All that the program gets. */
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly outputBytes: number;
  readonly signal: AbortSignal;
}

/** How a program ended. Standard error is not kept: it may hold what standard output does. */
export type CommandResult =
  | { readonly kind: 'done'; readonly output: Buffer }
  | { readonly kind: 'failed'; readonly exit: number | null }
  | { readonly kind: 'timeout' | 'too-much' | 'not-started' };

/** Runs a program without input, and ends it and all that it started at the time limit, the output limit or an abort. */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  options.signal.throwIfAborted();
  const [program = '', ...words] = options.argv;
  const child = spawn(program, words, {
    env: { ...options.environment },
    cwd: '/',
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
    shell: false,
  });
  return await watch(child, options);
}

function watch(child: ChildProcessByStdio<null, Readable, null>, options: CommandOptions): Promise<CommandResult> {
  const chunks: Buffer[] = [];
  let length = 0;
  let early: CommandResult | null = null;
  const end = (result: CommandResult): void => {
    early ??= result;
    killGroup(child.pid);
  };
  const timer = setTimeout(() => end({ kind: 'timeout' }), options.timeoutMs);
  const onAbort = (): void => end({ kind: 'timeout' });
  options.signal.addEventListener('abort', onAbort, { once: true });
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > options.outputBytes) return end({ kind: 'too-much' });
    chunks.push(chunk);
  });
  return new Promise<CommandResult>((resolve) => {
    child.once('error', () => resolve(early ?? { kind: 'not-started' }));
    child.once('close', (exit) =>
      resolve(early ?? (exit === 0 ? { kind: 'done', output: join(chunks) } : { kind: 'failed', exit })),
    );
  }).finally(() => {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', onAbort);
    // What the program left running in its group has no business any more.
    killGroup(child.pid);
    for (const chunk of chunks) chunk.fill(0);
  });
}

function join(chunks: readonly Buffer[]): Buffer {
  const whole = Buffer.alloc(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) at += chunk.copy(whole, at);
  return whole;
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
