/** Hashes of a full tile, entries of a full bundle (c2sp.org/tlog-tiles). */
export const TILE_WIDTH = 256;

/** A tile of hashes by its level, or the bundle of entries or of payloads beside it. */
export type TileKind = number | 'entries' | 'blobs';

/**
 * The path of a tile below the log's folder (c2sp.org/tlog-tiles): `tile/0/x001/x234/067`, and `.p/W` for the first `W`
 * hashes of a tile that is not full. Payload bundles stand under `blobs/` with the same numbers; they are appended to,
 * so they have no partial form.
 */
export function tilePath(kind: TileKind, index: number, width: number = TILE_WIDTH): string {
  const folder = kind === 'blobs' ? 'blobs' : `tile/${kind}`;
  const partial = kind === 'blobs' || width === TILE_WIDTH ? '' : `.p/${width}`;
  return `${folder}/${tileNumber(index)}${partial}`;
}

/** A tile's number in groups of three digits, each but the last with an `x` before it, so that no folder grows large. */
function tileNumber(index: number): string {
  const last = String(index % 1000).padStart(3, '0');
  const rest = Math.floor(index / 1000);
  return rest === 0 ? last : `${tileFolders(rest)}/${last}`;
}

function tileFolders(index: number): string {
  const last = `x${String(index % 1000).padStart(3, '0')}`;
  const rest = Math.floor(index / 1000);
  return rest === 0 ? last : `${tileFolders(rest)}/${last}`;
}

/** How many hashes a tree of `size` leaves has at a level: one for each full subtree of 256^level leaves. */
export const hashesAtLevel = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** level);

/** How wide tile `index` of a level is in a tree of `size` leaves; 0 if it has none yet. */
export const tileWidth = (size: number, level: number, index: number): number =>
  Math.max(0, Math.min(TILE_WIDTH, hashesAtLevel(size, level) - index * TILE_WIDTH));
