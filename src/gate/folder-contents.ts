import { type BigIntStats, type Dirent, lstatSync, readdirSync, type statSync } from 'node:fs';
import { join } from 'node:path';

/** The clock of a file system moves in ticks: a folder changed this shortly before it was read may have changed since. */
const UNSETTLED_MS = 50;

/** What a path names; `undefined` if nothing, or if we may not look (then no tool of this process may either). */
export function look(path: string, stat: typeof statSync = lstatSync): BigIntStats | undefined {
  try {
    return stat(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Entries of a folder; none if it cannot be read. */
export function entriesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/**
 * Answers whether a file (`device:inode`) lies below a folder, at any depth; `undefined` if there are more than `limit`
 * entries and it is not among those looked at. Remembers what it read until one of the folders changes.
 */
export function watchContents(top: string, limit: number): (identity: string) => boolean | undefined {
  let contents: Contents | null = null;
  return (identity) => {
    if (contents === null || !isCurrent(contents)) contents = readContents(top, limit);
    return contents.files.has(identity) || (contents.cut ? undefined : false);
  };
}

interface SeenFolder {
  readonly path: string;
  readonly changed: bigint | undefined;
  readonly settled: boolean;
}

interface Contents {
  readonly files: ReadonlySet<string>;
  readonly folders: readonly SeenFolder[];
  readonly cut: boolean;
}

const isCurrent = ({ folders }: Contents): boolean =>
  folders.every(({ path, changed, settled }) => settled && look(path)?.mtimeNs === changed);

function readContents(top: string, limit: number): Contents {
  const files = new Set<string>();
  const folders: SeenFolder[] = [];
  const pending = [top];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const seen = see(folder);
    folders.push(seen);
    if (seen.changed === undefined) continue;
    for (const entry of entriesIn(folder)) {
      if (files.size + folders.length + pending.length >= limit) return { files, folders, cut: true };
      const path = join(folder, entry.name);
      if (entry.isDirectory()) pending.push(path);
      else addIdentity(files, look(path));
    }
  }
  return { files, folders, cut: false };
}

function see(folder: string): SeenFolder {
  const stats = look(folder);
  const settled = stats === undefined || Math.abs(Date.now() - Number(stats.mtimeMs)) > UNSETTLED_MS;
  return { path: folder, changed: stats?.mtimeNs, settled };
}

function addIdentity(files: Set<string>, stats: BigIntStats | undefined): void {
  if (stats !== undefined) files.add(`${stats.dev}:${stats.ino}`);
}
