import { describe, expect, it } from 'vitest';
import { readPackageSpec } from './package-spec.ts';
import { policyFromObject } from './parse.ts';

describe('readPackageSpec', () => {
  it.each([
    ['@acme/github-mcp@1.4.2', '@acme/github-mcp', '1.4.2'],
    ['server@0.0.1-rc.1', 'server', '0.0.1-rc.1'],
    ['a.b_c-d@10.20.30', 'a.b_c-d', '10.20.30'],
    ['x@1.0.0-0', 'x', '1.0.0-0'],
  ])('reads %s', (text, name, version) => {
    expect(readPackageSpec(text)).toEqual({ name, version });
  });

  it.each([
    ['server', 'has no version'],
    ['server@', 'has no version'],
    ['@acme/server', 'has no version'],
    ['server@latest', 'is a tag'],
    ['server@next', 'is a tag'],
    ['server@^1.2.3', 'range'],
    ['server@~1.2.3', 'range'],
    ['server@1', 'range'],
    ['server@1.2', 'range'],
    ['server@1.x', 'range'],
    ['server@x', 'range'],
    ['server@*', 'range'],
    ['server@>=1.0.0 <2.0.0', 'range'],
    ['server@1.0.0 || 2.0.0', 'range'],
    ['server@v1.2.3', 'range'],
    ['server@01.2.3', 'range'],
    ['server@1.2.3-01', 'range'],
    ['server@1.2.3+build', 'build metadata'],
    ['git+https://example.com/a.git@1.0.0', 'git repository'],
    ['server@git+ssh://git@example.com/a.git', 'git repository'],
    ['git@example.com:acme/a.git', 'git repository'],
    ['https://example.com/a.tgz', 'URL'],
    ['server@http://example.com/a.tgz', 'URL'],
    ['server@npm:other@1.0.0', 'alias'],
    ['server@file:../a', 'folder'],
    ['../a@1.0.0', 'folder'],
    ['./a@1.0.0', 'folder'],
    ['/a@1.0.0', 'folder'],
    ['~/a@1.0.0', 'folder'],
    ['acme/server@1.0.0', 'repository'],
    ['github:acme/server@1.0.0', 'repository'],
    ['Server@1.0.0', 'not the name'],
    ['.server@1.0.0', 'not the name'],
    ['_server@1.0.0', 'not the name'],
    ['@/x@1.0.0', 'folder'],
    ['@a/../b@1.0.0', 'not the name'],
    ['--registry=x@1.0.0', 'not the name'],
    ['node_modules@1.0.0', 'not the name'],
    ['a b@1.0.0', 'not the name'],
    ['a\n@1.0.0', 'not the name'],
    [`${'a'.repeat(215)}@1.0.0`, 'not the name'],
  ])('refuses %s', (text, why) => {
    expect(readPackageSpec(text)).toContain(why);
  });
});

const server = (rule: object) => policyFromObject({ version: 1, servers: { s: rule } }).servers.get('s');
const problemOf = (rule: object): string => {
  try {
    server(rule);
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : 'unknown';
  }
};

describe('[T1.6] servers.NAME.package', () => {
  it('is read with what belongs to it', () => {
    const integrity = `sha512-${'A'.repeat(86)}==`;
    expect(server({ package: 'a@1.0.0', integrity, bin: 'b', args: ['--x'], env: { A: '1' } })?.package).toEqual({
      ...{ name: 'a', version: '1.0.0', integrity, bin: 'b', args: ['--x'] },
    });
    expect(server({ package: 'a@1.0.0' })).toMatchObject({ command: null, url: null, package: { integrity: null } });
  });

  it.each<[string, object, string]>([
    ['a moving tag', { package: 'a@latest' }, 'is a tag'],
    ['a command besides', { package: 'a@1.0.0', command: ['/a'] }, 'a command, a package or a url'],
    ['a URL besides', { package: 'a@1.0.0', url: 'https://a.example' }, 'a command, a package or a url'],
    ['nothing', {}, 'a command, a package or a url'],
    ['arguments of no package', { command: ['/a'], args: ['b'] }, 'args without package'],
    ['the integrity of no package', { url: 'https://a.example', integrity: `sha512-${'A'.repeat(86)}==` }, 'integrity'],
    ['a weak integrity', { package: 'a@1.0.0', integrity: 'sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=' }, 'integrity'],
    ['a program that is a path', { package: 'a@1.0.0', bin: '../a' }, 'bin'],
  ])('with %s does not load', (_title, rule, message) => {
    expect(problemOf(rule)).toContain(message);
  });
});
