import { describe, expect, it } from 'vitest';
import { decideBy, pathFacts, plainReading, verdictOf } from '../../test/support/policy-facts.ts';
import type { PathFacts } from './index.ts';

const verdict = (text: string, tool: string, given: string, more: Partial<PathFacts> = {}): string =>
  verdictOf(decideBy(text, pathFacts(tool, plainReading(given, more))));

const allowing = (...entries: string[]): string =>
  `version: 1\ntools: { file_read: { allowedPaths: ${JSON.stringify(entries)} } }`;
const denying = (...entries: string[]): string =>
  `version: 1\ntools: { file_read: { allowedPaths: [., /srv/data], deniedPaths: ${JSON.stringify(entries)} } }`;

describe('decide: allowedPaths', () => {
  it.each<[entry: string, path: string, allowed: boolean]>([
    ['src/', 'src/a/b.ts', true],
    ['src', 'src/a.ts', true],
    ['src/', 'src', true],
    ['./src//', 'src/a.ts', true],
    ['src/', 'srcx/a.ts', false],
    ['src/', 'Src/a.ts', false],
    ['src/', 'other/src/a.ts', false],
    ['.', 'a', true],
    ['.', '../project-evil/a', false],
    ['package.json', 'package.json', true],
    ['package.json', 'a/package.json', false],
    ['../shared', '../shared/x', true],
    ['../shared', '../sharedx', false],
    ['/srv/data/', '/srv/data/x', true],
    ['/srv/data', '/srv/database', false],
    ['src/*.ts', 'src/a.ts', true],
    ['src/*.ts', 'src/a/b.ts', false],
    ['src/*', 'src/a', true],
    ['src/*', 'src/a/b', false],
    ['src/*/', 'src/a/b', true],
    ['src/**', 'src/a/b/c', true],
    ['src/**', 'src', false],
    ['src/**/x', 'src/x', true],
    ['src/**/x', 'src/a/b/x', true],
    ['src/**/x', 'src/a/b/x/y', false],
    ['**/*.md', 'a/b/c.md', true],
    ['**/*.md', 'c.md', true],
    ['**/*.md', '../c.md', false],
    ['*.md', 'a/c.md', false],
    ['a[0-9].txt', 'a5.txt', true],
    ['a[!0-9].txt', 'a5.txt', false],
    ['routes/\\[slug\\]/', 'routes/[slug]/page.ts', true],
    ['routes/[slug]/', 'routes/[slug]/page.ts', false],
    ['ä/', 'a\u0308/x', false],
    ['(a)+/', '(a)+/x', true],
    ['/srv/*/pub/', '/srv/x/pub/y', true],
    ['/srv/*/pub/', '/srv/x/priv/y', false],
  ])('%s and %s: %s', (entry, path, allowed) => {
    expect(verdict(allowing(entry), 'file_read', path)).toBe(allowed ? 'allow' : 'deny PATH_NOT_ALLOWED');
  });

  it('holds for the real path: what a link shows does not count', () => {
    const text = allowing('src/');
    expect(verdict(text, 'file_read', 'src/link', { real: '/etc/passwd' })).toBe('deny PATH_NOT_ALLOWED');
    expect(verdict(text, 'file_read', 'out/link', { real: '/home/me/project/src/a' })).toBe('allow');
  });

  it('an empty list, or none, allows nothing', () => {
    expect(verdict('version: 1\ntools: { file_read: { allowedPaths: [] } }', 'file_read', 'a')).toBe(
      'deny PATH_NOT_ALLOWED',
    );
    expect(verdict('version: 1\ntools: { file_read: { audit: true } }', 'file_read', 'a')).toBe(
      'deny PATH_NOT_ALLOWED',
    );
  });
});

