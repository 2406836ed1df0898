import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EMPTY_ROOT, leafHash, leafHashInPlace, nodeHash, rootOfHashes } from './merkle.ts';
import { tilePath } from './tile-path.ts';
import { type Tile, TileTree } from './tile-tree.ts';

/** The leaves and roots that the certificate transparency projects test with. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const entry = (seq: number): Buffer => Buffer.from(`entry ${seq}`);

/** RFC 6962 section 2.1, as it is written. */
function plainRoot(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(leaves[0]!);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(plainRoot(leaves.slice(0, split)), plainRoot(leaves.slice(split)));
}

function grow(size: number): { tree: TileTree; tiles: Tile[] } {
  const tree = new TileTree();
  const tiles: Tile[] = [];
  for (let seq = 0; seq < size; seq++) tiles.push(...tree.append(leafHash(entry(seq)).toString('latin1')));
  return { tree, tiles };
}

describe('rootOfHashes and TileTree', () => {
  it.each(ROOTS.map((root, size) => [size, root] as const))('have the known root of %i leaves', (size, root) => {
    const tree = new TileTree();
    const hashes = LEAVES.slice(0, size).map((leaf) => leafHash(Buffer.from(leaf, 'hex')));
    for (const hash of hashes) tree.append(hash.toString('latin1'));
    expect(tree.root().toString('hex')).toBe(root);
    if (size > 0) expect(rootOfHashes(Buffer.concat(hashes), size).toString('hex')).toBe(root);
  });

  it('hash a leaf in place without changing the buffer', () => {
    const buffer = Buffer.from('xyabcz');
    expect(leafHashInPlace(buffer, 2, 5)).toBe(leafHash(Buffer.from('abc')).toString('latin1'));
    expect(leafHashInPlace(buffer, 0, 2)).toBe(leafHash(Buffer.from('xy')).toString('latin1'));
    expect(buffer.toString()).toBe('xyabcz');
  });
});

describe('TileTree', () => {
  it.each([255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537])('has the root of RFC 6962 at %i leaves', (size) => {
    const leaves = Array.from({ length: size }, (_, seq) => entry(seq));
    expect(grow(size).tree.root().equals(plainRoot(leaves))).toBe(true);
  });

  it('goes on from its tiles as if it had never stopped', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_200 }), fc.integer({ min: 0, max: 600 }), (size, more) => {
        const { tree } = grow(size);
        const partial = tree.partialTiles();
        const loaded = TileTree.load(size, (level) => partial.find((tile) => tile.level === level)!.hashes);
        for (let seq = size; seq < size + more; seq++) loaded.append(leafHash(entry(seq)).toString('latin1'));
        return loaded.root().equals(grow(size + more).tree.root());
      }),
      { numRuns: 25 },
    );
  });

  it('completes the tiles of each level in order', () => {
    const names = grow(131_072).tiles.map(({ level, index, width }) => tilePath(level, index, width));
    expect(names.filter((name) => name.startsWith('tile/1/'))).toEqual(['tile/1/000', 'tile/1/001']);
    expect(names.filter((name) => name.startsWith('tile/0/'))).toHaveLength(512);
  });
});

describe('tilePath', () => {
  it.each([
    [0, 0, 256, 'tile/0/000'],
    [0, 1_234_067, 256, 'tile/0/x001/x234/067'],
    [1, 999, 8, 'tile/1/999.p/8'],
    ['entries' as const, 1_000, 1, 'tile/entries/x001/000.p/1'],
    ['blobs' as const, 1_000, 1, 'blobs/x001/000'],
  ])('writes %s %i width %i as c2sp.org/tlog-tiles does', (kind, index, width, path) => {
    expect(tilePath(kind, index, width)).toBe(path);
  });
});
