import type { BigIntStats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { quoteForMessage, SallyportError } from '../core/index.ts';

/** What one package, with everything it depends on, may consist of. */
const TREE_LIMITS = { files: 50_000, bytes: 1_073_741_824, depth: 64, pathBytes: 1_024 } as const;

/** A file or folder of a tree. */
export interface TreeEntry {
  /** Relative to the tree, `/` between. ATTACKER-CONTROLLED. */
  readonly path: string;
  readonly kind: 'file' | 'folder';
  /** A file that may be executed. */
  readonly runs: boolean;
  readonly stats: BigIntStats;
}

/**
 * Everything in a tree, without following a link: parents before children, names in the order of their UTF-16 units.
 * ATTACKER-CONTROLLED: all of it.
 *
 * @throws SallyportError PACKAGE_REFUSED for links, special files, names that are not UTF-8, and what is beyond the limits
 */
export async function walkTree(root: string): Promise<readonly TreeEntry[]> {
  if (!(await lstat(root)).isDirectory()) throw refused('it is no folder');
  const entries: TreeEntry[] = [];
  let bytes = 0n;
  const visit = async (folder: string, depth: number): Promise<void> => {
    if (depth > TREE_LIMITS.depth) throw refused(`folders are nested more than ${TREE_LIMITS.depth} deep`);
    for (const name of await namesIn(`${root}/${folder}`)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      const entry = await entryAt(root, path);
      entries.push(entry);
      if (entry.kind === 'file') bytes += entry.stats.size;
      if (entries.length > TREE_LIMITS.files) throw refused(`it has more than ${TREE_LIMITS.files} files`);
      if (bytes > BigInt(TREE_LIMITS.bytes)) throw refused(`it has more than ${TREE_LIMITS.bytes} bytes`);
      if (entry.kind === 'folder') await visit(path, depth + 1);
    }
  };
  await visit('', 0);
  return entries;
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder, { encoding: 'buffer' });
  return names.map(readName).sort((a, b) => (a < b ? -1 : 1));
}

function readName(name: Buffer): string {
  const text = name.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(name)) return text;
  throw refused(`a name in it is not UTF-8: ${quoteForMessage(text)}`);
}

async function entryAt(root: string, path: string): Promise<TreeEntry> {
  if (Buffer.byteLength(path) > TREE_LIMITS.pathBytes) throw refused('a path in it is too long');
  const stats = await lstat(`${root}/${path}`, { bigint: true });
  if (stats.isDirectory()) return { path, kind: 'folder', runs: false, stats };
  const named = quoteForMessage(path, 200);
  if (stats.isSymbolicLink()) throw refused(`${named} is a link`);
  if (!stats.isFile()) throw refused(`${named} is neither a file nor a folder`);
  return { path, kind: 'file', runs: (stats.mode & 0o111n) !== 0n, stats };
}

const refused = (why: string): SallyportError =>
  new SallyportError('PACKAGE_REFUSED', `the package cannot be kept: ${why}`);
