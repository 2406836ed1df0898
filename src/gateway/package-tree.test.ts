import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyTree, removeTree, treeDigest, treeStamp } from './package-tree.ts';

let base: string;
let tree: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'sallyport-tree-'));
  tree = join(base, 'tree');
  mkdirSync(join(tree, 'a/b'), { recursive: true });
  writeFileSync(join(tree, 'a/b/file.js'), 'x', { mode: 0o644 });
  writeFileSync(join(tree, 'run'), 'y', { mode: 0o755 });
});
afterEach(() => removeTree(base));

describe('treeDigest', () => {
  it.each<[string, () => void]>([
    ['a content', () => writeFileSync(join(tree, 'run'), 'z')],
    ['a mode', () => chmodSync(join(tree, 'run'), 0o644)],
    ['a file more', () => writeFileSync(join(tree, 'a/c'), '')],
    ['an empty folder more', () => mkdirSync(join(tree, 'c'))],
    ['a hidden file more', () => writeFileSync(join(tree, 'a/.x'), '')],
  ])('and treeStamp change with %s', async (_title, change) => {
    const before = [await treeDigest(tree), await treeStamp(tree)];
    expect([await treeDigest(tree), await treeStamp(tree)]).toEqual(before);
    change();
    expect(await treeDigest(tree)).not.toBe(before[0]);
    expect(await treeStamp(tree)).not.toBe(before[1]);
  });

  it('does not tell copies apart', async () => {
    await copyTree(tree, join(base, 'one'));
    await copyTree(join(base, 'one'), join(base, 'two'));
    expect(await treeDigest(join(base, 'one'))).toBe(await treeDigest(join(base, 'two')));
  });
});

describe('copyTree', () => {
  it('keeps of modes only whether a file runs, and nothing that can be written', async () => {
    chmodSync(join(tree, 'run'), 0o4777);
    const copy = join(base, 'copy');
    await copyTree(tree, copy, ['a/b/file.js']);
    const mode = (path: string): number => statSync(join(copy, path)).mode & 0o7777;
    expect([mode(''), mode('a'), mode('run')]).toEqual([0o555, 0o555, 0o555]);
    expect(readdirSync(join(copy, 'a/b'))).toEqual([]);
  });

  it('copies a file with several names: the others lead nowhere', async () => {
    linkSync(join(tree, 'run'), join(tree, 'again'));
    await copyTree(tree, join(base, 'copy'));
    expect(statSync(join(base, 'copy/again')).nlink).toBe(1);
  });

  it.each<[string, () => void]>([
    ['a link', () => symlinkSync('a/b/file.js', join(tree, 'link'))],
    ['a link to a folder outside', () => symlinkSync('/etc', join(tree, 'etc'))],
    ['a pipe', () => execFileSync('mkfifo', [join(tree, 'pipe')])],
    ['a name that is not UTF-8', () => writeFileSync(Buffer.from(`${tree}/\xff`, 'latin1'), '')],
    ['folders without end', () => mkdirSync(join(tree, 'd/'.repeat(70)), { recursive: true })],
  ])('refuses %s', async (_title, spoil) => {
    spoil();
    await expect(copyTree(tree, join(base, 'copy'))).rejects.toMatchObject({ code: 'PACKAGE_REFUSED' });
  });

  it('refuses a tree that is a link itself', async () => {
    symlinkSync(tree, join(base, 'link'));
    await expect(copyTree(join(base, 'link'), join(base, 'copy'))).rejects.toMatchObject({ code: 'PACKAGE_REFUSED' });
  });
});
