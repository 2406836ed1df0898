import { type FoldedPath, foldPath } from './path-fold.ts';

/** One reading of a path, split for the deny rules. */
export interface PathTarget {
  /** The part below the root, or the whole path where it lies outside. As written, without empty and `.` segments. */
  readonly written: readonly (readonly string[])[];
  readonly folded: FoldedPath;
  readonly isInside: boolean;
  /** The whole path, folded; only for paths that are absolute. */
  readonly absolute: FoldedPath;
}

/** The text below the root, or null when the path lies outside. `''` is the root itself. */
export function belowRoot(path: string, root: string): string | null {
  if (path === root) return '';
  const prefix = root === '/' ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

/** Reads a path against the root. A relative path is below it. */
export function readTarget(path: string, root: string): PathTarget {
  const isRelative = !path.startsWith('/');
  const below = isRelative ? path : belowRoot(path, root);
  const folded = foldPath(below ?? path);
  return {
    written: (below ?? path).split('/').flatMap((part) => (part === '' || part === '.' ? [] : [[part]])),
    folded,
    isInside: below !== null,
    absolute: isRelative || below === null ? folded : foldPath(path),
  };
}

/** The different readings of a path argument: as given, as text against the root, and as real path. */
export function readTargets(paths: { given: string; lexical: string; real: string }, root: string): PathTarget[] {
  const lexicalBelow = belowRoot(paths.lexical, root);
  const targets = [readTarget(paths.real, root)];
  if (paths.lexical !== paths.real) targets.push(readTarget(paths.lexical, root));
  if (paths.given !== paths.lexical && paths.given !== lexicalBelow) targets.push(readTarget(paths.given, root));
  return targets;
}
