import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';
import { type SignedCheckpoint, signCheckpoint } from './checkpoint.ts';
import type { Entry } from './entry.ts';
import { encodeBundledEntry, LENGTH_BYTES } from './entry-bundle.ts';
import type { LogLayout } from './layout.ts';
import { isSystemError, type LogFiles, replaceFile, unlessMissing, writeFile } from './log-files.ts';
import { leafHashInPlace } from './merkle.ts';
import { PayloadBundleWriter } from './payload-bundle.ts';
import type { NoteSigner } from './signed-note.ts';
import { TILE_WIDTH, type TileKind, tileWidth } from './tile-path.ts';
import type { Tile, TileTree } from './tile-tree.ts';

/** The right edge of a published log: all that the next checkpoint is made from. */
export interface LogEdge {
  readonly tree: TileTree;
  /** The last checkpoint of `tree`. */
  readonly checkpoint: SignedCheckpoint;
  /** Entries of the bundle that is not full, as they stand in it. */
  readonly bundle: readonly Buffer[];
  readonly payloads: PayloadBundleWriter;
}

/**
 * Turns durable entries into bundles, tiles and a signed checkpoint. One call at a time; after a failure it must not be
 * called again.
 *
 * INVARIANT: a checkpoint is signed when everything it covers is on the disk, and extends the one before; the second copy
 * follows the first, and what it replaces is removed last.
 */
export class Publisher {
  readonly #files: LogFiles;
  readonly #layout: LogLayout;
  readonly #signer: NoteSigner;
  readonly #tree: TileTree;
  #checkpoint: SignedCheckpoint;
  #bundle: Buffer[];
  #payloads: PayloadBundleWriter;
  readonly #foldersMade = new Set<string>();
  #foldersToSync = new Set<string>();

  constructor(files: LogFiles, layout: LogLayout, signer: NoteSigner, edge: LogEdge) {
    this.#files = files;
    this.#layout = layout;
    this.#signer = signer;
    this.#tree = edge.tree;
    this.#checkpoint = edge.checkpoint;
    this.#bundle = [...edge.bundle];
    this.#payloads = edge.payloads;
  }

  /** The last checkpoint. */
  get checkpoint(): SignedCheckpoint {
    return this.#checkpoint;
  }

  /** Publishes entries, the first one being the next of the tree, and returns the checkpoint that covers them. */
  async publish(entries: readonly Entry[]): Promise<SignedCheckpoint> {
    if (entries.length === 0) return this.#checkpoint;
    const before = this.#checkpoint.size;
    for (const entry of entries) {
      const completed = this.#add(entry);
      if (completed.length > 0) await this.#writeFullBundle(completed);
    }
    await this.#writeRightEdge(before);
    await this.#syncFolders();
    await this.#sign();
    await this.#tidy(before);
    return this.#checkpoint;
  }

  async close(): Promise<void> {
    await this.#payloads.close();
  }

  #add(entry: Entry): readonly Tile[] {
    if (entry.seq !== this.#tree.size) throw new SallyportError('INTERNAL', 'entries are published out of order');
    const encoded = encodeBundledEntry(entry.bytes);
    this.#payloads.add(this.#bundle.length, entry.payloads);
    this.#bundle.push(encoded);
    return this.#tree.append(leafHashInPlace(encoded, LENGTH_BYTES, encoded.length));
  }

