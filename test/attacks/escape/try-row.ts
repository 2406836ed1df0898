import type { SandboxBackend, SandboxCommand } from '../../../src/sandbox/index.ts';
import type { Attempt, Row } from './row.ts';
import type { EscapeWorld } from './world.ts';

/** What came of an attempt; `told` helps who reads a failure. */
export interface Tried {
  readonly escaped: boolean;
  /** Whether it shows on the host, whatever the program says. */
  readonly seen: boolean;
  /** Whether the program ran at all: a sandbox that does not start keeps everything in and proves nothing. */
  readonly began: boolean;
  readonly told: string;
}

const KEPT = 65_536;

/** The beginning and the end of what a program prints: the word that counts may be the last one. */
function keep(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (text.length > 2 * KEPT) text = text.slice(0, KEPT) + text.slice(-KEPT);
  });
  return () => text;
}

function argvOf(attempt: Attempt, world: EscapeWorld): SandboxCommand['argv'] {
  if ('sh' in attempt) return ['/bin/sh', '-c', `echo BEGAN; ${attempt.sh}`];
  if ('python' in attempt) return ['/usr/bin/python3', '-I', '-c', `print('BEGAN', flush=True)\n${attempt.python}`];
  const [entry, argument] = attempt.c;
  const filled = argument?.replace(/\$([A-Z_]+)/g, (_, name: string) => world.env[name] ?? '');
  return [world.attempts ?? 'attempts', entry, ...(filled === undefined ? [] : [filled])];
}

/** Runs one program to its end; what a backend throws is for the caller. */
export async function runProgram(
  start: SandboxBackend['start'],
  world: EscapeWorld,
  argv: SandboxCommand['argv'],
  limits: Row['limits'] = {},
  input: string | null = null,
): Promise<{ output: string; errors: string; status: number | null; killedBy: string | null }> {
  const command: SandboxCommand = { argv, env: world.env, cwd: world.work, stdin: input === null ? 'none' : 'pipe' };
  const sandbox = await start(world.profile(limits), command, { owner: null });
  sandbox.stdin?.end(input);
  const [output, errors] = [keep(sandbox.stdout), keep(sandbox.stderr)];
  const { status, killedBy } = await sandbox.ended;
  return { output: output(), errors: errors(), status, killedBy };
}

/** Makes the attempt in a world as good as new, and looks on the host when it is over. */
export async function tryRow(start: SandboxBackend['start'], world: EscapeWorld, row: Row): Promise<Tried> {
  await world.reset();
  const { output, errors, status, killedBy } = await runProgram(start, world, argvOf(row.attempt, world), row.limits);
  const seen = (await row.seenOnHost?.(world)) ?? false;
  const told = `status ${status}, killed by ${killedBy}, seen on the host: ${seen}: ${output.slice(-300)}${errors.slice(0, 300)}`;
  return { seen, escaped: seen || /(^|\n)ESCAPED/.test(output), began: output.startsWith('BEGAN\n'), told };
}
