import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MAIN, type Ran } from './cli.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

/** A person with a home folder and a workspace of their own, for commands that look at both. */
export interface Person {
  readonly workspace: Workspace;
  readonly home: string;
  /** Environment of their commands: nothing of this machine but `PATH`. */
  readonly environment: Readonly<Record<string, string>>;
  run(...words: string[]): Promise<Ran>;
  /** The answer of a command with `--json`, which must end with 0. */
  json(...words: string[]): Promise<Record<string, unknown>>;
  put(path: string, text: string): string;
  /** Text of a file below the home; null if it is not there. */
  read(path: string): string | null;
}

export function makePerson(policy: string, variables: Readonly<Record<string, string>> = {}): Person {
  const workspace = makeWorkspace(policy, { 'src/a.ts': 'export const a = 1;\n' });
  const home = join(workspace.base, 'home');
  mkdirSync(home);
  const environment = { PATH: process.env['PATH'] ?? '', HOME: home, USERPROFILE: home, ...variables };
  const run = (...words: string[]): Promise<Ran> =>
    runProgram([MAIN, ...words, '--state', workspace.state], { cwd: workspace.root, environment });
  return {
    ...{ workspace, home, environment, run },
    json: async (...words) => {
      const { code, out, err } = await run(...words, '--json');
      if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${out}${err}`);
      return JSON.parse(out) as Record<string, unknown>;
    },
    put: (path, text) => {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), text);
      return join(home, path);
    },
    read: (path) => (existsSync(join(home, path)) ? readFileSync(join(home, path), 'utf8') : null),
  };
}

/** Runs node with these words to its end. */
export async function runProgram(
  words: readonly string[],
  options: { cwd: string; environment: Readonly<Record<string, string>> },
): Promise<Ran> {
  const child = spawn(process.execPath, [...words], {
    cwd: options.cwd,
    env: { ...options.environment },
    stdio: 'pipe',
  });
  const parts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (parts.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (parts.err += text));
  child.stdin.end();
  const [code] = await once(child, 'close');
  return { code: code as number | null, ...parts };
}
