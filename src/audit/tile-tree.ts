import { type BinaryDigest, EMPTY_ROOT, HASH_BYTES, rootOfHashes } from './merkle.ts';
import { hashesAtLevel, TILE_WIDTH } from './tile-path.ts';

/** A tile of the tree: `width` hashes, one after the other. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  readonly hashes: Buffer;
}

interface Edge {
  index: number;
  width: number;
  hashes: Buffer;
}

const NONE: readonly Tile[] = Object.freeze([]);

/**
 * The growing Merkle tree of a log, of which only the right-most tile of each level is kept: memory does not grow with
 * the log (8 KiB a level, a level for each factor of 256).
 */
export class TileTree {
  readonly #edges: Edge[] = [];
  #size = 0;

  /** The tree of `size` leaves, from the partial tiles at its right edge. `tileAt` gives `width` hashes. */
  static load(size: number, tileAt: (level: number, index: number, width: number) => Uint8Array): TileTree {
    const tree = new TileTree();
    tree.#size = size;
    for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
      const edge = tree.#edge(level);
      edge.index = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
      edge.width = hashesAtLevel(size, level) % TILE_WIDTH;
      if (edge.width > 0) edge.hashes.set(tileAt(level, edge.index, edge.width));
    }
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf and returns the tiles that it completed, lowest level first. They are the caller's. */
  append(leaf: BinaryDigest): readonly Tile[] {
    const edge = this.#edge(0);
    edge.hashes.write(leaf, edge.width * HASH_BYTES, 'latin1');
    edge.width += 1;
    this.#size += 1;
    return edge.width < TILE_WIDTH ? NONE : this.#complete();
  }

  #complete(): Tile[] {
    const completed: Tile[] = [];
    for (let level = 0; this.#edge(level).width === TILE_WIDTH; level++) {
      const edge = this.#edge(level);
      completed.push({ level, index: edge.index, width: TILE_WIDTH, hashes: edge.hashes });
      const above = this.#edge(level + 1);
      rootOfHashes(edge.hashes, TILE_WIDTH).copy(above.hashes, above.width * HASH_BYTES);
      above.width += 1;
      edge.index += 1;
      edge.width = 0;
      edge.hashes = newTile();
    }
    return completed;
  }

  /** The partial tiles at the right edge, copied. */
  partialTiles(): Tile[] {
    return this.#edges.flatMap(({ index, width, hashes }, level) =>
      width === 0 ? [] : [{ level, index, width, hashes: Buffer.from(hashes.subarray(0, width * HASH_BYTES)) }],
    );
  }

  /**
   * The root hash (RFC 6962 section 2.1). From the lowest level up: what is left over at the right edge of a level is the
   * last, incomplete subtree of the level above.
   */
  root(): Buffer {
    let remainder: Buffer = Buffer.alloc(0);
    for (const { hashes, width } of this.#edges) {
      const row = Buffer.concat([hashes.subarray(0, width * HASH_BYTES), remainder]);
      remainder = row.length === 0 ? row : rootOfHashes(row, row.length / HASH_BYTES);
    }
    return remainder.length === 0 ? EMPTY_ROOT : remainder;
  }

  #edge(level: number): Edge {
    let edge = this.#edges[level];
    if (edge === undefined) {
      edge = { index: 0, width: 0, hashes: newTile() };
      this.#edges[level] = edge;
    }
    return edge;
  }
}

const newTile = (): Buffer => Buffer.alloc(TILE_WIDTH * HASH_BYTES);
