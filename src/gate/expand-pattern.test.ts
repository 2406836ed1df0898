import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../../test/support/workspace.ts';
import { expandPattern } from './expand-pattern.ts';

let workspace: Workspace;
beforeAll(() => {
  workspace = makeWorkspace('version: 1', { 'src/a.ts': '', 'src/b.ts': '', 'src/.hidden': '', 'lib/a.ts': '' });
  symlinkSync('../lib', join(workspace.root, 'src', 'link'));
});
afterAll(() => workspace.remove());

test.each<[string, readonly string[]]>([
  ['src/*.ts', ['src/a.ts', 'src/b.ts']],
  // More than bash would find: what lies below a file does not exist, and is judged all the same.
  ['*/a.ts', ['lib/a.ts', 'sallyport.yaml/a.ts', 'src/a.ts']],
  ['src/*/a.ts', ['src/a.ts/a.ts', 'src/b.ts/a.ts', 'src/link/a.ts']],
  ['src/.*', ['src/.', 'src/..', 'src/.hidden']],
  ['src/[ab].ts', ['src/a.ts', 'src/b.ts']],
  ['nowhere/*', []],
])('%s', (pattern, expected) => {
  expect([...expandPattern(pattern, workspace.root, { patternMatches: 10 })].sort()).toEqual(expected);
});

test('one more than the limit at most, so that too many can be told', () => {
  expect(expandPattern('src/*.ts', workspace.root, { patternMatches: 1 })).toHaveLength(2);
});
