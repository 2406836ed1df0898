import { type FoldedPath, foldPath } from './path-fold.ts';
import type { Spelled } from './path-glob.ts';

/** One reading of a path, split for the deny rules. */
export interface PathTarget {
  readonly path: string;
  /** The text below the root; null where the path lies outside. */
  readonly below: string | null;
  /** The part below the root, or the whole path where it lies outside. */
  readonly folded: FoldedPath;
}

/** The text below the root, or null when the path lies outside. `''` is the root itself. */
export function belowRoot(path: string, root: string): string | null {
  if (!path.startsWith(root)) return null;
  if (path.length === root.length) return '';
  if (root === '/') return path.slice(1);
  return path.charCodeAt(root.length) === 0x2f ? path.slice(root.length + 1) : null;
}

/** Reads a path against the root. A relative path is below it. */
export function readTarget(path: string, root: string): PathTarget {
  const below = path.startsWith('/') ? belowRoot(path, root) : path;
  return { path, below, folded: foldPath(below ?? path) };
}

/** The whole path, folded; of a relative one, the path itself. */
export const foldWhole = ({ path, below, folded }: PathTarget): FoldedPath =>
  below === null || below === path ? folded : foldPath(path);

/** The segments of what `folded` was made from, as written, without empty and `.` ones. */
export const writtenSegments = ({ path, below }: PathTarget): Spelled =>
  (below ?? path).split('/').flatMap((part) => (part === '' || part === '.' ? [] : [[part]]));

/** The different readings of a path argument: as given, as text against the root, and as real path. */
export function readTargets(paths: { given: string; lexical: string; real: string }, root: string): PathTarget[] {
  const { given, lexical, real } = paths;
  const targets = [readTarget(real, root)];
  if (lexical !== real) targets.push(readTarget(lexical, root));
  if (given !== lexical && given !== belowRoot(lexical, root)) targets.push(readTarget(given, root));
  return targets;
}
