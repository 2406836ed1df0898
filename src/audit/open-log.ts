import * as path from 'node:path';
import { SallyportError } from '../core/index.ts';
import { openCheckpoint, type SignedCheckpoint, signCheckpoint } from './checkpoint.ts';
import { encodeBundledEntry, entrySpans } from './entry-bundle.ts';
import type { LogLayout } from './layout.ts';
import { type LogFiles, replaceFile, unlessMissing } from './log-files.ts';
import { loadLogKey, newLogKey, storeLogKey } from './log-key.ts';
import { EMPTY_ROOT, HASH_BYTES, leafHashInPlace } from './merkle.ts';
import { PayloadBundleWriter } from './payload-bundle.ts';
import { type LogEdge, storeCheckpoint } from './publisher.ts';
import type { NoteSigner } from './signed-note.ts';
import { hashesAtLevel, TILE_WIDTH, type TileKind, tileWidth } from './tile-path.ts';
import { TileTree } from './tile-tree.ts';
import { listSegments } from './wal.ts';

/** Makes the folders of a log. Their names become durable with the first checkpoint, before which nothing is in them. */
export async function prepareFolders(files: LogFiles, layout: LogLayout): Promise<void> {
  for (const folder of [layout.keys, layout.wal, layout.blobs]) await files.makeFolder(folder);
}

/**
 * The key of the log; where there is none, the log is born: a signed checkpoint of size 0 in both places, then the key.
 * INVARIANT: where the key is, both checkpoints are, so that a missing one was taken away.
 *
 * @throws SallyportError AUDIT_CORRUPT (a log without its key), and the codes of {@link loadLogKey}
 */
export async function openKey(files: LogFiles, layout: LogLayout, origin: string): Promise<NoteSigner> {
  const known = await loadLogKey(files, layout);
  if (known !== null) return known;
  const segments = await listSegments(files, layout);
  const tiles = await unlessMissing(files.list(path.join(layout.log, 'tile')));
  if (segments.length > 0 || tiles !== null)
    throw new SallyportError('AUDIT_CORRUPT', 'the key of this log is missing');
  const signer = newLogKey(origin);
  await storeCheckpoint(files, layout, signCheckpoint({ size: 0, root: EMPTY_ROOT }, signer));
  await storeLogKey(files, layout, signer);
  return signer;
}

/**
 * The last checkpoint, after both copies and the tiles at its right edge agree; a second copy that a crash left behind is
 * brought up to date.
 *
 * @throws SallyportError AUDIT_ROLLBACK (older than the second copy, or something below the checkpoint is missing),
 * AUDIT_CORRUPT (the copies contradict each other or the tiles), AUDIT_FORGED (not signed by the key)
 */
export async function loadEdge(files: LogFiles, layout: LogLayout, signer: NoteSigner): Promise<LogEdge> {
  const checkpoint = await loadCheckpoint(files, layout.checkpoint, signer);
  const copy = await loadCheckpoint(files, layout.stateCheckpoint, signer);
  if (checkpoint.size < copy.size) {
    throw rollback(`the log has ${checkpoint.size} entries, and had ${copy.size} at its last checkpoint`);
  }
  await refuseMissingTiles(files, layout, checkpoint.size);
  const tree = await loadTree(files, layout, checkpoint, checkpoint.size);
  const earlier = copy.size === checkpoint.size ? tree : await loadTree(files, layout, copy, checkpoint.size);
  if (!earlier.root().equals(copy.root)) throw corrupt('the two checkpoints contradict each other');
  if (!copy.note.equals(checkpoint.note)) await replaceFile(files, layout.stateCheckpoint, checkpoint.note);
  const index = Math.floor(checkpoint.size / TILE_WIDTH);
  const width = checkpoint.size % TILE_WIDTH;
  const payloads = await PayloadBundleWriter.resume(files, layout, index, width);
  return { tree, checkpoint, bundle: await loadBundle(files, layout, checkpoint.size), payloads };
}

