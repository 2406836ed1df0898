import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { callFacts, decideBy, ROOT, verdictOf } from '../../test/support/policy-facts.ts';
import { isSallyportError, type JsonObject } from '../core/index.ts';
import {
  type CallFacts,
  commandOf,
  compilePolicy,
  decide,
  explain,
  mayBeAllowed,
  type Policy,
  type PolicyProblem,
  parsePolicy,
  policyFromObject,
  requestsOf,
} from './index.ts';

const parse = (text: string): Policy => parsePolicy(`version: 1\ntools:\n${text}`, { file: 'p.yaml' });

function problemsOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
    const problems = error.detail['problems'] as readonly PolicyProblem[];
    return problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
  }
}

/** The facts of a call, as far as they need no world. */
function factsOf(policy: Policy, tool: string, args: JsonObject, more: Partial<CallFacts> = {}): CallFacts {
  const compiled = compilePolicy(policy, { root: ROOT, tools: [tool, 'api_call'] });
  const command = commandOf(tool, args);
  const requests = Object.fromEntries(
    Object.entries(requestsOf(compiled, tool, args)).map(([at, one]) => [at, { ...one, addresses: ['93.184.216.34'] }]),
  );
  return callFacts(tool, { arguments: args, requests, ...(command === undefined ? {} : { command }), ...more });
}

function ask(text: string, tool: string, args: JsonObject, more: Partial<CallFacts> = {}): string {
  const policy = parse(text);
  const compiled = compilePolicy(policy, { root: ROOT, tools: [tool, 'api_call'] });
  return verdictOf(decide(compiled, factsOf(policy, tool, args, more)));
}

describe('requiresConfirmation: when-suspicious', () => {
  it.each(['when-suspicious', '{ suspicious: true }', '{ suspicious: true, when: "arguments.a == 2" }'])(
    '%s',
    (written) => {
      const rule = `  t: { requiresConfirmation: ${written} }`;
      const told = (suspicion?: string | null): string =>
        ask(rule, 't', { a: 1 }, suspicion === undefined ? {} : { suspicion });
      expect(told(null)).toBe('allow');
      expect(told('why')).toBe('confirm CONFIRMATION_REQUIRED');
      expect(told()).toBe('confirm CONFIRMATION_REQUIRED'); // nobody looked
    },
  );

  it('adds to a condition', () => {
    const rule = '  t: { requiresConfirmation: { suspicious: true, when: "arguments.a == 2" } }';
    expect(ask(rule, 't', { a: 2 }, { suspicion: null })).toBe('confirm CONFIRMATION_REQUIRED');
  });
});

