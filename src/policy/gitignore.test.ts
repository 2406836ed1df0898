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

function ignoredByGit(patterns: readonly string[], paths: readonly string[] = PATHS): Set<string> {
  writeFileSync(join(folder, '.gitignore'), `${patterns.join('\n')}\n`);
  const args = [
    '-C',
    folder,
    '-c',
    'core.excludesFile=/dev/null',
    '-c',
    'core.ignoreCase=false',
    'check-ignore',
    '--no-index',
    '--stdin',
    '-z',
  ];
  const { stdout } = spawnSync('git', args, {
    input: `${paths.map((path) => `./${path}`).join('\0')}\0`,
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

const MIXED = [
  'Ab',
  'ab',
  'aB',
  'É',
  'é',
  'e\u0301',
  'ß',
  'keyß.pem',
  'keyﬁ.txt',
  '№1',
  'Σς',
  'x y',
  'A.X',
  '1a',
  'İ',
  'ﬀ',
];
const MIXED_PATHS = [...MIXED, ...MIXED.map((name) => `d/${name}`), ...MIXED.map((name) => `${name}/k`)];

describe.skipIf(!hasGit)('deniedPaths withholds at least what git ignores, in any case and script', () => {
  const patterns = [
    ...[
      '[!a-z]*',
      '[!A-Z]*',
      '[^a-z]b',
      '[A-Z]*',
      '[a-z][!a-z]',
      '??',
      '???',
      '?',
      '?1',
      '[é]',
      '[é]?',
      '[!é]',
      '*ß*',
      'ß',
    ],
    ...[
      '[ß]',
      'key?.pem',
      'key??.pem',
      'key???.txt',
      '*\u0301',
      '/É',
      'd/[!a-z]*',
      '**/[!a-z]*/k',
      'İ',
      '[^0-9]*',
      '*[!a-z]',
    ],
  ];
  it.each(patterns)('%s', (text) => {
    const lists = bindPathLists(null, [{ text, rule: { id: text } }], '/root');
    const ignored = ignoredByGit([text], MIXED_PATHS);
    const missed = MIXED_PATHS.filter(
      (path) => ignored.has(path) && findDenied(lists, readTarget(path, '/root')) === null,
    );
    expect(missed).toEqual([]);
  });

  it('and what a person means by one character', () => {
    const lists = bindPathLists(null, [{ text: 'key?.pem', rule: { id: 'k' } }], '/root');
    expect(findDenied(lists, readTarget('keyß.pem', '/root'))).not.toBe(null);
  });

  it('an exemption counts for a class as for any pattern', () => {
    const entries = ['[!a-z]*', '!Ab'].map((text) => ({ text, rule: { id: text } }));
    const lists = bindPathLists(null, entries, '/root');
    expect(findDenied(lists, readTarget('Ab', '/root'))).toBe(null);
    expect(findDenied(lists, readTarget('Abc', '/root'))).not.toBe(null);
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
