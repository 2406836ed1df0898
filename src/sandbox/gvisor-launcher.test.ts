import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { SandboxCommand } from './contract.ts';
import { encodeCommand, LAUNCHER, launch, PERL, readWord } from './gvisor-launcher.ts';

const needPerl = existsSync(PERL) ? it : it.skip;
const base: SandboxCommand = { argv: ['true'], env: { PATH: '/usr/bin:/bin' }, cwd: '/', stdin: 'none' };

/** The launcher as a plain process of this machine: what it does does not depend on where it runs. */
async function run(command: SandboxCommand, input = ''): Promise<{ word: string; out: string; code: number | null }> {
  const [program = '', ...args] = LAUNCHER;
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'], env: {} });
  expect(await readWord(child.stdout)).toBe('ready');
  const word = await launch({ stdin: child.stdin, stdout: child.stdout }, command);
  if (command.stdin === 'pipe') child.stdin.end(input);
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  let out = '';
  for await (const chunk of child.stdout) out += String(chunk);
  return { word, out, code: await code };
}

describe('the launcher (skipped where perl is not installed)', () => {
  needPerl('gives a program its words, name, environment and input as they are', async () => {
    const script = 'print join("|", $0, @ARGV, map { "$_=$ENV{$_}" } sort keys %ENV), "|", <STDIN>';
    const argv = ['/usr/bin/perl', '-e', script, '', 'é "x" $y', "'\n"] as const;
    const ran = await run({ ...base, argv, env: { 'a.b': '1=2', PATH: '' }, stdin: 'pipe' }, 'input');
    expect(ran).toEqual({ word: 'started', out: `-e||é "x" $y|'\n|PATH=|a.b=1=2|input`, code: 0 });
    const named = await run({ ...base, argv: ['/bin/sh', '-c', 'tr "\\0" "|" < /proc/$$/cmdline'], argv0: 'näme' });
    expect(named.out).toMatch(/^näme\|-c\|/);
  });

  needPerl('ends as the program ends', async () => {
    expect((await run({ ...base, argv: ['sh', '-c', 'exit 42'] })).code).toBe(42);
    expect((await run({ ...base, argv: ['sh', '-c', 'kill -9 $$'] })).code).toBe(137);
  });

  needPerl('says what is not there, and runs nothing', async () => {
    expect((await run({ ...base, argv: ['no-such-program'] })).word).toContain('program is not there');
    expect((await run({ ...base, argv: ['/etc/passwd'] })).word).toContain('program is not there');
    expect((await run({ ...base, cwd: '/no/such/folder' })).word).toContain('working folder');
  });
});

describe('encodeCommand', () => {
  it('writes a length and words between NULs', () => {
    const bytes = encodeCommand({ ...base, argv: ['p', 'a'], argv0: 'n', env: { A: 'é' } });
    expect(bytes.readUInt32BE()).toBe(bytes.length - 4);
    expect(bytes.subarray(4).toString().split('\0')).toEqual(['none', '/', 'p', '1', 'A=é', 'n', 'a']);
  });
});

describe('readWord', () => {
  it('leaves in the stream what comes after the line', async () => {
    const stream = new PassThrough();
    stream.write('go\nrest');
    expect(await readWord(stream)).toBe('go');
    expect(String(stream.read())).toBe('rest');
  });

  it('gives up on the end, and on what is no line', async () => {
    const ended = new PassThrough();
    ended.end();
    expect(await readWord(ended)).toBeNull();
    const long = new PassThrough();
    long.write('x'.repeat(1000));
    expect(await readWord(long)).toBeNull();
  });
});