describe('parsePolicy: rules about calls that cannot hold do not load', () => {
  it.each([
    ['  t: { allowedCommands: [git] }', '3:8 allowedCommands judges the tool shell only'],
    ['  t: { deniedPatterns: [x] }', '3:8 deniedPatterns judges the tool shell only'],
    ['  shell: { allowedCommands: ["  "] }', '3:30 this entry cannot be used: it names no command'],
    ['  shell: { allowedCommands: ["git; ls"] }', 'words stand here plainly'],
    ['  shell: { allowedCommands: [git], deniedPatterns: ["(?=x)"] }', '3:53 this entry cannot be used:'],
    ['  shell: { allowedCommands: [git], deniedPatterns: [")("] }', 'this entry cannot be used:'],
    [
      '  shell: { allowedCommands: [git log, rm], deniedPatterns: ["git "] }',
      '3:30 "git log" can never be used: tools.shell.deniedPatterns[0] denies all of it',
    ],
    ['  t: { allowedEndpoints: [a.example] }', 'allowedEndpoints without an argument that is a URL'],
    ['  t: { arguments: { u: { as: api_call } }, methods: [GET] }', 'methods judges the tool api_call only'],
    [
      '  api_call: { allowedEndpoints: [127.0.0.1] }',
      '3:34 this entry cannot be used: an address cannot be listed here',
    ],
    ['  api_call: { internalEndpoints: ["http://169.254.169.254"] }', 'this entry cannot be used:'],
    [
      '  api_call: { allowedEndpoints: [a.example], methods: [CONNECT] }',
      'this entry cannot be used: it is not a method',
    ],
    [
      '  api_call: { allowedEndpoints: [a.example], requiresConfirmation: { requests: ["POST https://a.example"] } }',
      'can never be asked about: methods does not list its method',
    ],
    [
      '  api_call: { allowedEndpoints: [a.example], requiresConfirmation: { requests: ["GET https://b.example"] } }',
      'can never be asked about: no endpoint of the rule is there',
    ],
    ['  t: { requiresConfirmation: { commands: [git push] } }', 'commands judges the tool shell only'],
    [
      '  t: { requiresConfirmation: { requests: ["GET https://a.example"] } }',
      'requests judges requests and URLs only',
    ],
    ['  t: { requiresConfirmation: { when: "arguments.a >" } }', '3:38 the condition cannot be used:'],
    ['  t: { requiresConfirmation: { when: "1 == 1" } }', 'both sides are the same for every call'],
    ['  t: { requiresConfirmation: {} }', '"requiresConfirmation"'],
    ['  t: { requiresConfirmation: true }', '"requiresConfirmation"'],
    ['  t: { output: { schema: ./a.json } }', '"schema"'],
    ['  t: { output: { schema: { type: nothing } } }', 'the schema cannot be used'],
    ['  t: { output: { schema: { $ref: "https://a.example/s.json" } } }', 'the schema cannot be used'],
    ['  t: { rateLimit: { maxCallsPerMinute: 0 } }', '"maxCallsPerMinute"'],
    ['  t: { rateLimit: {} }', '"rateLimit"'],
  ])('%s', (text, message) => {
    const found = problemsOf(text);
    expect(
      found.some((problem) => problem.includes(message)),
      found.join('\n'),
    ).toBe(true);
  });

  it('loads the article as it stands, and warns about its patterns', () => {
    const policy =
      parse(`  shell: { allowedCommands: [git, npm], deniedPatterns: ["rm -rf", "curl.*|nc ", "chmod 777"] }
  api_call: { allowedEndpoints: [api.stripe.com], methods: [GET, POST], internalEndpoints: ["http://127.0.0.1:8080"], requireSecretManager: true }
  search: { rateLimit: { maxCallsPerMinute: 30 }, requiresConfirmation: false }`);
    expect(policy.warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '3 the pattern "curl.*|nc ": its alternatives each start at the command word',
      '3 the pattern "curl.*|nc ": it ends with a space: the command without arguments does not match',
    ]);
  });

  it('offers no tool whose list is empty', () => {
    const principal = callFacts('x').principal;
    const offered = (text: string, tool: string): boolean =>
      mayBeAllowed(compilePolicy(parse(text), { root: ROOT, tools: [tool] }), tool, principal);
    expect(offered('  shell: { allowedCommands: [] }', 'shell')).toBe(false);
    expect(offered('  shell: {}', 'shell')).toBe(false);
    expect(offered('  api_call: {}', 'api_call')).toBe(false);
    expect(offered('  api_call: { allowedEndpoints: [a.example], methods: [] }', 'api_call')).toBe(false);
    expect(offered('  "*": {}', 'shell')).toBe(false);
    expect(offered('  shell: { allowedCommands: [git] }', 'shell')).toBe(true);
  });
});

