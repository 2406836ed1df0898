import { describe, expect, it } from 'vitest';
import {
  callFacts,
  decideBy,
  pathFacts,
  plainReading,
  principal,
  ROOT,
  verdictOf,
} from '../../test/support/policy-facts.ts';
import {
  allowsPath,
  type CallFacts,
  compilePolicy,
  decide,
  mayBeAllowed,
  parsePolicy,
  pathUses,
  reachableFolders,
} from './index.ts';

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [src/], audit: true, output: { maxLength: 100 }, limits: { timeout: 2m } }
  file_write: { allowedPaths: [] }
  mcp__github__get_*: { flow: { effect: read } }
  mcp__github__create_issue:
    arguments: { repo: { enum: [acme/app] }, body: { type: string, maxLength: 10 } }
  mcp__fs__read: { arguments: { path: { as: file_read } }, otherArguments: allow }
  mcp__fs__read_many: { arguments: { paths: { items: { as: file_read }, maxItems: 2 } } }
  mcp__fs__bare: { otherArguments: deny }
  notify: {}
servers:
  github: { url: "https://mcp.example.com/mcp", timeout: 5s }
  fs: { command: [/usr/local/bin/fs], isolation: none }
`;
const TOOLS = [
  ...['file_read', 'file_write', 'mcp__github__get_issue', 'mcp__github__get_pull', 'mcp__github__create_issue'],
  ...['mcp__fs__read', 'mcp__fs__read_many', 'mcp__fs__bare', 'notify', 'mcp__github__delete_repo', 'shell'],
];
const compiled = compilePolicy(parsePolicy(POLICY, { file: 'p.yaml' }), { root: ROOT, tools: TOOLS });
const remote = (tool: string, args: CallFacts['arguments'], more: Partial<CallFacts> = {}): CallFacts =>
  callFacts(tool, { arguments: args, runs: 'remote', ...more });
const verdict = (facts: CallFacts): string => verdictOf(decide(compiled, facts));

describe('decide: tools', () => {
  it.each<[string, string]>([
    ['mcp__github__get_issue', 'allow'],
    ['mcp__github__delete_repo', 'deny TOOL_NOT_ALLOWED'],
    ['mcp__GitHub__get_issue', 'deny TOOL_NOT_ALLOWED'],
    ['mcp__github__get_secret', 'deny TOOL_NOT_ALLOWED'],
    ['shell', 'deny TOOL_NOT_ALLOWED'],
    ['__proto__', 'deny TOOL_NOT_ALLOWED'],
    ['constructor', 'deny TOOL_NOT_ALLOWED'],
    ['', 'deny TOOL_NOT_ALLOWED'],
  ])('%s: %s', (tool, expected) => expect(verdict(remote(tool, {}))).toBe(expected));

  it('names the rule, its place, and what would have been allowed', () => {
    expect(decide(compiled, pathFacts('file_read', plainReading('docs/x\u202e')))).toEqual({
      effect: 'deny',
      code: 'PATH_NOT_ALLOWED',
      rule: { id: 'tools.file_read.allowedPaths', file: 'p.yaml', line: 4 },
      reason: '"docs/x\\u{202e}" is not inside an allowed path',
      instead: 'Allowed paths: "src/"',
      obligations: {
        isolation: ['none'],
        timeoutMs: 120_000,
        maxLength: 100,
        onInjection: 'quarantine',
        boundary: false,
        outputSchemas: [],
        audit: true,
        limits: [],
        breakers: [],
      },
    });
    expect(decide(compiled, pathFacts('file_read', plainReading('src/x')))).toEqual({
      effect: 'allow',
      rule: { id: 'tools.file_read', file: 'p.yaml', line: 4 },
      reason: 'allowed by tools.file_read',
      obligations: {
        isolation: ['none'],
        timeoutMs: 120_000,
        maxLength: 100,
        onInjection: 'quarantine',
        boundary: false,
        outputSchemas: [],
        audit: true,
        limits: [],
        breakers: [],
      },
    });
  });

  it('gives the timeout of the rule, of the server, or the usual one', () => {
    expect(decide(compiled, remote('mcp__github__get_issue', {})).obligations.timeoutMs).toBe(5_000);
    expect(decide(compiled, remote('notify', {})).obligations.timeoutMs).toBe(60_000);
  });

  it('denies a call without a path where the rule limits paths', () => {
    expect(verdict(callFacts('file_read'))).toBe('deny PATH_NOT_ALLOWED');
    expect(verdict(callFacts('notify'))).toBe('allow');
  });
});

describe('decide: arguments', () => {
  it.each<[string, CallFacts['arguments'], string]>([
    ['mcp__github__create_issue', { repo: 'acme/app', body: 'short' }, 'allow'],
    ['mcp__github__create_issue', { repo: 'acme/app' }, 'allow'],
    ['mcp__github__create_issue', { repo: 'evil/app' }, 'deny ARGUMENT_VALUE'],
    ['mcp__github__create_issue', { repo: ['acme/app'] }, 'deny ARGUMENT_VALUE'],
    ['mcp__github__create_issue', { repo: 'acme/app', body: 'x'.repeat(11) }, 'deny ARGUMENT_VALUE'],
    ['mcp__github__create_issue', { repo: 'acme/app', body: 1 }, 'deny ARGUMENT_VALUE'],
    ['mcp__github__create_issue', { repo: 'acme/app', Repo: 'evil/app' }, 'deny ARGUMENT_NOT_ALLOWED'],
    ['mcp__github__create_issue', { repo: 'acme/app', constructor: 1 }, 'deny ARGUMENT_NOT_ALLOWED'],
    ['mcp__fs__bare', {}, 'allow'],
    ['mcp__fs__bare', { any: 1 }, 'deny ARGUMENT_NOT_ALLOWED'],
    ['notify', { any: 1 }, 'allow'],
  ])('%s %j: %s', (tool, args, expected) => expect(verdict(remote(tool, args))).toBe(expected));

  it('judges an argument that is a path by the rule it names', () => {
    const call = (given: string, runs: CallFacts['runs'] = 'spawned'): string =>
      verdict(
        remote(
          'mcp__fs__read',
          { path: given, head: 3 },
          { runs, paths: { path: { use: 'file_read', reading: plainReading(given) } } },
        ),
      );
    expect([call('src/a'), call('docs/a'), call('src/../.env')]).toEqual([
      'allow',
      'deny PATH_NOT_ALLOWED',
      'deny PATH_NOT_ALLOWED',
    ]);
  });

  it('denies a path argument that was not read as one, and judges one that is written as a write', () => {
    expect(verdict(remote('mcp__fs__read', { path: 'src/a' }))).toBe('deny PATH_MALFORMED');
    const asWrite = { path: { use: 'file_write' as const, reading: plainReading('src/a') } };
    expect(verdict(remote('mcp__fs__read', { path: 'src/a' }, { paths: asWrite }))).toBe('deny PATH_NOT_ALLOWED');
    expect(verdict(remote('mcp__fs__read', { path: { toString: 'src/a' } }))).toBe('deny ARGUMENT_VALUE');
  });

  it('judges each item of a list of paths', () => {
    const call = (...given: string[]): string => {
      const readings = given.map((path, index) => [
        `paths/${index}`,
        { use: 'file_read' as const, reading: plainReading(path) },
      ]);
      return verdict(remote('mcp__fs__read_many', { paths: given }, { paths: Object.fromEntries(readings) }));
    };
    expect([call('src/a', 'src/b'), call('src/a', '.env'), call('src/a', 'src/b', 'src/c')]).toEqual([
      'allow',
      'deny PATH_NOT_ALLOWED',
      'deny ARGUMENT_VALUE',
    ]);
    const half = { 'paths/0': { use: 'file_read' as const, reading: plainReading('src/a') } };
    expect(verdict(remote('mcp__fs__read_many', { paths: ['src/a', '.env'] }, { paths: half }))).toBe(
      'deny PATH_MALFORMED',
    );
    expect(verdict(remote('mcp__fs__read_many', { paths: 'src/a' }))).toBe('deny ARGUMENT_VALUE');
  });

  it('says which arguments are paths', () => {
    expect({ ...pathUses(compiled, 'mcp__fs__read') }).toEqual({ path: 'file_read' });
    expect({ ...pathUses(compiled, 'mcp__fs__read_many') }).toEqual({ paths: 'file_read' });
    expect({ ...pathUses(compiled, 'unknown') }).toEqual({});
  });
});

describe('decide: isolation and repetition', () => {
  const text =
    'version: 1\ntools: { notify: {}, peek: { isolation: none, flow: { effect: read } }, file_write: { allowedPaths: [a] } }';
  it.each<[string, Partial<CallFacts>, string]>([
    ['notify', { runs: 'built-in' }, 'allow'],
    ['notify', { runs: 'in-process' }, 'deny ISOLATION_UNSTATED'],
    ['notify', { runs: 'spawned' }, 'deny ISOLATION_UNSTATED'],
    ['notify', { runs: 'remote' }, 'deny ISOLATION_UNSTATED'],
    ['peek', { runs: 'remote' }, 'allow'],
    ['peek', { runs: 'remote', uncertain: true }, 'allow'],
    ['notify', { uncertain: true }, 'confirm CONFIRMATION_REQUIRED'],
    ['notify', { uncertain: true, runs: 'remote' }, 'deny ISOLATION_UNSTATED'],
  ])('%s %j: %s', (tool, more, expected) => {
    expect(verdictOf(decideBy(text, callFacts(tool, more)))).toBe(expected);
  });

  it('what our own code or the developer calls a read is repeated; without a word it is not', () => {
    const write = pathFacts('file_write', plainReading('a'), { uncertain: true });
    expect(verdictOf(decideBy(text, write))).toBe('confirm CONFIRMATION_REQUIRED');
    const policy = 'version: 1\ndefaults: { isolation: none }\ntools: { file_read: { allowedPaths: [a] } }';
    const read = pathFacts('file_read', plainReading('a'), { uncertain: true });
    expect(verdictOf(decideBy(policy, { ...read, effect: 'read' }))).toBe('allow');
    expect(verdictOf(decideBy(policy, { ...read, runs: 'in-process' }))).toBe('confirm CONFIRMATION_REQUIRED');
  });

  it('a denial by one path beats a confirmation by another', () => {
    const paths = {
      a: { use: 'file_read' as const, reading: plainReading('src/a', { links: 2 }) },
      b: { use: 'file_read' as const, reading: plainReading('docs/b') },
    };
    expect(verdict(callFacts('file_read', { paths }))).toBe('deny PATH_NOT_ALLOWED');
    expect(verdict(callFacts('file_read', { paths: { a: paths.a } }))).toBe('confirm PATH_HARD_LINK');
  });
});

describe('decide: principals', () => {
  const text = `version: 1
