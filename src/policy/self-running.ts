import { readDeniedEntry } from './path-entry.ts';
import type { FoldedPath } from './path-fold.ts';
import { foldPath } from './path-fold.ts';
import { matchesPrefix, type PathGlob } from './path-glob.ts';
import { SELF_RUNNING_FILES, type SelfRunningRow } from './self-running-table.ts';

interface Row {
  readonly row: SelfRunningRow;
  readonly glob: PathGlob;
}

/** Rows that are one plain name, by that name: a look-up for each segment serves them all. */
const BY_NAME = new Map<string, Row>();
const OTHERS: Row[] = [];

for (const row of SELF_RUNNING_FILES) {
  const entry = readDeniedEntry(row.pattern);
  if (typeof entry === 'string') throw new TypeError(`self-running table: ${row.pattern}: ${entry}`);
  const last = entry.glob[1];
  const name = entry.glob.length === 2 && last !== undefined && last !== 'deep' ? last.literal : null;
  if (name === null) OTHERS.push({ row, glob: withAnyDepth(entry.glob) });
  else BY_NAME.set(name, { row, glob: entry.glob });
}

/** The table's patterns hold at any depth, also those with a slash. */
function withAnyDepth(glob: PathGlob): PathGlob {
  return glob[0] === 'deep' ? glob : ['deep', ...glob];
}

/** The rows of the table that a path (below the root) is one of. */
export function findSelfRunning(path: FoldedPath): readonly SelfRunningRow[] {
  const found: SelfRunningRow[] = [];
  for (const spellings of path) {
    for (const spelling of spellings) {
      const named = BY_NAME.get(spelling);
      if (named !== undefined) found.push(named.row);
    }
  }
  for (const { row, glob } of OTHERS) if (matchesPrefix(glob, path, 'folded')) found.push(row);
  return found;
}

/** Whether an entry of `allowedPaths` names the file: its own text, read as a path, is of that row. */
export const namesSelfRunning = (entry: string, row: SelfRunningRow): boolean =>
  findSelfRunning(foldPath(entry)).includes(row);
