import { describe, expect, test } from 'vitest';
import {
  analyseCommandLine,
  compileDeniedPattern,
  decideCommandLine,
  isCommandTrouble,
} from '../../src/policy/shell/index.ts';

const rule = {
  allowedCommands: ['git', 'echo', 'sed', 'awk', 'eval', 'command'],
  deniedPatterns: [compileDeniedPattern('git push .*--force')],
  confirmCommands: [],
};
const decide = (line: string, limits = {}): ReturnType<typeof decideCommandLine> =>
  decideCommandLine(rule, analyseCommandLine(line, { limits }));

/** Room for the bytes, so that the other limits are what refuses. */
const ROOMY = { commandBytes: 4_000_000 };

describe('lines that cost more than they are worth are denied with their own code', () => {
  test.each([
    ['1 MiB', `git commit -m ${'a'.repeat(1_048_576)}`, 'COMMAND_TOO_LARGE'],
    ['10,000 substitutions', `echo ${'$('.repeat(10_000)}${')'.repeat(10_000)}`, 'COMMAND_TOO_LARGE'],
    ['10,000 unclosed substitutions', `echo ${'$('.repeat(10_000)}`, 'COMMAND_TOO_LARGE'],
    ['10,000 subshells', `${'('.repeat(10_000)}git status${')'.repeat(10_000)}`, 'COMMAND_TOO_LARGE'],
    ['10,000 groups', `${'{ '.repeat(10_000)}git status${';}'.repeat(10_000)}`, 'COMMAND_TOO_LARGE'],
    ['10,000 expansions', `echo ${'${x:-'.repeat(10_000)}${'}'.repeat(10_000)}`, 'COMMAND_TOO_LARGE'],
    ['257 commands', 'git log;'.repeat(257), 'COMMAND_TOO_LARGE'],
    ['8,000 commands in a pipe', `${'git log|'.repeat(8_000)}git log`, 'COMMAND_TOO_LARGE'],
    ['8,000 commands in a list', `${'git log&&'.repeat(7_000)}git log`, 'COMMAND_TOO_LARGE'],
    ['8,000 wrappers', `${'command '.repeat(8_000)}git log`, 'COMMAND_TOO_LARGE'],
    ['nested eval', `${'eval '.repeat(100)}git log`, 'COMMAND_TOO_LARGE'],
    ['4,000 arms', `case x in ${'x) git log;; '.repeat(4_000)}esac`, 'COMMAND_TOO_LARGE'],
    ['a chain of functions', `${'f() '.repeat(8_000)}{ git log; }`, 'COMMAND_TOO_LARGE'],
    ['deep arithmetic', `echo $((${'1+'.repeat(20_000)}1))`, 'COMMAND_TOO_LARGE'],
    ['NUL', 'git status\u0000; id', 'COMMAND_MALFORMED'],
    ['a lone surrogate', 'git log \ud800', 'COMMAND_MALFORMED'],
    ['nothing', ' \n ', 'COMMAND_MALFORMED'],
  ])('%s', (_, line, code) => {
    for (const limits of [{}, ROOMY]) expect(decide(line, limits)).toMatchObject({ effect: 'deny' });
    expect(decide(line).code).toBe(code);
  });

  test.each([
    ["sed 's/".concat('['.repeat(30_000), "/b/' x")],
    ["sed '".concat('s/a/b/;'.repeat(9_000), "' x")],
    ["sed 's/".concat('[[:'.repeat(5_000), "]/x/' y")],
    ["awk '".concat('(/['.repeat(5_000), "' x")],
    [`echo ${'\\\\'.repeat(30_000)}a`],
    [`git ${'-C a '.repeat(12_000)}log`],
    ["awk '/".concat('['.repeat(30_000), "/' x")],
    ["awk '".concat('"'.repeat(30_001), "' x")],
  ])('a script within a line ends in bounded time', (line) => {
    expect(['confirm', 'deny', 'allow']).toContain(decide(line).effect);
  });
});

test('a line of just the size that is allowed is read', () => {
  const line = `git commit -m ${'a'.repeat(65_536 - 'git commit -m '.length)}`;
  expect(isCommandTrouble(analyseCommandLine(line))).toBe(false);
  expect(isCommandTrouble(analyseCommandLine(`${line}a`))).toBe(true);
});

test('256 commands are read, one more is not', () => {
  expect(decide('git log;'.repeat(256)).effect).toBe('allow');
  expect(decide('git log;'.repeat(257))).toMatchObject({ effect: 'deny', code: 'COMMAND_TOO_LARGE' });
});