  async #writeFullBundle(tiles: readonly Tile[]): Promise<void> {
    const { index } = this.#payloads;
    await Promise.all([
      this.#write('entries', index, TILE_WIDTH, Buffer.concat(this.#bundle)),
      this.#writeTiles(tiles),
      this.#flushPayloads(),
    ]);
    await this.#payloads.close();
    this.#bundle = [];
    this.#payloads = PayloadBundleWriter.empty(this.#files, this.#layout, index + 1);
  }

  /** The partial bundle and tiles, except those that the checkpoint before already had as wide. */
  async #writeRightEdge(before: number): Promise<void> {
    const tiles = this.#tree
      .partialTiles()
      .filter(({ level, index, width }) => width !== tileWidth(before, level, index));
    const { index } = this.#payloads;
    if (this.#bundle.length > 0) {
      await this.#write('entries', index, this.#bundle.length, Buffer.concat(this.#bundle));
    }
    await this.#writeTiles(tiles);
    await this.#flushPayloads();
  }

  async #writeTiles(tiles: readonly Tile[]): Promise<void> {
    for (const { level, index, width, hashes } of tiles) await this.#write(level, index, width, hashes);
  }

  async #write(kind: TileKind, index: number, width: number, data: Buffer): Promise<void> {
    const target = this.#layout.tile(kind, index, width);
    await this.#makeFolder(path.dirname(target));
    await writeFile(this.#files, target, data);
    this.#foldersToSync.add(path.dirname(target));
  }

  async #flushPayloads(): Promise<void> {
    await this.#makeFolder(path.dirname(this.#layout.tile('blobs', this.#payloads.index)));
    const folder = await this.#payloads.flush();
    if (folder !== null) this.#foldersToSync.add(folder);
  }

  /** Makes a folder below the log's; each parent that may have got a new name is made durable too. */
  async #makeFolder(folder: string): Promise<void> {
    if (this.#foldersMade.has(folder)) return;
    await this.#files.makeFolder(folder);
    this.#foldersMade.add(folder);
    for (let parent = folder; parent.length > this.#layout.log.length; ) {
      parent = path.dirname(parent);
      this.#foldersToSync.add(parent);
    }
  }

  async #syncFolders(): Promise<void> {
    const folders = this.#foldersToSync;
    this.#foldersToSync = new Set();
    for (const folder of folders) await this.#files.syncFolder(folder);
  }

  /** INVARIANT: the checkpoint on the disk is still the one that the new one extends, else somebody else signs here. */
  async #sign(): Promise<void> {
    const onDisk = await unlessMissing(this.#files.read(this.#layout.checkpoint));
    if (onDisk === null || !onDisk.equals(this.#checkpoint.note)) {
      throw new SallyportError('AUDIT_WRITE_FAILED', 'something else has replaced the checkpoint of this log');
    }
    const next = signCheckpoint({ size: this.#tree.size, root: this.#tree.root() }, this.#signer);
    await storeCheckpoint(this.#files, this.#layout, next);
    this.#checkpoint = next;
  }

  /** Removes the partial tiles and bundles that the new checkpoint no longer needs, and what crashes left among them. */
  async #tidy(before: number): Promise<void> {
    const size = this.#tree.size;
    for (let level = 0; tileWidth(size, level, 0) > 0; level++) {
      const span = TILE_WIDTH ** (level + 1);
      for (let index = Math.floor(before / span); index <= Math.floor(size / span); index++) {
        const width = tileWidth(size, level, index);
        if (width === tileWidth(before, level, index)) continue;
        await this.#tidyTile(level, index, width);
        if (level === 0) await this.#tidyTile('entries', index, width);
      }
    }
  }

  async #tidyTile(kind: TileKind, index: number, width: number): Promise<void> {
    const folder = path.dirname(this.#layout.tile(kind, index, 1));
    const names = await unlessMissing(this.#files.list(folder));
    if (names === null) return;
    for (const name of names) {
      if (name !== String(width)) await this.#files.remove(path.join(folder, name));
    }
    if (width === TILE_WIDTH) await this.#removeFolder(folder);
  }

  async #removeFolder(folder: string): Promise<void> {
    try {
      await this.#files.removeFolder(folder);
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
    this.#foldersMade.delete(folder);
  }
}

/** Writes a checkpoint to both places, durably, the log's own first. */
export async function storeCheckpoint(files: LogFiles, layout: LogLayout, checkpoint: SignedCheckpoint): Promise<void> {
  await replaceFile(files, layout.checkpoint, checkpoint.note);
  await replaceFile(files, layout.stateCheckpoint, checkpoint.note);
}
