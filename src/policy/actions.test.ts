import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { principal } from '../../test/support/policy-facts.ts';
import { actionName, isPlainUri, matchesUri, readActionName } from './actions.ts';
import { compilePolicy } from './compile.ts';
import { decide, mayBeAllowed } from './decide.ts';
import { parsePolicy } from './parse.ts';

describe('URI patterns', () => {
  it.each([
    ['test://static/**', 'test://static/a/b', true],
    ['test://static/*', 'test://static/a', true],
    ['test://static/*', 'test://static/a/b', false],
    ['test://*/data', 'test://x/data', true],
    ['test://*/data', 'test://x/y/data', false],
    ['**', 'anything:at/all', true],
    ['file:///w/**.md', 'file:///w/a/b.md', true],
    ['file:///w/**.md', 'file:///w/a/b.mdx', false],
    ['a:b', 'A:b', false],
    ['a:*b*b', 'a:xbxbxb', true],
    ['a:**b*', 'a:x/b/c', false],
    ['a:', 'a:', true],
  ])('%s names %s: %s', (pattern, uri, expected) => {
    expect(matchesUri(pattern, uri)).toBe(expected);
  });

  it('agrees with a regular expression that says the same', () => {
    const letters = fc.constantFrom('a', 'b', '/', '*', '**');
    const property = fc.property(
      fc.array(letters, { maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 10 }),
      (parts, text) => {
        const pattern = parts.join('');
        const translated = pattern.replaceAll(/\*\*|\*/g, (star) => (star === '**' ? '.*' : '[^/]*'));
        expect(matchesUri(pattern, text)).toBe(new RegExp(`^(?:${translated})$`).test(text));
      },
    );
    fc.assert(property, { numRuns: 3_000 });
  });

  it('takes no more time for a hostile pattern than the product of the lengths', () => {
    expect(matchesUri('a*'.repeat(1_000), `${'a'.repeat(2_000)}b/`)).toBe(false);
  });

  it.each([
    ['docs:*-*', `docs:${'-'.repeat(2_043)}`],
    ['docs:*-*-*', `docs:${'-'.repeat(2_043)}`],
    ['docs://*/*-*-*.md', `docs://a/${'-'.repeat(2_039)}`],
    ['docs:**-**-**', `docs:${'-'.repeat(2_043)}`],
  ])('%s goes over a URI of separators once for each of its parts', (pattern, uri) => {
    const steps = vi.spyOn(Set.prototype, 'add');
    matchesUri(pattern, uri);
    const count = steps.mock.calls.length;
    steps.mockRestore();
    expect(count).toBeGreaterThan(uri.length - 10);
    expect(count).toBeLessThanOrEqual(pattern.length * (uri.length + 1));
  });

  it.each([
    'file:x',
    'FILE:x/y',
    'file:',
    'http://h/a/..;/b',
    'http://h/a/..;x=1/b',
    'http://h/a/..%3b/b',
    'file:///w/../etc/passwd',
    'file:///w/%2e%2e/etc',
    'file:///w/a%2fb',
    'file:///w/a%5Cb',
    'file:///w/a\\b',
    'file:///w/.',
    'x:..',
    'test://a/b c',
    'test://a/\u202e',
    'no-scheme',
    'x:%zz',
    'x:%252e',
    `x:${'a'.repeat(3_000)}`,
  ])('%s is not plain', (uri) => {
    expect(isPlainUri(uri)).toBe(false);
  });

  it.each(['test://static/1', 'file:///w/a.b..c/%20', 'urn:x:y', 'sallyport.docs:test://a?b=c#d', 'data:text/plain,a'])(
    '%s is plain',
    (uri) => {
      expect(isPlainUri(uri)).toBe(true);
    },
  );
});

const POLICY = `version: 1
defaults: { isolation: none }
tools:
  file_read: { allowedPaths: [src/], deniedPaths: [.env] }
servers:
  docs:
    url: https://docs.example/mcp
    resources: ["test://static/**"]
    prompts: [greet_*]
    subscriptions: true
  bare: { url: https://bare.example/mcp }
principals:
  all: { match: { agent: "*" }, tools: ["mcp__docs:*", "mcp__bare:*"] }
  reader: { match: { agent: reader }, tools: [file_read] }
`;
const compiled = compilePolicy(parsePolicy(POLICY, { file: 'p.yaml' }), { root: '/w', tools: ['file_read'] });
const facts = (tool: string, args: Record<string, string>) => ({
  ...{ tool, arguments: args, principal: principal('someone'), paths: {} },
  ...{ runs: 'remote' as const, uncertain: false },
});
const decided = (tool: string, args: Record<string, string> = {}): string => {
  const decision = decide(compiled, facts(tool, args));
  return decision.effect === 'allow' ? `allow ${decision.rule.id}` : `${decision.code} ${decision.rule.id}`;
};

