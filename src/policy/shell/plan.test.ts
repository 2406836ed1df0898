import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { analyseCommandLine, type ExecutionPlan, isCommandTrouble, planExecution } from './index.ts';

function plan(line: string): ExecutionPlan {
  const reading = analyseCommandLine(line);
  if (isCommandTrouble(reading)) throw new Error(reading.about);
  return planExecution(reading, '/nowhere');
}

test.each([
  ['git commit -m "a; b" \'$x\'', ['commit', '-m', 'a; b', '$x']],
  ["git log --format='%h|%s'", ['log', '--format=%h|%s']],
  ['CI=1 git "sta"tus', ['status']],
])('one simple command runs without a shell: %s', (line, argv) => {
  expect(plan(line)).toMatchObject({ kind: 'argv', file: 'git', argv });
});

test.each([
  'git log | cat',
  'git add *.ts',
  'git log > x',
  'cd x',
  'echo x',
  'git log &',
  '! git diff',
  '(git log)',
  'git add ~/x',
  'git log $?',
  'git show "$(git log)"',
])('everything else runs in bash: %s', (line) => {
  expect(plan(line)).toMatchObject({ kind: 'bash', script: line, argv: ['--noprofile', '--norc', '-c', '--', line] });
});

test('harmless assignments reach a command that runs without a shell', () => {
  expect(plan('CI=1 npm test').env).toMatchObject({ CI: '1', PATH: expect.stringContaining('/usr/bin') });
});

test('the environment holds nothing of the gate, and Git ignores what a repository would have it run', () => {
  const { env } = plan('git status');
  expect(
    Object.keys(env).filter((name) => !/^(?:PATH|HOME|LANG|LC_ALL|TERM|PAGER|MANPAGER|LESSSECURE|GIT_.*)$/.test(name)),
  ).toEqual([]);
  const count = Number(env['GIT_CONFIG_COUNT']);
  const keys = Array.from({ length: count }, (_, at) => env[`GIT_CONFIG_KEY_${at}`]);
  expect(keys).toEqual(
    expect.arrayContaining(['core.fsmonitor', 'core.hooksPath', 'protocol.ext.allow', 'core.pager']),
  );
});

test('Git shows what changed: no setting that takes the place of another keeps it from its ordinary work', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-plan-'));
  try {
    const git = (line: string): string => {
      const { file, argv, env } = plan(line) as Extract<ExecutionPlan, { kind: 'argv' }>;
      return execFileSync(file, argv, { cwd: folder, env, encoding: 'utf8' });
    };
    git('git init -q');
    writeFileSync(join(folder, 'a.txt'), 'before\n');
    git('git add a.txt');
    writeFileSync(join(folder, 'a.txt'), 'after\n');
    expect(git('git diff')).toContain('-before\n+after\n');
    expect(git('git diff --stat')).toContain('1 file changed');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a script that starts with a dash is no option of bash', () => {
  const argv = ['--noprofile', '--norc', '-c', '--', '-x; echo ran'];
  expect(execFileSync('/bin/bash', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })).toBe('ran\n');
});
