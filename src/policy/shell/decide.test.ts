// biome-ignore-all lint/suspicious/noTemplateCurlyInString: text of shells
import { describe, expect, test } from 'vitest';
import {
  analyseCommandLine,
  type CommandDecision,
  compileDeniedPattern,
  decideCommandLine,
  isCommandTrouble,
  type PathOperand,
  type ShellRule,
  warningsForPattern,
} from './index.ts';

const rule: ShellRule = {
  allowedCommands: [
    'git',
    'git log',
    'npm',
    'cat',
    'cd',
    'tee',
    'docker run',
    'mytool',
    'mytool check',
    'python -m pytest',
    'time',
  ],
  deniedPatterns: [compileDeniedPattern('curl.*|nc '), compileDeniedPattern('git push .*(--force|-f( |$))')],
  confirmCommands: ['git push', 'docker compose down'],
};

const decide = (line: string, judgePath?: (path: PathOperand) => 'allow' | 'confirm' | 'deny'): CommandDecision =>
  decideCommandLine(rule, analyseCommandLine(line), judgePath === undefined ? {} : { judgePath });

describe('decideCommandLine', () => {
  test.each([
    ['git status', 'allow', 'allowedCommands[0]', null],
    ['git log', 'allow', 'allowedCommands[1]', null],
    ['id', 'deny', 'builtin.COMMAND_NOT_ALLOWED', 'COMMAND_NOT_ALLOWED'],
    ['git status; id', 'deny', 'builtin.COMMAND_NOT_ALLOWED', 'COMMAND_NOT_ALLOWED'],
    ['git push', 'confirm', 'confirmCommands[0]', 'COMMAND_CONFIRM'],
    ['git -C . push', 'confirm', 'confirmCommands[0]', 'COMMAND_CONFIRM'],
    ['git push --force', 'deny', 'deniedPatterns[1]', 'COMMAND_PATTERN'],
    ['git push -uf origin main', 'deny', 'deniedPatterns[1]', 'COMMAND_PATTERN'],
    ['git commit -m "git push --force"', 'allow', 'allowedCommands[0]', null],
    ['git commit -m "async fix"', 'allow', 'allowedCommands[0]', null],
    ['$X', 'deny', 'builtin.COMMAND_NOT_ALLOWED', 'COMMAND_NOT_ALLOWED'],
    ['git log $X', 'confirm', 'builtin.COMMAND_DYNAMIC', 'COMMAND_DYNAMIC'],
    ['git -c core.pager=x log', 'deny', 'builtin.COMMAND_LOADS', 'COMMAND_LOADS'],
    ['PATH=. git log', 'deny', 'builtin.COMMAND_ENVIRONMENT', 'COMMAND_ENVIRONMENT'],
    ['git log --unheard-of', 'confirm', 'builtin.COMMAND_OPTION', 'COMMAND_OPTION'],
    ['mytool', 'allow', 'allowedCommands[7]', null],
    ['mytool check', 'allow', 'allowedCommands[8]', null],
    ['mytool check src', 'confirm', 'builtin.COMMAND_UNKNOWN', 'COMMAND_UNKNOWN'],
    ['/usr/bin/git log', 'confirm', 'builtin.COMMAND_NOT_ALLOWED', 'COMMAND_NOT_ALLOWED'],
    ['docker run --rm alpine sh -c id', 'allow', 'allowedCommands[6]', null],
    ['python -m pytest -p evil', 'deny', 'builtin.COMMAND_LOADS', 'COMMAND_LOADS'],
    ['git log "', 'deny', 'builtin.COMMAND_MALFORMED', 'COMMAND_MALFORMED'],
  ] as const)('%j: %s by %s', (line, effect, ruleKey, code) => {
    expect(decide(line)).toMatchObject({ effect, ruleKey, code });
  });

  test('hands over every path that would be read or written, with the folder it is relative to', () => {
    const decision = decide('cd src && cat a ../b > ../c; git -C packages/x add d');
    expect(decision.reads.map((path) => `${path.cwd}: ${path.text}`)).toEqual([
      '.: src',
      '.: src',
      'src: a',
      'src: ../b',
      '.: src',
      'src: packages/x',
      '.: packages/x',
      'src/packages/x: d',
      'packages/x: d',
    ]);
    expect(decision.writes.map((path) => [path.cwd, path.text, path.via])).toEqual([['src', '../c', 'redirection']]);
  });

  test('a path that the file rules deny denies the line, one that they ask about asks', () => {
    expect(decide('cat a .env', (path) => (path.text === '.env' ? 'deny' : 'allow'))).toMatchObject({
      effect: 'deny',
      code: 'PATH_DENIED',
    });
    expect(decide('cat a b', (path) => (path.text === 'b' ? 'confirm' : 'allow'))).toMatchObject({ effect: 'confirm' });
  });

  test('a path in a home folder is denied without asking anybody', () => {
    expect(decide('cat ~/.ssh/id_rsa', () => 'allow')).toMatchObject({ effect: 'deny', code: 'COMMAND_OUTSIDE' });
  });

  test('reasons quote and cap the text of the line, and never show a pattern', () => {
    const { reason } = decide(`git log --x${'y'.repeat(500)}`);
    expect(reason.length).toBeLessThan(300);
    expect(decide('git push --force').reason).not.toContain('--force|');
    expect(decide('"ig\nnore"').reason).toContain('\\u{a}');
  });

  test('says what would have been allowed', () => {
    expect(decide('id').instead).toContain('"git"');
    expect(decide('git status').instead).toBe('');
  });

  test('an empty list allows nothing', () => {
    expect(
      decideCommandLine({ allowedCommands: [], deniedPatterns: [], confirmCommands: [] }, analyseCommandLine('git log'))
        .effect,
    ).toBe('deny');
  });
});

describe('compileDeniedPattern', () => {
  test('refuses a source that would close the group around it', () => {
    expect(() => compileDeniedPattern('a)|(?:.')).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }));
  });

  test('warnings name an alternative that is not in brackets and a space at the end', () => {
    expect(warningsForPattern('curl.*|nc ')).toHaveLength(2);
    expect(warningsForPattern('git push .*(--force|-f)')).toEqual([]);
  });
});

test('analyseCommandLine finds every command, wherever it hides', () => {
  const line =
    'a "$(b)" `c` <(d) ${x:-$(e)} $((1+$(f))) <<E; if g; then h; else i; fi; for x in $(j); do k; done; l() { m; }; { n; } | (o) && ! p\n$(q)\nE\ntimeout 5 r; trap "s" EXIT; eval "t"; find . -exec u \\;';
  const reading = analyseCommandLine(line);
  if (isCommandTrouble(reading)) return expect.fail(reading.about);
  const names = new Set(reading.commands.map((command) => command.words[0]?.text));
  for (const name of 'abcdefghijkmnopqrstu') expect(names, name).toContain(name);
});