describe('[T1.10] actions of servers', () => {
  it.each([
    ['mcp__docs:resources/read', { uri: 'test://static/a' }, 'allow servers.docs.resources[0]'],
    ['mcp__docs:resources/read', { uri: 'test://other/a' }, 'RESOURCE_NOT_ALLOWED servers.docs.resources'],
    ['mcp__docs:resources/read', { uri: 'test://static/../other' }, 'URI_MALFORMED builtin.URI_MALFORMED'],
    ['mcp__docs:resources/subscribe', { uri: 'test://other/a' }, 'RESOURCE_NOT_ALLOWED servers.docs.resources'],
    ['mcp__docs:resources/list', {}, 'allow servers.docs.resources[0]'],
    ['mcp__docs:prompts/get', { name: 'greet_me' }, 'allow servers.docs.prompts[0]'],
    ['mcp__docs:prompts/get', { name: 'other' }, 'PROMPT_NOT_ALLOWED servers.docs.prompts'],
    ['mcp__docs:completion/complete', {}, 'ACTION_NOT_ALLOWED servers.docs'],
    ['mcp__docs:sampling/createMessage', {}, 'ACTION_NOT_ALLOWED servers.docs'],
    ['mcp__docs:notifications/progress', {}, 'allow servers.docs'],
    ['mcp__docs:made/up', {}, 'ACTION_NOT_ALLOWED builtin.ACTION_NOT_ALLOWED'],
    ['mcp__bare:resources/list', {}, 'ACTION_NOT_ALLOWED servers.bare'],
    ['mcp__none:resources/list', {}, 'PRINCIPAL'],
  ])('%s %j: %s', (tool, args, expected) => {
    if (expected === 'PRINCIPAL') expect(decided(tool, args)).toContain('TOOL_NOT_ALLOWED');
    else expect(decided(tool, args)).toBe(expected);
  });

  it('are closed to a principal whose list does not name them', () => {
    const action = actionName('docs', 'resources/list');
    const only = principal('reader');
    const narrow = compilePolicy(parsePolicy(POLICY.replace(/\n {2}all:.*/, ''), { file: 'p.yaml' }), {
      root: '/w',
      tools: ['file_read'],
    });
    expect([mayBeAllowed(compiled, action, only), mayBeAllowed(narrow, action, only)]).toEqual([true, false]);
    expect(decide(narrow, { ...facts(action, {}), principal: only })).toMatchObject({ code: 'TOOL_NOT_ALLOWED' });
  });

  it('need an isolation that is stated', () => {
    const unstated = parsePolicy(POLICY.replace('defaults: { isolation: none }\n', ''), { file: 'p.yaml' });
    const bound = compilePolicy(unstated, { root: '/w', tools: [] });
    const decision = decide(bound, facts('mcp__docs:resources/list', {}));
    expect(decision).toMatchObject({ effect: 'deny', code: 'ISOLATION_UNSTATED' });
  });

  it('refuse a path that file_read withholds, and the state folder', () => {
    const reading = {
      given: '.env',
      lexical: '/w/.env',
      real: '/w/.env',
      kind: 'file',
      links: 1,
      identity: 'x',
    } as const;
    const read = (more: object) =>
      decide(compiled, {
        ...facts('mcp__docs:resources/read', { uri: 'test://static/a' }),
        paths: { uri: { use: 'file_read', reading: { ...reading, controlFile: false, ...more } } },
      });
    expect(read({})).toMatchObject({ effect: 'deny', code: 'PATH_DENIED' });
    const state = read({ real: '/s/log', lexical: '/s/log', given: '/s/log', controlFile: true, stateFolder: true });
    expect(state).toMatchObject({ effect: 'deny', code: 'PATH_CONTROL_FILE' });
    expect(read({ real: '/w/src/a', lexical: '/w/src/a', given: 'src/a' })).toMatchObject({ effect: 'allow' });
  });

  it('have names that no tool has', () => {
    expect(readActionName('mcp__docs:resources/read')).toEqual({ server: 'docs', method: 'resources/read' });
    expect([readActionName('mcp__docs__read'), readActionName('mcp__Docs:x'), readActionName('x:y')]).toEqual([
      null,
      null,
      null,
    ]);
  });
});

describe('expose: as-is', () => {
  it('loads for one server only', () => {
    const text = 'version: 1\nservers:\n  a: { url: "https://a.example", expose: as-is }\n';
    expect(parsePolicy(text, { file: 'p' }).servers.get('a')?.expose).toBe('as-is');
    expect(() => parsePolicy(`${text}  b: { url: "https://b.example" }\n`, { file: 'p' })).toThrow('stands alone');
  });
});
