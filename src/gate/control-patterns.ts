import { CONTROL_FILES_ANYWHERE, CONTROL_FILES_IN_HOME, type ControlRow } from './control-table.ts';
import { foldPath } from './folded-path.ts';

/** A row of the table, taken apart. Segments are folded. */
interface Pattern {
  readonly segments: readonly string[];
  /** The row ends in `**`: what lies below the folder matches too. */
  readonly below: boolean;
}

/** Rows by their first segment; those that begin with a wildcard stand under `*`. */
type Patterns = ReadonlyMap<string, readonly Pattern[]>;

const ANYWHERE = compile(CONTROL_FILES_ANYWHERE);
const IN_HOME = compile(CONTROL_FILES_IN_HOME);

/** Folders that change how the tables are read, as folded segments. */
export interface PatternPlaces {
  readonly root: readonly string[];
  readonly home: readonly string[] | null;
}

/**
 * True if the tables name this path (folded segments of an absolute real path).
 *
 * INVARIANT: a row that would cover the whole workspace, because the operator put the workspace inside such a folder, does
 * not count inside the workspace; every other row does.
 */
export function matchesControlTable(segments: readonly string[], { root, home }: PatternPlaces): boolean {
  const covered = startsWith(segments, root) ? root.length : 0;
  if (home !== null && startsWith(segments, home) && matchesAt(IN_HOME, segments, home.length, covered)) return true;
  for (let at = 0; at < segments.length; at++) {
    if (matchesAt(ANYWHERE, segments, at, covered)) return true;
  }
  return false;
}

/** A file or folder of a table, relative to a workspace or home; `contents`: it is small enough to look into. */
export interface KnownControlPath {
  readonly path: string;
  readonly contents: boolean;
}

/** The rows without wildcards: where to look for files that are to be known by inode. */
export const knownControlPaths = (table: readonly ControlRow[]): readonly KnownControlPath[] =>
  table
    .map(({ path, large }) => {
      const below = path.endsWith('/**');
      return { path: below ? path.slice(0, -3) : path, contents: below && large === undefined };
    })
    .filter(({ path }) => !path.includes('*'));

function matchesAt(patterns: Patterns, segments: readonly string[], at: number, covered: number): boolean {
  const first = segments[at];
  if (first === undefined) return false;
  const candidates = [...(patterns.get(first) ?? []), ...(patterns.get('*') ?? [])];
  return candidates.some(({ segments: wanted, below }) => {
    const end = at + wanted.length;
    if (end <= covered || (below ? end > segments.length : end !== segments.length)) return false;
    return wanted.every((pattern, index) => matchesSegment(pattern, segments[at + index] ?? ''));
  });
}

/** At most one `*` in a segment, which the tables keep to. */
function matchesSegment(pattern: string, segment: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return pattern === segment;
  const [head, tail] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return segment.length >= head.length + tail.length && segment.startsWith(head) && segment.endsWith(tail);
}

function compile(table: readonly ControlRow[]): Patterns {
  const patterns = new Map<string, Pattern[]>();
  for (const { path } of table) {
    const below = path.endsWith('/**');
    const segments = foldPath(below ? path.slice(0, -3) : path).split('/');
    const first = segments[0] ?? '';
    const key = first.includes('*') ? '*' : first;
    patterns.set(key, [...(patterns.get(key) ?? []), { segments, below }]);
  }
  return patterns;
}

const startsWith = (segments: readonly string[], prefix: readonly string[]): boolean =>
  prefix.length <= segments.length && prefix.every((segment, index) => segment === segments[index]);