async function loadCheckpoint(files: LogFiles, file: string, signer: NoteSigner): Promise<SignedCheckpoint> {
  const note = await unlessMissing(files.read(file));
  if (note === null) throw rollback('a checkpoint of this log is missing');
  return openCheckpoint(note, signer.verifier);
}

/** By name only: what the tiles hold is proven by `audit verify`, at its price. */
async function refuseMissingTiles(files: LogFiles, layout: LogLayout, size: number): Promise<void> {
  const names = new Map<string, ReadonlySet<string>>();
  const isThere = async (kind: TileKind, index: number, width: number): Promise<boolean> => {
    const file = layout.tile(kind, index, width);
    const folder = path.dirname(file);
    const known = names.get(folder) ?? new Set((await unlessMissing(files.list(folder))) ?? []);
    names.clear();
    names.set(folder, known);
    return known.has(path.basename(file));
  };
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    for (const kind of level === 0 ? [level, 'entries' as const] : [level]) {
      for (let index = 0; tileWidth(size, level, index) > 0; index++) {
        if (await isThere(kind, index, tileWidth(size, level, index))) continue;
        throw rollback(`tile ${index} of ${kind === 'entries' ? 'the entries' : `level ${level}`} is missing`);
      }
    }
  }
}

/** The tree of a checkpoint from the tiles of a log that has grown to `published` entries since. */
async function loadTree(
  files: LogFiles,
  layout: LogLayout,
  { size, root }: SignedCheckpoint,
  published: number,
): Promise<TileTree> {
  const tiles: Buffer[] = [];
  for (let level = 0; hashesAtLevel(size, level) > 0; level++) {
    const index = Math.floor(hashesAtLevel(size, level) / TILE_WIDTH);
    const width = tileWidth(size, level, index);
    tiles.push(width === 0 ? Buffer.alloc(0) : await readTile(files, layout, { level, index, width, published }));
  }
  const tree = TileTree.load(size, (level) => tiles[level] ?? Buffer.alloc(0));
  if (!tree.root().equals(root)) throw corrupt('the tiles do not have the root that the checkpoint signs');
  return tree;
}

/**
 * The first `width` hashes of a tile of a log of `published` entries.
 * INVARIANT: looks only at the file that the checkpoint of that size covers: beside it may lie what a crash left.
 */
async function readTile(
  files: LogFiles,
  layout: LogLayout,
  { level, index, width, published }: { level: number; index: number; width: number; published: number },
): Promise<Buffer> {
  const found = await unlessMissing(files.read(layout.tile(level, index, tileWidth(published, level, index))));
  if (found === null) throw rollback(`tile ${index} of level ${level} is missing`);
  if (found.length < width * HASH_BYTES) throw corrupt(`tile ${index} of level ${level} is cut`);
  return found.subarray(0, width * HASH_BYTES);
}

/** The entries of the bundle that is not full, checked against their leaf hashes. */
async function loadBundle(files: LogFiles, layout: LogLayout, size: number): Promise<Buffer[]> {
  const index = Math.floor(size / TILE_WIDTH);
  const width = size % TILE_WIDTH;
  if (width === 0) return [];
  const bundle = await files.read(layout.tile('entries', index, width));
  const hashes = await readTile(files, layout, { level: 0, index, width, published: size });
  return entrySpans(bundle, width).map(({ start, end }, at) => {
    const expected = hashes.toString('latin1', at * HASH_BYTES, (at + 1) * HASH_BYTES);
    const entry = index * TILE_WIDTH + at;
    if (leafHashInPlace(bundle, start, end) !== expected) throw corrupt(`entry ${entry} does not match its leaf hash`);
    return encodeBundledEntry(bundle.subarray(start, end));
  });
}

const rollback = (message: string): SallyportError => new SallyportError('AUDIT_ROLLBACK', message);
const corrupt = (message: string): SallyportError => new SallyportError('AUDIT_CORRUPT', message);
