import { describe, expect, test } from 'vitest';
import { readAwkProgram } from './awk-program.ts';
import { globsOverlap } from './glob-overlap.ts';
import { knownPrograms } from './programs/index.ts';
import { readSedScript } from './sed-script.ts';

describe('readSedScript', () => {
  test.each([
    '1e id',
    'e',
    's/a/b/e',
    's/a/b/ge',
    's,a,b,Ie',
    's/[/]/x/e',
    's/[\\]/x/;e',
    'a foo\\\\\ne id',
    'bx;e id\n:x',
    '#c\ne id',
    '{p;e id\n}',
    '/a/,/b/!e',
    '$!{e\n}',
  ])('runs a command: %j', (script) => expect(readSedScript(script).runs).toBe(true));
  test.each([
    's/e/e/g',
    'y/e/f/',
    '/e/d',
    'a e id',
    'i\\\ne id',
    's/a/e;e/',
    '5q',
    '1!G;h;$!d',
    ':a;N;$!ba;s/\\n/ /g',
    's/[^/]*$//',
    '/^#/d;/^$/d',
    's|/usr|/opt|',
  ])('runs nothing: %j', (script) =>
    expect(readSedScript(script)).toEqual({ runs: false, readable: true, reads: [], writes: [] }),
  );
  test('names the files that it reads and writes', () => {
    expect(readSedScript('1r in\n$w out\ns/a/b/gw more')).toMatchObject({ reads: ['in'], writes: ['out', 'more'] });
  });
});

describe('readAwkProgram', () => {
  test.each([
    'BEGIN{system("id")}',
    '{print | "sh"}',
    '"id" | getline',
    'BEGIN{"id" |& getline x}',
    '/"/ {system("id")}',
    '{ x = 1 / 2 } END { system ("id") }',
    '# c\nBEGIN{system("id")}',
  ])('runs a command: %j', (program) => expect(readAwkProgram(program).runs).toBe(true));
  test.each([
    '{print $1 "|" $2}',
    '/a|b/',
    '$1 ~ /x|y/ || $2',
    '{print "system(x)"}',
    '# system("id")\n1',
    '{ a = b / c; d = e / f }',
    '$3 > 1000',
    '{print ($1 > 2)}',
  ])('runs nothing: %j', (program) =>
    expect(readAwkProgram(program)).toEqual({
      runs: false,
      loads: false,
      unknownFile: false,
      unclear: false,
      reads: [],
      writes: [],
    }),
  );
  test('names the files that it reads and writes, and says when it cannot', () => {
    expect(readAwkProgram('{print > "out"; getline x < "in"}')).toMatchObject({ reads: ['in'], writes: ['out'] });
    expect(readAwkProgram('{print > $1}').unknownFile).toBe(true);
    expect(readAwkProgram('{print >> "a" b}').unknownFile).toBe(true);
    expect(readAwkProgram('{print length /"/; system("id") #"/}').unclear).toBe(true);
  });
});

test.each([
  ['*.ts', '**/.env', false],
  ['.e*', '**/.env', true],
  ['*.ts', '**/*.key', false],
  ['*', '**/*.key', true],
  ['s*/p*', '**/secrets', true],
  ['src/*', '**/secrets/', true],
  ['a/b.key', '**/*.key', true],
  ['A/.ENV', '**/.env', true],
  ['secrets', 'secrets/', true],
  ['docs/secrets.md', '**/secrets', false],
])('globsOverlap(%j, %j) is %j', (shell, policy, overlap) => {
  expect(globsOverlap(shell, policy)).toBe(overlap);
});

test('the tables describe the programs that people list, each by one table', () => {
  const names = knownPrograms();
  expect(names).toEqual(
    expect.arrayContaining([
      'git',
      'npm',
      'npx',
      'pnpm',
      'yarn',
      'node',
      'python3',
      'pytest',
      'pip',
      'uv',
      'docker',
      'docker-compose',
      'make',
      'cargo',
      'go',
      'find',
      'xargs',
      'sed',
      'awk',
      'tar',
      'zip',
      'sort',
      'rg',
      'grep',
      'ssh',
      'curl',
      'wget',
      'env',
      'timeout',
      'tee',
      'cp',
      'mv',
      'jq',
      'less',
      'man',
      'gh',
      'kubectl',
      'terraform',
      'psql',
      '[',
      'python -m pytest',
    ]),
  );
  expect(new Set(names).size).toBe(names.length);
});