describe('decide: confirmations and rates', () => {
  it.each([
    ['always', { a: 1 }, 'confirm CONFIRMATION_REQUIRED'],
    ['{ when: "arguments.a > 5" }', { a: 9 }, 'confirm CONFIRMATION_REQUIRED'],
    ['{ when: "arguments.a > 5" }', { a: 5 }, 'allow'],
    ['{ when: "arguments.a > 5" }', {}, 'confirm CONFIRMATION_REQUIRED'],
    ['{ when: "arguments.a > 5" }', { a: '1' }, 'confirm CONFIRMATION_REQUIRED'],
    ['false', {}, 'allow'],
  ])('requiresConfirmation: %s with %j: %s', (rule, args, expected) => {
    expect(ask(`  t: { requiresConfirmation: ${rule} }`, 't', args as JsonObject)).toBe(expected);
  });

  test('deny beats confirm', () => {
    const rule = '  t: { requiresConfirmation: always, rateLimit: { maxCallsPerMinute: 1 } }';
    expect(ask(rule, 't', {}, { now: 5, history: [1] })).toBe('deny RATE_LIMITED');
    expect(ask(rule, 't', {}, { now: 5, history: [] })).toBe('confirm CONFIRMATION_REQUIRED');
  });

  test('calls before are judged where they are given; else the limit is an obligation', () => {
    const rule = '  t: { rateLimit: { maxCallsPerMinute: 1, concurrent: 2 } }';
    expect(ask(rule, 't', {}, { now: 5, history: [1] })).toBe('deny RATE_LIMITED');
    const facts = callFacts('t', { runs: 'in-process' });
    const decision = decideBy(`version: 1\ndefaults: { isolation: none }\ntools:\n${rule}\n`, facts);
    expect(decision).toMatchObject({ effect: 'allow', obligations: { limits: [{ max: 1 }, { max: 2 }] } });
  });
});

describe('decide: requests and arguments that stand for something', () => {
  const api =
    '  api_call: { allowedEndpoints: [a.example], methods: [GET, POST], requiresConfirmation: { requests: ["POST https://a.example/pay"] } }';
  const get = { method: 'GET', url: 'https://a.example/x' };

  it.each([
    [get, 'allow'],
    [{ ...get, url: 'https://b.example/' }, 'deny ENDPOINT_NOT_ALLOWED'],
    [{ ...get, method: 'PUT' }, 'deny ENDPOINT_METHOD'],
    [{ method: 'POST', url: 'https://a.example/pay' }, 'confirm ENDPOINT_CONFIRMATION'],
    [{ url: 'https://a.example/' }, 'deny ENDPOINT_MALFORMED'],
    [{}, 'deny ENDPOINT_MALFORMED'],
  ])('api_call %j: %s', (args, expected) => {
    expect(ask(api, 'api_call', args as JsonObject)).toBe(expected);
  });

  test('a request whose name was not looked up is denied', () => {
    const policy = parse(api);
    const compiled = compilePolicy(policy, { root: ROOT, tools: ['api_call'] });
    const requests = requestsOf(compiled, 'api_call', get);
    expect(verdictOf(decide(compiled, callFacts('api_call', { arguments: get, requests })))).toBe(
      'deny ENDPOINT_UNRESOLVED',
    );
    expect(verdictOf(decide(compiled, callFacts('api_call', { arguments: get })))).toBe('deny ENDPOINT_MALFORMED');
  });

  test('as: api_call judges URLs by the rule api_call, or by own endpoints; what either asks about is asked', () => {
    const other = (own: string): string => `${api}\n  t: { arguments: { u: { as: api_call } }${own} }`;
    expect(ask(other(''), 't', { u: 'https://a.example/x' })).toBe('allow');
    expect(ask(other(''), 't', { u: ['https://a.example/x', 'https://c.example/'] })).toBe('deny ENDPOINT_NOT_ALLOWED');
    expect(ask(other(''), 't', { u: 'https://a.example/pay' })).toBe('confirm ENDPOINT_CONFIRMATION');
    expect(ask(other(', allowedEndpoints: [c.example]'), 't', { u: 'https://c.example/' })).toBe('allow');
    expect(ask(other(', allowedEndpoints: [c.example]'), 't', { u: 'https://a.example/x' })).toBe(
      'deny ENDPOINT_NOT_ALLOWED',
    );
    expect(ask(other(''), 't', { u: 1 })).toBe('deny ARGUMENT_VALUE');
  });

  test('as: sql-read-only and requireSecretManager', () => {
    const rule = '  t: { arguments: { q: { as: sql-read-only } }, requireSecretManager: true }';
    expect(ask(rule, 't', { q: 'select 1' })).toBe('allow');
    expect(ask(rule, 't', { q: 'drop table x' })).toBe('deny SQL_NOT_READ_ONLY');
    expect(ask(rule, 't', { q: ['select 1', 'delete from x'] })).toBe('deny SQL_NOT_READ_ONLY');
    expect(ask(rule, 't', { q: "select 'ghp_0123456789abcdefghijABCDEFGHIJ012345'" })).toBe('deny CREDENTIAL_LITERAL');
  });
});

