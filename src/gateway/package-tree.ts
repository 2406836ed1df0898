import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { canonicalJson, quoteForMessage, SallyportError } from '../core/index.ts';
import { type TreeEntry, walkTree } from './package-walk.ts';

const FOLDER_MODE = 0o555;
const modeOf = ({ kind, runs }: TreeEntry): number => (kind === 'folder' || runs ? 0o555 : 0o444);

/**
 * Digest of a tree: `sha256:` and 64 hexadecimal digits over a line of canonical JSON for each folder and file, parents first:
 * path, kind, mode, and for a file its size and the SHA-256 of what is in it.
 *
 * @throws SallyportError PACKAGE_REFUSED, PACKAGE_CHANGED (it changes while it is read)
 */
export async function treeDigest(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entry of await walkTree(root)) hash.update(await lineOf(root, entry));
  return `sha256:${hash.digest('hex')}`;
}

async function lineOf(root: string, entry: TreeEntry): Promise<string> {
  const { path, kind, stats } = entry;
  const mode = Number(stats.mode & 0o7777n);
  const content = kind === 'file' ? await readEntry(root, entry) : null;
  const sum = content === null ? null : createHash('sha256').update(content).digest('hex');
  return `${canonicalJson([path, kind, mode, content === null ? 0 : content.length, sum])}\n`;
}

/** The bytes of a file that is the object that was looked at. */
async function readEntry(root: string, { path, stats }: TreeEntry): Promise<Buffer> {
  const file = await openFile(`${root}/${path}`);
  try {
    const opened = await file.stat({ bigint: true });
    const content = opened.ino === stats.ino && opened.dev === stats.dev ? await file.readFile() : null;
    if (content !== null && BigInt(content.length) === stats.size) return content;
    throw new SallyportError('PACKAGE_CHANGED', `${quoteForMessage(path, 200)} changed while it was read`);
  } finally {
    await file.close();
  }
}

const openFile = (path: string): Promise<FileHandle> =>
  open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);

/**
 * Says whether anything in a tree is another object, or was written, since it was asked before. Cheap: nothing is read.
 * `ctime` is in it, which no program can set.
 *
 * @throws SallyportError PACKAGE_REFUSED
 */
export async function treeStamp(root: string): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, stats } of await walkTree(root)) {
    hash.update(`${stats.dev}:${stats.ino}:${stats.mode}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}:${path}\n`);
  }
  return hash.digest('hex');
}

/**
 * Copies a tree to a folder that does not exist yet: only folders and plain files, read-only, and of their modes only whether a
 * file may be executed. `without`: files that are left out. ATTACKER-CONTROLLED: all of `from`.
 *
 * @throws SallyportError PACKAGE_REFUSED, PACKAGE_CHANGED
 */
export async function copyTree(from: string, to: string, without: readonly string[] = []): Promise<void> {
  const entries = (await walkTree(from)).filter(({ path }) => !without.includes(path));
  await mkdir(to, { mode: 0o700 });
  for (const entry of entries) {
    if (entry.kind === 'folder') await mkdir(`${to}/${entry.path}`, { mode: 0o700 });
    else await copyFile(from, to, entry);
  }
  // Children first: a folder that is read-only takes no more files.
  for (const { kind, path } of entries.toReversed()) if (kind === 'folder') await chmod(`${to}/${path}`, FOLDER_MODE);
  await chmod(to, FOLDER_MODE);
}

async function copyFile(from: string, to: string, entry: TreeEntry): Promise<void> {
  const content = await readEntry(from, entry);
  const file = await open(`${to}/${entry.path}`, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.chmod(modeOf(entry));
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes a tree, read-only folders included; one that is not there is gone already. */
export async function removeTree(root: string): Promise<void> {
  await makeWritable(root);
  await rm(root, { recursive: true, force: true });
}

async function makeWritable(root: string): Promise<void> {
  const stats = await lstat(root).catch(() => null);
  if (stats === null || !stats.isDirectory()) return;
  await chmod(root, 0o700);
  for (const entry of await readdir(root, { withFileTypes: true }))
    if (entry.isDirectory()) await makeWritable(`${root}/${entry.name}`);
}