describe('decide: deniedPaths', () => {
  it.each<[entry: string, path: string]>([
    ['.env', 'a/.env'],
    ['.env', '.ENV'],
    ['.env', '.env.'],
    ['.env', '.env  '],
    ['.env', '.env. . .'],
    ['.env', '.env::$DATA'],
    ['.env', '.env:x.txt'],
    ['.env', '.e\u200bnv'],
    ['.env', '\uff0eenv'],
    ['.env', '.\uff25\uff2e\uff36'],
    ['.env', '%2eenv'],
    ['.env', '%252eenv'],
    ['.env', '.en%76'],
    ['.env', '.env/child'],
    ['secrets/', 'secrets'],
    ['secrets/', 'a/secrets/b/c'],
    ['secrets/', 'secrets./x'],
    ['secrets/', 'secret\u017f/x'],
    ['secrets/', 'secrets:$I30:$INDEX_ALLOCATION/x'],
    ['secrets/', 'secrets\uff0fx'],
    ['stra\u00dfe/', 'STRASSE/x'],
    ['/top', 'top/x'],
    ['a/b', 'a/b/c'],
    ['a/*/c', 'a/x/c/d'],
    ['**/x/y', 'q/r/x/y'],
    ['x/**', 'x/y'],
    ['*.key', 'a/b.key'],
    ['*.key', 'a/b.key/c'],
    ['*.key', 'B.KEY'],
    ['*.[Kk][Ee][Yy]', 'b.key'],
    ['[A-Z]x', 'ax'],
    ['[!a]x', 'bx'],
    ['notes.', 'notes.'],
    ['a:b', 'a:b'],
    ['?.txt', '\u{1f600}.txt'],
    ['./here', 'here'],
    ['/srv/data/private/', '/srv/data/private/x'],
    ['*.key', '/srv/data/x.key'],
    ['\\!important', '!important'],
  ])('%s withholds %s', (entry, path) => {
    expect(verdict(denying(entry), 'file_read', path)).toBe('deny PATH_DENIED');
  });

  it.each<[entry: string, path: string]>([
    ['.env', '.env.example'],
    ['.env', 'a.env'],
    ['secrets/', 'docs/secrets.md'],
    ['/top', 'a/top'],
    ['a/b', 'x/a/b'],
    ['x/**', 'x'],
    ['*.key', 'keyboard.ts'],
    ['*.key', 'monkey'],
    ['[!a]x', 'a/x'],
    ['a/b', '/srv/data/a/b'],
    ['.env', 'docs/100%.md'],
    ['.env', 'docs/r\u00e9sum\u00e9.md'],
    ['.env', 'a%20b.md'],
  ])('%s does not withhold %s', (entry, path) => {
    expect(verdict(denying(entry), 'file_read', path)).toBe('allow');
  });

  it('holds for the path as given, as text and as real path', () => {
    const text = denying('secrets/');
    expect(verdict(text, 'file_read', 'secrets/../src/a')).toBe('deny PATH_DENIED');
    expect(verdict(text, 'file_read', 'a/../secrets/x')).toBe('deny PATH_DENIED');
    expect(verdict(text, 'file_read', 'innocent', { real: '/home/me/project/secrets/x' })).toBe('deny PATH_DENIED');
    expect(verdict(text, 'file_read', 'secrets/link', { real: '/home/me/project/src/a' })).toBe('deny PATH_DENIED');
  });

  it('does not hold for the folders above the root', () => {
    const text = 'version: 1\ntools: { file_read: { allowedPaths: [.], deniedPaths: [project/, me] } }';
    expect(verdict(text, 'file_read', 'a')).toBe('allow');
    expect(verdict(text, 'file_read', '/home/me/project/a')).toBe('allow');
  });

  it.each<[path: string, expected: string]>([
    ['.env.example', 'allow'],
    ['a/.env.example', 'allow'],
    ['.env.Example', 'deny PATH_DENIED'],
    ['.env.example.', 'deny PATH_DENIED'],
    ['.env.example::$DATA', 'deny PATH_DENIED'],
    ['.env%2eexample', 'deny PATH_DENIED'],
    ['.env.local', 'deny PATH_DENIED'],
    ['.env/.env.example', 'deny PATH_DENIED'],
    [`${'a/'.repeat(300)}.env.example`, 'deny PATH_DENIED'],
  ])('an exemption covers exactly what it matches: %s', (path, expected) => {
    expect(verdict(denying('.env*', '!.env.example'), 'file_read', path)).toBe(expected);
  });

  it('the lists of the tool and of the rule that its use names both withhold', () => {
    const text = `version: 1
tools:
  file_read: { allowedPaths: [src/], deniedPaths: ["*.key"] }
  file_list: { allowedPaths: [.], deniedPaths: [private/] }
  file_search: { audit: true }`;
    expect(verdict(text, 'file_list', 'docs')).toBe('allow');
    expect(verdict(text, 'file_list', 'a.key')).toBe('deny PATH_DENIED');
    expect(verdict(text, 'file_list', 'private')).toBe('deny PATH_DENIED');
    expect(verdict(text, 'file_read', 'src/private')).toBe('allow');
    expect(verdict(text, 'file_search', 'src')).toBe('allow');
    expect(verdict(text, 'file_search', 'docs')).toBe('deny PATH_NOT_ALLOWED');
  });
});

