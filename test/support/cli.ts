import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The built command line: what users run. `npm test` builds it first. */
export const MAIN: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs one command to its end. */
export async function sallyport(
  words: readonly string[],
  options: { cwd: string; input?: string; environment?: Readonly<Record<string, string>> },
): Promise<Ran> {
  const { cwd, environment } = options;
  const child = spawn(process.execPath, [MAIN, ...words], {
    cwd,
    env: { ...process.env, ...environment },
    stdio: 'pipe',
  });
  child.stdin.end(options.input ?? '');
  const [out, err, [code]] = await Promise.all([all(child.stdout), all(child.stderr), once(child, 'close')]);
  return { code: code as number | null, out, err };
}

async function all(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

/** A serving command that has said on standard output what it serves. */
export interface Serving {
  readonly child: ChildProcess;
  readonly started: Record<string, unknown>;
  /** Asks it to stop and waits; returns its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts `up --json` on a free port and waits for its first line. */
export async function startUp(words: readonly string[], cwd: string): Promise<Serving> {
  const child = spawn(process.execPath, [MAIN, 'up', '--json', '--port', '0', ...words], { cwd, stdio: 'pipe' });
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8');
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString('utf8')));
    child.once('exit', (code) => reject(new Error(`up ended with ${code}: ${err}`)));
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    child.kill(signal);
    const [code] = await once(child, 'exit');
    return code as number | null;
  };
  return { child, started: JSON.parse(line) as Record<string, unknown>, stop };
}
