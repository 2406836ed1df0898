import { type BigIntStats, lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { posix } from 'node:path';
import type { Limits } from '../core/index.ts';
import type { PathTrouble } from '../policy/index.ts';
import { identityOf } from './control-identities.ts';
import { look } from './folder-contents.ts';

/** Where a walk through a path ended. */
export interface Walked {
  /** The deepest thing on the way that exists: an absolute path without links. */
  readonly place: string;
  readonly stats: BigIntStats;
  /** Names below `place` that do not exist; empty if everything does. */
  readonly missing: readonly string[];
  /** `device:inode` of the folders entered, from the root or from `/`, whichever the walk began at. */
  readonly folders: readonly string[];
  /** Symbolic links followed. */
  readonly links: number;
}

/**
 * Platforms whose file systems take other spellings of a name (letter case, Unicode forms) for the same file: the folders
 * are asked how they spell it. A folding file system mounted on Linux gives other text than the kernel reports for the
 * open file, and opening then ends with PATH_CHANGED.
 */
const FOLDS_NAMES = process.platform === 'darwin' || process.platform === 'win32';

/** Components looked at for one path, those of link targets included: 40 links could hold 80,000. */
const MAX_STEPS = 8_192;

/** A walk under way. INVARIANT: `place` is absolute, without links, and was a folder or file when it was looked at. */
interface Walk {
  place: string;
  /** What `place` is; null if it is a folder that was not looked at (a start, or a parent). */
  stats: BigIntStats | null;
  missing: string[];
  folders: string[];
  /** Components still to come, the next one last. */
  readonly pending: string[];
  links: number;
}

/**
 * Follows a path one component at a time, as the kernel would: `..` after a link leads to the parent of its target. Looks
 * only (`lstat`, `readlink`). Paths that lead through /proc or /sys, whose links are not text, are PATH_SPECIAL_FILE.
 */
export function walkPath(
  given: string,
  root: string,
  limits: Pick<Limits, 'pathLinks'>,
): Walked | PathTrouble['trouble'] {
  const walk = startWalk(given, root);
  try {
    let steps = 0;
    for (let name = walk.pending.pop(); name !== undefined; name = walk.pending.pop()) {
      takeStep(walk, name);
      steps += 1;
      if (walk.links > limits.pathLinks || steps > MAX_STEPS) return 'PATH_TOO_MANY_LINKS';
      if (isKernelPlace(walk)) return 'PATH_SPECIAL_FILE';
    }
    const { missing, folders, links } = walk;
    const place = FOLDS_NAMES ? realpathSync.native(walk.place) : walk.place;
    return { place, missing, folders, links, stats: walk.stats ?? lstatSync(place, { bigint: true }) };
  } catch (error) {
    return troubleOf(error);
  }
}

/** An absolute path into the root begins at the root, which is real already. */
function startWalk(given: string, root: string): Walk {
  const inside = given.startsWith(`${root}/`) ? given.slice(root.length + 1) : null;
  const absolute = inside === null && given.startsWith('/');
  return {
    place: absolute ? '/' : root,
    stats: null,
    missing: [],
    folders: [],
    pending: (inside ?? given).split('/').reverse(),
    links: 0,
  };
}

function takeStep(walk: Walk, name: string): void {
  if (name === '' || name === '.') return;
  if (name === '..') {
    stepUp(walk);
    return;
  }
  // Nothing lies below what does not exist or is no folder: the rest is text.
  if (walk.missing.length > 0 || (walk.stats !== null && !walk.stats.isDirectory())) {
    walk.missing.push(name);
    return;
  }
  const path = walk.place === '/' ? `/${name}` : `${walk.place}/${name}`;
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stats === undefined) walk.missing.push(name);
  else if (stats.isSymbolicLink()) followLink(walk, path);
  else enter(walk, path, stats);
}

function stepUp(walk: Walk): void {
  if (walk.missing.pop() !== undefined) return;
  if (walk.stats === null || walk.stats.isDirectory()) walk.folders.pop();
  walk.place = posix.dirname(walk.place);
  walk.stats = null;
}

function enter(walk: Walk, path: string, stats: BigIntStats): void {
  walk.place = path;
  walk.stats = stats;
  if (stats.isDirectory()) walk.folders.push(identityOf(stats));
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function followLink(walk: Walk, path: string): void {
  walk.links += 1;
  // A target that is not UTF-8 would name another file as a string: it ends the walk.
  const target = strictUtf8.decode(readlinkSync(path, 'buffer'));
  walk.pending.push(...target.split('/').reverse());
  if (!target.startsWith('/')) return;
  walk.place = '/';
  walk.stats = null;
  walk.folders = [];
}

const KERNEL_FOLDERS = ['/proc', '/sys'] as const;

/** Their file systems, by which they are known where they are mounted a second time (below a root of another system). */
const KERNEL_DEVICES: ReadonlySet<bigint> = new Set(
  KERNEL_FOLDERS.flatMap((folder) => look(folder)?.dev ?? []).filter((device) => device !== look('/')?.dev),
);

const isKernelPlace = ({ place, stats }: Walk): boolean =>
  KERNEL_FOLDERS.some((folder) => place === folder || place.startsWith(`${folder}/`)) ||
  (stats !== null && KERNEL_DEVICES.has(stats.dev));

function troubleOf(error: unknown): PathTrouble['trouble'] {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENAMETOOLONG' ? 'PATH_TOO_LONG' : 'PATH_UNREADABLE';
}