tools: { notify: {}, read: {}, write: {} }
principals:
  exact: { match: { agent: "spiffe://acme/reviewer" }, tools: [read] }
  prefix: { match: { agent: "ci-*" }, tools: ["*e*"] }
  both: { match: { agent: "bot", user: "ann" }, tools: [write] }
  person: { match: { user: "ann" }, tools: [notify] }
`;
  const ALL = ['notify', 'read', 'write'];
  const usable = (agent: string, user = 'bob'): string[] =>
    ALL.map((tool) => verdictOf(decideBy(text, callFacts(tool, { principal: principal(agent, user) }), ALL)));
  const [no, none] = ['deny TOOL_NOT_ALLOWED', 'deny PRINCIPAL_NOT_ALLOWED'];

  it.each<[agent: string, user: string, expected: (string | undefined)[]]>([
    ['spiffe://acme/reviewer', 'bob', [no, 'allow', no]],
    ['spiffe://acme/reviewer2', 'bob', [none, none, none]],
    ['Spiffe://acme/reviewer', 'bob', [none, none, none]],
    ['ci-7', 'bob', [no, 'allow', 'allow']],
    ['ci', 'bob', [none, none, none]],
    ['bot', 'bob', [none, none, none]],
    ['bot', 'ann', ['allow', no, 'allow']],
    ['other', 'ann', ['allow', no, no]],
    ['ci-*', 'bob', [no, 'allow', 'allow']],
    ['__proto__', 'constructor', [none, none, none]],
  ])('agent %s of user %s', (agent, user, expected) => expect(usable(agent, user)).toEqual(expected));

  it('names only what this caller may use', () => {
    const decision = decideBy(text, callFacts('write', { principal: principal('spiffe://acme/reviewer') }), ALL);
    expect(decision).toMatchObject({ rule: { id: 'principals.exact.tools' }, instead: 'Tools you may use: "read"' });
    const unknown = decideBy(text, callFacts('nothing', { principal: principal('ci-1') }), ALL);
    expect(unknown).toMatchObject({ instead: 'Tools you may use: "read", "write"' });
  });
});

describe('mayBeAllowed', () => {
  it('is false for what no call could be allowed for', () => {
    const shown = TOOLS.filter((tool) => mayBeAllowed(compiled, tool, principal()));
    expect(shown).toEqual(TOOLS.filter((tool) => !['file_write', 'mcp__github__delete_repo', 'shell'].includes(tool)));
  });
});

describe('allowsPath', () => {
  it('judges an entry of a folder as the path argument was judged', () => {
    const child = (path: string, more = {}): boolean =>
      allowsPath(compiled, 'file_read', 'file_read', plainReading(path, more));
    expect([child('src/a'), child('docs/a'), child('src/a', { links: 2 })]).toEqual([true, false, false]);
    expect(allowsPath(compiled, 'shell', 'file_read', plainReading('src/a'))).toBe(false);
  });
});

describe('reachableFolders', () => {
  it('names the root and the folder of every entry', () => {
    const policy = parsePolicy(
      'version: 1\ntools: { t: { allowedPaths: [src/, /srv/x/, ../shared, "/opt/*/pub", "**/a"] } }',
      { file: 'p' },
    );
    expect(reachableFolders(policy, ROOT)).toEqual([ROOT, `${ROOT}/src`, '/srv/x', '/home/me/shared', '/opt']);
  });
});