describe('decide: what no policy lifts', () => {
  const all = 'version: 1\ntools: { file_read: { allowedPaths: [/, .] }, file_write: { allowedPaths: [/, .] } }';
  it.each<[tool: string, path: string, more: Partial<PathFacts>, expected: string]>([
    ['file_read', '/proc/self/environ', {}, 'deny PATH_SPECIAL_FILE'],
    ['file_read', '/sys/kernel', {}, 'deny PATH_SPECIAL_FILE'],
    ['file_read', '/dev/tty', {}, 'deny PATH_SPECIAL_FILE'],
    ['file_read', '/dev/fd/0', {}, 'deny PATH_SPECIAL_FILE'],
    ['file_read', '/dev', { kind: 'folder' }, 'deny PATH_SPECIAL_FILE'],
    ['file_read', 'link', { real: '/proc/1/environ' }, 'deny PATH_SPECIAL_FILE'],
    ['file_read', '/dev/null', { kind: 'special' }, 'allow'],
    ['file_read', '/device/x', {}, 'allow'],
    ['file_read', 'fifo', { kind: 'special' }, 'deny PATH_SPECIAL_FILE'],
    ['file_read', 'sallyport.yaml', { controlFile: true }, 'allow'],
    ['file_write', 'sallyport.yaml', { controlFile: true }, 'deny PATH_CONTROL_FILE'],
    ['file_write', 'dist/a.js', { controlFile: true, ownCode: true }, 'deny PATH_CONTROL_FILE'],
    ['file_read', 'state/x', { controlFile: true, stateFolder: true }, 'deny PATH_CONTROL_FILE'],
    ['file_read', 'two-names', { links: 2 }, 'confirm PATH_HARD_LINK'],
    ['file_read', 'folder', { kind: 'folder', links: 5 }, 'allow'],
    ['file_read', 'x/%2e%2e/y', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%2fy', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%252fy', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%5cy', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%00', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%c0%afy', {}, 'deny PATH_MALFORMED'],
    ['file_read', 'x%ef%bc%8fy', {}, 'deny PATH_MALFORMED'],
    ['file_read', '100%25', {}, 'allow'],
    ['file_read', '%e9t%e9', {}, 'allow'],
  ])('%s %s', (tool, path, more, expected) => {
    expect(verdict(all, tool, path, more)).toBe(expected);
  });

  it.each(['PATH_MALFORMED', 'PATH_TOO_LONG', 'PATH_TOO_MANY_LINKS', 'PATH_SPECIAL_FILE', 'PATH_UNREADABLE'] as const)(
    'a path that could not be read: %s',
    (trouble) => {
      const facts = pathFacts('file_read', { given: 'x', trouble });
      expect(verdictOf(decideBy(all, facts))).toBe(`deny ${trouble}`);
    },
  );
});

describe('decide: self-running files', () => {
  it.each<[entry: string, path: string, expected: string]>([
    ['.', 'package.json', 'confirm PATH_SELF_RUNNING'],
    ['.', 'PACKAGE.JSON', 'confirm PATH_SELF_RUNNING'],
    ['.', 'package.json.', 'confirm PATH_SELF_RUNNING'],
    ['.', 'a/b/package.json', 'confirm PATH_SELF_RUNNING'],
    ['.', 'package-lock.json', 'allow'],
    ['package.json', 'package.json', 'allow'],
    ['packages/*/package.json', 'packages/a/package.json', 'allow'],
    ['**/*.json', 'package.json', 'confirm PATH_SELF_RUNNING'],
    ['.github/', '.github/workflows/ci.yml', 'confirm PATH_SELF_RUNNING'],
    ['.github/workflows/', '.github/workflows/ci.yml', 'allow'],
    ['.github/workflows/ci.yml', '.github/workflows/ci.yml', 'allow'],
    ['.', 'x/.github/workflows/ci.yml', 'confirm PATH_SELF_RUNNING'],
    ['.', 'node_modules/.bin/tsc', 'confirm PATH_SELF_RUNNING'],
    ['.', 'node_modules/x/index.js', 'confirm PATH_SELF_RUNNING'],
    ['node_modules/x/', 'node_modules/x/index.js', 'allow'],
    ['.', '.hg/hgrc', 'confirm PATH_SELF_RUNNING'],
    ['.', 'a/.gdbinit', 'confirm PATH_SELF_RUNNING'],
    ['.', 'flake.nix', 'confirm PATH_SELF_RUNNING'],
    ['.', '.husky/pre-commit', 'confirm PATH_SELF_RUNNING'],
    ['.', 'my.code-workspace', 'confirm PATH_SELF_RUNNING'],
    ['*.code-workspace', 'my.code-workspace', 'allow'],
    ['tests/', 'tests/conftest.py', 'confirm PATH_SELF_RUNNING'],
    ['.', 'vite.config.mts', 'confirm PATH_SELF_RUNNING'],
    ['.', 'src/app.config.ts', 'allow'],
    ['.', 'docs/makefiles.md', 'allow'],
  ])('with %s, a write of %s: %s', (entry, path, expected) => {
    const text = `version: 1\ntools: { file_write: { allowedPaths: ${JSON.stringify([entry])} } }`;
    expect(verdict(text, 'file_write', path)).toBe(expected);
  });

  it('looks through links, and does not hinder reading', () => {
    const text = 'version: 1\ntools: { file_write: { allowedPaths: [.] }, file_read: { allowedPaths: [.] } }';
    const real = '/home/me/project/package.json';
    expect(verdict(text, 'file_write', 'innocent.txt', { real })).toBe('confirm PATH_SELF_RUNNING');
    expect(verdict(text, 'file_read', 'package.json')).toBe('allow');
  });

  it('a file named with one rule is not named for another', () => {
    const text = 'version: 1\ntools: { file_write: { allowedPaths: [docs/, package.json] } }';
    expect(verdict(text, 'file_write', 'docs/package.json')).toBe('confirm PATH_SELF_RUNNING');
  });
});
