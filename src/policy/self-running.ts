import { type GlobSegment, matchesSegment } from './glob-segment.ts';
import { readDeniedEntry } from './path-entry.ts';
import { type FoldedPath, foldPath } from './path-fold.ts';
import { DEEP, matchesPrefix, type PathGlob } from './path-glob.ts';
import { SELF_RUNNING_FILES, type SelfRunningRow } from './self-running-table.ts';

interface Row {
  readonly row: SelfRunningRow;
  readonly first: GlobSegment;
  /** The whole pattern from its first segment on; it holds at any depth. */
  readonly glob: PathGlob;
}

/** Length of the beginning that rows with a wildcard are found by. */
const STEM = 4;

/** Rows by what their first segment must be, begin with, or end with: a write looks at few of them. */
const BY_NAME = new Map<string, Row[]>();
const BY_STEM = new Map<string, Row[]>();
const BY_ENDING = new Map<string, Row[]>();

for (const row of SELF_RUNNING_FILES) {
  const entry = readDeniedEntry(row.pattern);
  const glob = typeof entry === 'string' ? [] : entry.glob.filter((segment, at) => at > 0 || segment !== DEEP);
  const [first] = glob;
  if (first === undefined || first === DEEP) throw new TypeError(`self-running table: ${row.pattern} cannot be read`);
  addRow({ row, first, glob });
}

function addRow(row: Row): void {
  const [begin, end] = [row.first.tokens[0], row.first.tokens.at(-1)];
  if (row.first.literal !== null) append(BY_NAME, row.first.literal, row);
  else if (begin?.kind === 'text' && begin.text.length >= STEM) append(BY_STEM, begin.text.slice(0, STEM), row);
  else if (end?.kind === 'text' && end.text.lastIndexOf('.') === 0) append(BY_ENDING, end.text, row);
  else throw new TypeError(`self-running table: ${row.row.pattern} has no name, stem or ending to find it by`);
}

function append(index: Map<string, Row[]>, key: string, row: Row): void {
  const rows = index.get(key);
  if (rows === undefined) index.set(key, [row]);
  else rows.push(row);
}

const INDEXES: readonly (readonly [index: ReadonlyMap<string, readonly Row[]>, key: (name: string) => string])[] = [
  [BY_NAME, (name) => name],
  [BY_STEM, (name) => name.slice(0, STEM)],
  [BY_ENDING, (name) => name.slice(Math.max(name.lastIndexOf('.'), 0))],
];

/** The rows of the table that a path (below the root) is one of. */
export function findSelfRunning(path: FoldedPath): readonly SelfRunningRow[] {
  const found: SelfRunningRow[] = [];
  for (const [at, spellings] of path.entries()) {
    for (const name of spellings) {
      for (const [index, key] of INDEXES) {
        for (const row of index.get(key(name)) ?? []) if (isAt(row, path, at, name)) found.push(row.row);
      }
    }
  }
  return found;
}

const isAt = ({ first, glob }: Row, path: FoldedPath, at: number, name: string): boolean =>
  matchesSegment(first, name, 'folded') && (glob.length === 1 || matchesPrefix(glob, path.slice(at), 'folded'));

/** Whether the last name of a path is that of a folder in which the table has files: a link there puts them in its place. */
export const leadsToSelfRunning = (path: FoldedPath): boolean =>
  (path.at(-1) ?? []).some((name) =>
    (BY_NAME.get(name) ?? []).some(({ first, glob }) => glob.length > 1 && matchesSegment(first, name, 'folded')),
  );

/** Whether an entry of `allowedPaths` names the file: its own text, read as a path, is of that row. */
export const namesSelfRunning = (entry: string, row: SelfRunningRow): boolean =>
  findSelfRunning(foldPath(entry)).includes(row);