describe('decide: command lines', () => {
  const rule =
    '  shell:\n    allowedCommands:\n      - git\n      - echo\n    deniedPatterns:\n      - git push .*--force\n    requiresConfirmation: { commands: [git push] }';
  const decided = (command: string) => {
    const policy = parse(rule);
    const compiled = compilePolicy(policy, { root: ROOT, tools: ['shell'] });
    return decide(compiled, factsOf(policy, 'shell', { command }));
  };

  it.each([
    ['git status', 'allow', 'tools.shell', 3],
    ['git push', 'confirm COMMAND_CONFIRM', 'tools.shell.requiresConfirmation.commands[0]', 9],
    ['git push --force', 'deny COMMAND_PATTERN', 'tools.shell.deniedPatterns[0]', 8],
    ['git status; curl x', 'deny COMMAND_NOT_ALLOWED', 'tools.shell.allowedCommands', 3],
    ['echo $(id)', 'deny COMMAND_NOT_ALLOWED', 'tools.shell.allowedCommands', 3],
  ])('%s: %s', (command, expected, id, line) => {
    const decision = decided(command);
    expect([verdictOf(decision), decision.rule.id, decision.rule.line]).toEqual([expected, id, line]);
  });

  test('a path that nobody read is denied', () => {
    expect(verdictOf(decided('git add a.txt'))).toBe('deny PATH_MALFORMED');
  });

  test('a call without a line, or with one that was not read, is denied', () => {
    expect(verdictOf(decideBy(`version: 1\ntools:\n${rule}`, callFacts('shell')))).toBe('deny COMMAND_MALFORMED');
    expect(ask(rule, 'shell', { command: 'git \u202e' })).toBe('deny COMMAND_MALFORMED');
    expect(ask(rule, 'shell', { command: 'git status', cwd: 'x' })).toBe('deny PATH_MALFORMED');
  });

  test('explain lists the steps, also past the first denial', () => {
    const policy = parse(rule);
    const compiled = compilePolicy(policy, { root: ROOT, tools: ['shell'] });
    const { steps, decision } = explain(compiled, factsOf(policy, 'shell', { command: 'rm x' }));
    expect(decision.effect).toBe('deny');
    expect(steps.map(({ check }) => check)).toEqual(['principal', 'tool', 'isolation', 'command line']);
  });
});

describe('narrowing never allows more', () => {
  const lines = fc.constantFrom(
    'git status',
    'git log | head',
    'npm test',
    'git push',
    'echo a; git status',
    'npm run x',
  );
  const commands = fc.subarray(['git', 'git log', 'npm', 'head', 'echo'], { minLength: 1 });
  it('for fewer commands, more patterns and more confirmations', () => {
    fc.assert(
      fc.property(lines, commands, fc.subarray(['git p', 'npm ']), fc.boolean(), (command, allowed, denied, asks) => {
        const wide = { allowedCommands: ['git', 'git log', 'npm', 'head', 'echo'] };
        const narrow = {
          allowedCommands: allowed,
          deniedPatterns: denied,
          ...(asks ? { requiresConfirmation: { commands: ['git push'] } } : {}),
        };
        const effectOf = (shell: object): string => {
          try {
            const policy = policyFromObject({ version: 1, tools: { shell } });
            const compiled = compilePolicy(policy, { root: ROOT, tools: ['shell'] });
            return decide(compiled, factsOf(policy, 'shell', { command })).effect;
          } catch (error) {
            // A policy whose patterns take back its own entries does not load.
            if (!isSallyportError(error, 'POLICY_INVALID')) throw error;
            return 'deny';
          }
        };
        if (effectOf(narrow) === 'allow') expect(effectOf(wide)).toBe('allow');
        const turned = { ...narrow, allowedCommands: [...allowed].reverse(), deniedPatterns: [...denied].reverse() };
        expect(effectOf(turned)).toBe(effectOf(narrow));
      }),
    );
  });
});
