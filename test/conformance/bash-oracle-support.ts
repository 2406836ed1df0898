import { spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  analyseCommandLine,
  decideCommandLine,
  type PathOperand,
  type ShellRule,
} from '../../src/policy/shell/index.ts';

/** Programs that the rule lists: wrappers and shells run for real and start stand-ins, everything else is one. */
const LISTED = ['git', 'npm', 'cat', 'grep', 'timeout', 'xargs', 'env', 'nice', 'nohup', 'bash', 'tee'];
const REAL: Readonly<Record<string, string>> = {
  timeout: '/usr/bin/timeout',
  xargs: '/usr/bin/xargs',
  env: '/usr/bin/env',
  nice: '/usr/bin/nice',
  nohup: '/usr/bin/nohup',
  bash: '/bin/bash --noprofile --norc',
};
const BUILTINS = [
  'cd',
  'echo',
  'printf',
  'test',
  '[',
  'true',
  'false',
  'command',
  'builtin',
  'eval',
  'read',
  'set',
  'export',
  'trap',
  'pwd',
  ':',
];
const UNLISTED = [
  'id',
  'curl',
  'sh',
  'rm',
  'nc',
  'sudo',
  'python',
  'node',
  'wget',
  'ls',
  'find',
  'awk',
  'a',
  'x',
  'f',
  'y',
];

const ORACLE_RULE: ShellRule = {
  allowedCommands: [...LISTED, ...BUILTINS],
  deniedPatterns: [],
  confirmCommands: [],
};

/** Inside the throw-away folder everything may be read and written, outside nothing. */
const judgePath = (path: PathOperand): 'allow' | 'deny' =>
  path.text.startsWith('/') ||
  path.text.split('/').includes('..') ||
  path.cwd?.startsWith('..') === true ||
  path.cwd?.startsWith('/') === true
    ? 'deny'
    : 'allow';

export const isAllowed = (line: string): boolean =>
  decideCommandLine(ORACLE_RULE, analyseCommandLine(line), { judgePath }).effect === 'allow';

export interface OracleRoot {
  readonly folder: string;
  run(line: string, slot: number): Promise<readonly string[]>;
  close(): void;
}

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const SLOTS = 4;

function giveAway(path: string): void {
  if (isRoot) chownSync(path, NOBODY, NOBODY);
}

/** A folder with stand-ins that log their names, one place to run in per slot, and a folder that nothing may write to. */
export function openOracleRoot(): OracleRoot {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-oracle-'));
  chmodSync(folder, 0o755);
  for (let slot = 0; slot < SLOTS; slot += 1) prepareSlot(folder, slot);
  return {
    folder,
    run: (line, slot) => runLine(join(folder, `${slot}`), line),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function prepareSlot(folder: string, slot: number): void {
  const place = join(folder, `${slot}`);
  const bin = join(place, 'bin');
  for (const name of ['bin', 'work', 'work/src', 'outside']) {
    mkdirSync(join(place, name), { recursive: true });
    if (name !== 'bin') giveAway(join(place, name));
  }
  for (const name of [...LISTED, ...UNLISTED]) {
    const real = REAL[name];
    const text = `#!/bin/sh\necho ${name} >> ${place}/log\n${real === undefined ? 'exit 0' : `exec ${real} "$@"`}\n`;
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
  // A listed name in the working folder, which only a changed PATH would find.
  writeFileSync(join(place, 'work/git'), `#!/bin/sh\necho work/git >> ${place}/log\n`, { mode: 0o755 });
  writeFileSync(join(place, 'log'), '');
  giveAway(join(place, 'log'));
}

/** Runs the line as `planExecution` would have bash run it; resolves to what was started. */
async function runLine(place: string, line: string): Promise<readonly string[]> {
  writeFileSync(join(place, 'log'), '');
  await new Promise<void>((resolve, reject) => {
    const script = 'ulimit -f 64 -t 2; exec /bin/bash --noprofile --norc -c -- "$1"';
    const child = spawn('/bin/bash', ['--noprofile', '--norc', '-c', script, 'oracle', line], {
      cwd: join(place, 'work'),
      env: { PATH: join(place, 'bin'), HOME: join(place, 'outside') },
      stdio: 'ignore',
      detached: true,
      ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
    });
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    };
    const timer = setTimeout(end, 3_000);
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      end();
      resolve();
    });
  });
  const started = readFileSync(join(place, 'log'), 'utf8').split('\n');
  const outside = readdirSync(join(place, 'outside')).map((name) => `outside/${name}`);
  return [...started.filter((name) => name !== '' && !LISTED.includes(name)), ...outside];
}
