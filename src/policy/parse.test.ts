import { describe, expect, it } from 'vitest';
import { isSallyportError } from '../core/index.ts';
import { type PolicyProblem, parsePolicy, policyFromObject, policySchema, ToolPolicy } from './index.ts';

function problemsOf(act: () => unknown): readonly PolicyProblem[] {
  try {
    act();
  } catch (error) {
    if (isSallyportError(error, 'POLICY_INVALID')) return error.detail['problems'] as readonly PolicyProblem[];
    throw error;
  }
  return [];
}

const problems = (text: string): readonly PolicyProblem[] => problemsOf(() => parsePolicy(text, { file: 'p.yaml' }));
const placesOf = (text: string): string[] =>
  problems(text).map(({ line, column, message }) => `${line}:${column} ${message}`);
const tool = (rule: string): string => `version: 1\ntools: { t: ${rule} }`;

const SECRET = ['$', '{secret:x}'].join('');
const SPACED = ['$', '{ secret:x}'].join('');

describe('parsePolicy', () => {
  it('reads the whole first slice of the language', () => {
    const policy = parsePolicy(
      `version: 1
mode: enforce
root: work
defaults: { isolation: [none] }
tools:
  mcp__a-b__*:
    arguments: { q: { type: string, pattern: "^[a-z]+$" }, any: true }
    otherArguments: deny
    output: { maxLength: 8000 }
    flow: { output: [untrusted, private], effect: read }
    limits: { timeout: 1500ms }
servers:
  a-b: { command: [/bin/srv, --x], env: { A: "1" }, protocol: 2025-06-18, timeout: 3s, isolation: none }
`,
      { file: 'p.yaml' },
    );
    expect(policy.root).toBe('work');
    expect(policy.tools[0]).toMatchObject({
      ...{ name: 'mcp__a-b__*', otherArguments: 'deny', maxLength: 8000, output: ['untrusted', 'private'] },
      ...{ effect: 'read', timeoutMs: 1500, allowedPaths: null, deniedPaths: [], isolation: [], audit: false },
      rule: { id: 'tools.mcp__a-b__*', file: 'p.yaml', line: 6 },
    });
    expect(policy.tools[0]?.arguments?.map(({ name, rule }) => [name, rule.id, rule.line])).toEqual([
      ['q', 'tools.mcp__a-b__*.arguments.q', 7],
      ['any', 'tools.mcp__a-b__*.arguments.any', 7],
    ]);
    expect(policy.servers.get('a-b')).toMatchObject({
      ...{ name: 'a-b', command: ['/bin/srv', '--x'], url: null, isolation: ['none'], protocol: '2025-06-18' },
      ...{ env: { A: '1' }, timeoutMs: 3000, rule: { id: 'servers.a-b', file: 'p.yaml', line: 13 } },
    });
    expect([policy.mode, policy.rules, policy.warnings, policy.principals]).toEqual(['enforce', 1, [], null]);
  });

  it('has one digest for one meaning, however it is written', () => {
    const yaml = parsePolicy('# note\nversion: 1\ntools:\n  t: {audit: true}\n', { file: 'a' });
    const json = parsePolicy('{"tools": {"t": {"audit": true}}, "version": 1}', { file: 'b' });
    const object = policyFromObject({ version: 1, tools: { t: { audit: true } } });
    const built = new ToolPolicy().addRule('t', { audit: true }).build();
    expect(new Set([yaml.digest, json.digest, object.digest, built.digest]).size).toBe(1);
    expect(yaml.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(parsePolicy('version: 1\ntools: { t: {audit: false} }', { file: 'a' }).digest).not.toBe(yaml.digest);
  });

  it('warns aloud about zero rules', () => {
    const { warnings } = parsePolicy('version: 1\n', { file: 'p.yaml' });
    expect(warnings.map(({ message }) => message)).toEqual(['there are no rules: every call is denied']);
  });

  it('reports every problem, in the order of the text, and names the first', () => {
    const text = 'version: 1\ntools:\n  a: { allowed_paths: [] }\n  b: { audit: 1 }\nservers:\n  c: {}\n';
    expect(placesOf(text)).toEqual([
      '3:8 unknown key "allowed_paths", did you mean allowedPaths?',
      '4:15 "audit": expected boolean, not number',
      '6:3 a server has a command, a package or a url',
    ]);
    expect(() => parsePolicy(text, { file: 'p.yaml' })).toThrow(
      'p.yaml:3:8: unknown key "allowed_paths", did you mean allowedPaths? (and 2 more)',
    );
    for (const { remedy, file } of problems(text)) expect([file, remedy.length > 0]).toEqual(['p.yaml', true]);
  });
});

describe('parsePolicy refuses YAML with more than one reading', () => {
  it.each<[string, string, string]>([
    ['a duplicate key', 'version: 1\nversion: 1', '2:1'],
    ['a duplicate key after unescaping', 'version: 1\n"vers\\u0069on": 1', '2:1'],
    ['an anchor', 'version: &a 1', '1:13'],
    ['an alias', 'version: 1\nroot: *a', '2:7'],
    ['a merge key', 'version: 1\ntools: { <<: { a: {} } }', '2:10'],
    ['a tag', 'version: !!str 1', '1:16'],
    ['a custom tag', 'version: 1\nroot: !env HOME', '2:7'],
    ['a directive', '%YAML 1.1\n---\nversion: 1', '1:1'],
    ['a tag directive', '%TAG ! tag:x,2000:\n---\nversion: 1', '1:1'],
    ['a second document', 'version: 1\n---\nversion: 1', '2:1'],
    ['a key that is a number', 'version: 1\ntools: { 1: {} }', '2:10'],
    ['a key that is a list', 'version: 1\n? [a]\n: 1', '2:3'],
    ['__proto__', 'version: 1\n__proto__: {}', '2:1'],
    ['an invisible character', 'version: 1\nroot: "a\u200bb"', '2:7'],
    ['a bidirectional control in a key', 'version: 1\n"to\u202eols": {}', '2:11'],
    ['a number beyond 2^53', 'version: 12345678901234567890', '1:10'],
    ['infinity', 'version: .inf', '1:10'],
    ['broken YAML', 'version: [1', '1:12'],
    ['a tab for indentation', 'tools:\n\ta: 1', '2:1'],
    ['too deep', `version: ${'['.repeat(100_000)}`, '1:1'],
    ['deep block collections', `${'- '.repeat(5_000)}a`, '1:1'],
    ['too large', `# ${'x'.repeat(1_048_576)}`, '1:1'],
    ['a lone surrogate', 'version: "\ud800"', '1:1'],
    ['an empty file', '', '1:1'],
    ['a scalar', 'allow everything', '1:1'],
  ])('%s', (_title, text, place) => {
    const [first] = problems(text);
    expect(`${first?.line}:${first?.column}`).toBe(place);
  });

  it('finds a duplicate among very many keys in linear time', () => {
    const keys = Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join('\n');
    expect(placesOf(`${keys}\nk0: 1`)).toContain('60001:1 the key "k0" stands here twice');
  });
});

describe('[T1.6] parsePolicy refuses, by name, what this version does not have', () => {
  it.each<[string, string, string]>([
    ['isolation', tool('{ isolation: process }'), '"process" needs a launcher'],
    ['isolation in a list', tool('{ isolation: [gvisor, process] }'), '"process" needs a launcher'],
    ['isolation by default', 'version: 1\ndefaults: { isolation: process }', '"process" needs a launcher'],
    ['flow.trustedArguments', tool('{ flow: { trustedArguments: [a] } }'), '"trustedArguments" needs flow control'],
    ['flow.onUntrusted', tool('{ flow: { onUntrusted: deny } }'), '"onUntrusted" needs flow control'],
    ['format', tool('{ arguments: { u: { format: email } } }'), '"format" needs checked formats'],
    [
      'a secret',
      'version: 1\nservers: { a: { command: [/a], env: { K: "x$\u007bsecret:v:k}" } } }',
      '"K" needs secret providers',
    ],
  ])('%s', (_title, text, message) => {
    expect(problems(text).some((problem) => problem.message.startsWith(message) && problem.line > 0)).toBe(true);
  });
});

describe('[T1.6] parsePolicy refuses what is mistaken', () => {
  it.each<[string, string, string]>([
    ['no version', 'tools: {}', 'the policy: needs the property "version"'],
    ['another version', 'version: 2', '"version": expected 1'],
    ['another effect', 'version: 1\ndefaults: { effect: allow }', 'unknown key "effect"'],
    ['a tool name with a slash', 'version: 1\ntools: { "a/b": {} }', 'the name "a/b"'],
    ['a long tool name', `version: 1\ntools: { ${'a'.repeat(129)}: {} }`, 'the name'],
    ['two tools in one case', 'version: 1\ntools: { abc: {}, ABC: {} }', '"ABC" and "abc" can name the same tool'],
    [
      'a tool under a wildcard',
      'version: 1\ntools: { mcp__a__b: {}, "mcp__a__*": {} }',
      '"mcp__a__b" and "mcp__a__*" can',
    ],
    ['two wildcards', 'version: 1\ntools: { "a*": {}, "*b": {} }', '"*b" and "a*" can name the same tool'],
    ['a server name in capitals', 'version: 1\nservers: { A: { command: [/a] } }', 'the name "A"'],
    [
      'a bare program',
      'version: 1\nservers: { a: { command: [node, x.js] } }',
      'the program "node" is not an absolute path',
    ],
    [
      'a relative program',
      'version: 1\nservers: { a: { command: [./x] } }',
      'the program "./x" is not an absolute path',
    ],
    ['npx', 'version: 1\nservers: { a: { command: [/usr/bin/npx, -y, x] } }', '"npx" runs whatever the registry has'],
    [
      'npx in a shell',
      'version: 1\nservers: { a: { command: [/bin/sh, -c, "exec npx -y x"] } }',
      '"npx" runs whatever',
    ],
    ['npm exec', 'version: 1\nservers: { a: { command: [/usr/bin/npm, --yes, exec, x] } }', '"npm exec" runs whatever'],
    ['uvx', 'version: 1\nservers: { a: { command: [/usr/bin/env, uvx, x] } }', '"uvx" runs whatever'],
    ['@latest', 'version: 1\nservers: { a: { command: [/bin/run, x@latest] } }', '"@latest" runs whatever'],
    [
      'command and url',
      'version: 1\nservers: { a: { command: [/a], url: "https://x.example" } }',
      'a server has a command',
    ],
    ['cleartext', 'version: 1\nservers: { a: { url: "http://x.example/mcp" } }', 'http:// to another machine'],
    ['credentials in a URL', 'version: 1\nservers: { a: { url: "https://u:p@x.example" } }', 'credentials in a URL'],
    ['another scheme', 'version: 1\nservers: { a: { url: "file:///x" } }', 'not an http or https URL'],
    [
      'env of a remote server',
      'version: 1\nservers: { a: { url: "https://x.example", env: { A: b } } }',
      'env is for servers',
    ],
    ['a duration without unit', tool('{ limits: { timeout: 30 } }'), '"timeout": expected string'],
    ['a duration of two days', tool('{ limits: { timeout: 48h } }'), '48h is longer than 24 hours'],
    ['an unmeetable enum', tool('{ arguments: { a: { enum: [] } } }'), '"enum": expected at least 1 items'],
    ['an enum of another type', tool('{ arguments: { a: { enum: [x], type: number } } }'), 'no value can meet'],
    ['a crossed range', tool('{ arguments: { a: { minLength: 5, maxLength: 4 } } }'), 'no value can meet'],
    ['a constraint that is false', tool('{ arguments: { a: false } }'), 'no value can meet'],
    ['a pattern with look-ahead', tool('{ arguments: { a: { pattern: "(?=a)" } } }'), 'the schema at /pattern'],
    [
      'an unknown keyword',
      tool('{ arguments: { a: { maxlength: 5 } } }'),
      'unknown key "maxlength", did you mean maxLength?',
    ],
    [
      'as below an item of an item',
      tool('{ arguments: { a: { items: { items: { as: file_read } } } } }'),
      'unknown key "as"',
    ],
    ['no arguments', tool('{ arguments: {} }'), '"arguments": expected at least 1 properties'],
    [
      'an entry inside a denied one',
      tool('{ allowedPaths: [secrets/pub], deniedPaths: [secrets/] }'),
      '"secrets/pub" can never',
    ],
    [
      'an entry that is denied by name',
      tool('{ allowedPaths: [a/.ENV], deniedPaths: [.env] }'),
      '"a/.ENV" can never be used',
    ],
    [
      'a glob below a denied folder',
      tool('{ allowedPaths: ["x/*.md"], deniedPaths: [x] }'),
      '"x/*.md" can never be used',
    ],
    ['the same glob twice', tool('{ allowedPaths: ["*.key"], deniedPaths: ["*.key"] }'), '"*.key" can never be used'],
    ['everything, denied', tool('{ allowedPaths: [.], deniedPaths: ["**"] }'), '"." can never be used'],
    [
      'a glob by its last segment',
      tool('{ allowedPaths: ["a/**/*.key"], deniedPaths: ["*.key"] }'),
      '"a/**/*.key" can never',
    ],
    ['an entry in /proc', tool('{ allowedPaths: [/proc/self] }'), '"/proc/self" can never be used'],
    [
      'an exemption before a denial',
      tool('{ allowedPaths: [.], deniedPaths: ["!a", b] }'),
      'exemptions (!) stand after',
    ],
    ['an exemption alone', tool('{ allowedPaths: [.], deniedPaths: ["!a"] }'), 'an exemption with nothing'],
    ['a comment as an entry', tool('{ deniedPaths: ["#x"] }'), 'this entry cannot be used: # begins a comment'],
    ['~ in a path', tool('{ allowedPaths: ["~/x"] }'), 'this entry cannot be used: ~ is not expanded'],
    ['a drive', tool('{ allowedPaths: ["C:/x"] }'), 'this entry cannot be used: paths are written with single /'],
    ['backslashes', tool('{ deniedPaths: ["a\\\\b"] }'), 'this entry cannot be used: a backslash that escapes nothing'],
    ['.. in a denied path', tool('{ deniedPaths: [../x] }'), 'this entry cannot be used: .. has no meaning'],
    ['.. inside an allowed path', tool('{ allowedPaths: [a/../b] }'), 'this entry cannot be used: .. may only lead'],
    ['a class without an end', tool('{ deniedPaths: ["[a"] }'), 'this entry cannot be used: a [ without its ]'],
    [
      'a secret in a command',
      `version: 1\nservers: { s: { command: [/bin/true, "${SECRET}"] } }`,
      `"${SECRET}" is a secret reference`,
    ],
    [
      'a secret in a url',
      `version: 1\nservers: { s: { url: "https://h/?k=${SECRET}" } }`,
      `"https://h/?k=${SECRET}" is a secret reference`,
    ],
    [
      'a secret in the environment, with a space',
      `version: 1\nservers: { s: { command: [/bin/true], env: { T: "${SPACED}" } } }`,
      `"${SPACED}" is a secret reference`,
    ],
    ['a secret in a constraint', tool(`{ arguments: { a: { const: "${SECRET}" } } }`), `"${SECRET}" is a secret`],
    ['a secret as a key', tool(`{ arguments: { "${SECRET}": {} } }`), `"${SECRET}" is a secret`],
    ['as without a rule for it', tool('{ arguments: { a: { as: file_read } } }'), 'as: file_read can never be allowed'],
    [
      'a control file to be written',
      'version: 1\ntools: { file_write: { allowedPaths: [.GIT/config] } }',
      '".GIT/config" can never be used: ".GIT" is a control file',
    ],
    [
      'a caller with a space at its edge',
      'version: 1\nprincipals: { a: { match: { agent: "x " }, tools: [] } }',
      'a space at its edge',
    ],
    ['a space at the end', tool('{ deniedPaths: ["secrets "] }'), 'this entry cannot be used: a space at its edge'],
    ['a space at the beginning', tool('{ allowedPaths: [" src"] }'), 'this entry cannot be used: a space at its edge'],
    [
      'a POSIX class',
      tool('{ deniedPaths: ["[[:digit:]]*"] }'),
      'this entry cannot be used: classes such as [:digit:]',
    ],
    [
      'braces',
      tool('{ deniedPaths: ["*.{key,pem}"] }'),
      'this entry cannot be used: {a,b} has no meaning in gitignore: write one entry for each',
    ],
    ['an empty entry', tool('{ deniedPaths: [" "] }'), 'this entry cannot be used: an empty path'],
    [
      'paths that nothing is judged by',
      'version: 1\ntools: { mcp__a__b: { allowedPaths: [x] } }',
      'allowedPaths without an argument',
    ],
    [
      'a principal without a match',
      'version: 1\nprincipals: { a: { match: {}, tools: [] } }',
      '"match": expected at least 1',
    ],
    ['no principals', 'version: 1\nprincipals: {}', '"principals": expected at least 1'],
    [
      '* inside a match',
      'version: 1\nprincipals: { a: { match: { agent: "a*b" }, tools: [] } }',
      '* may stand at the end only',
    ],
    [
      'a tool without a rule',
      'version: 1\nprincipals: { a: { match: { agent: x }, tools: [t] } }',
      'no rule under tools: is for "t"',
    ],
  ])('%s', (_title, text, message) => {
    expect(problems(text).map((problem) => problem.message.slice(0, message.length))).toContain(message);
  });

  it('more rules than the limit', () => {
    const tools = Array.from({ length: 10_001 }, (_, index) => `t${index}: {}`).join(', ');
    expect(placesOf(`version: 1\ntools: { ${tools} }`)).toEqual(['1:1 the policy has 10001 rules, at most 10000']);
  });

  it('warns about servers that are not there and about the whole file system', () => {
    const text = 'version: 1\ntools: { mcp__x__y: {}, t: { allowedPaths: [/] } }';
    expect(parsePolicy(text, { file: 'p' }).warnings.map(({ line, column }) => [line, column])).toEqual([
      [2, 10],
      [2, 45],
    ]);
  });
});

describe('policyFromObject', () => {
  it('names places by pointers', () => {
    expect(problemsOf(() => policyFromObject({ version: 1, tools: { t: { audits: true } } }))).toMatchObject([
      { file: 'policy', line: 0, column: 0, pointer: '/tools/t/audits' },
    ]);
    expect(() => policyFromObject({ version: 1, tools: { t: { audits: true } } }, { file: 'mine' })).toThrow(
      'mine: /tools/t/audits: unknown key',
    );
  });

  it.each([null, 1, [], () => 1, new Map(), Symbol('x'), { version: 1, x: 2n }])('refuses %s', (value) => {
    expect(problemsOf(() => policyFromObject(value)).length).toBe(1);
  });

  it('copies: later changes do not reach the policy', () => {
    const source = { version: 1, tools: { t: { allowedPaths: ['a'] } } };
    const policy = policyFromObject(source);
    source.tools.t.allowedPaths.push('b');
    expect(policy.tools[0]?.allowedPaths?.map(({ text }) => text)).toEqual(['a']);
    expect(Object.isFrozen(policy.tools[0]?.allowedPaths)).toBe(true);
  });
});

describe('policySchema', () => {
  it('is a schema that an editor can use', () => {
    expect(policySchema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema');
    expect(JSON.stringify(policySchema).length).toBeLessThan(65_536);
  });
});
