import { setImmediate } from 'node:timers/promises';
import { isSallyportError } from '../core/index.ts';
import type { SpawnTerms } from '../policy/index.ts';
import type { Sandboxes, SandboxProfile } from '../sandbox/index.ts';
import { identityOf } from './control-identities.ts';
import { look } from './folder-contents.ts';
import type { FolderReader, SeenEntry } from './profile-folders.ts';

/** A file that somebody else acts on later: it runs by itself, or configures an agent. ATTACKER-CONTROLLED: its path. */
export interface LeftFile {
  readonly path: string;
  readonly kind: 'self-running' | 'control';
  readonly change: 'new' | 'changed';
}

/** What came or changed where a program could write. It does not say who did it: the host writes there, too. */
export interface LeftFiles {
  /** In the order of their paths, at most a hundred. A folder that is new stands for everything in it. */
  readonly files: readonly LeftFile[];
  readonly count: number;
  /** Folders that could not be looked into, or more than can be looked at: what is there is not known. */
  readonly unseen: number;
}

/** How the places lay that a program could write to, before it started. */
export interface Footprint {
  /** What is otherwise now. Never rejects for what lies there. */
  compare(): Promise<LeftFiles>;
}

export interface FootprintParts {
  readonly terms: SpawnTerms;
  readonly profile: SandboxProfile;
  readonly folders: FolderReader;
  readonly isPlaceholder: Sandboxes['isPlaceholder'];
}

/** Files listed; entries looked at for one footprint; files of it that are remembered. */
const MOST_LISTED = 100;
const MAX_ENTRIES = 500_000;
const MAX_REMEMBERED = 50_000;
/** Folders after which others get a turn. */
const TURN = 200;

interface Found {
  readonly kind: LeftFile['kind'];
  readonly stamp: string;
}

/** What a look found, by path. */
interface Look {
  readonly found: Map<string, Found>;
  unseen: number;
  count: number;
}

/** Remembers the files of a profile's writable places that run by themselves or are control files. */
export async function takeFootprint(parts: FootprintParts): Promise<Footprint> {
  const before = await lookAround(parts, null);
  return { compare: async () => compare(before, await lookAround(parts, before), parts.isPlaceholder) };
}

/** `before`: what is new is not looked into. */
async function lookAround({ terms, profile, folders }: FootprintParts, before: Look | null): Promise<Look> {
  const seen: Look = { found: new Map(), unseen: 0, count: 0 };
  const covered = new Set(profile.covers.map(({ path }) => path));
  const pending: string[] = [];
  const take = (entry: Pick<SeenEntry, 'path' | 'kind' | 'control' | 'runsLater'>): void => {
    if (covered.has(entry.path)) return;
    const isFirst = note(seen, entry, before);
    if (entry.kind === 'folder' && !isFirst && entry.control === null) pending.push(entry.path);
  };
  for (const { path, access } of profile.mounts) if (access === 'write') take(mountEntry(path, terms));
  for (let folder = pending.pop(), turn = 0; folder !== undefined; folder = pending.pop(), turn += 1) {
    for (const entry of entriesOf(folders, folder, seen)) take(entry);
    if (turn % TURN === TURN - 1) await setImmediate();
  }
  return seen;
}

/** A place that is mounted for writing was judged as such: it is no control file. */
function mountEntry(path: string, terms: SpawnTerms): Pick<SeenEntry, 'path' | 'kind' | 'control' | 'runsLater'> {
  const kind = look(path)?.isDirectory() === true ? 'folder' : 'file';
  return { path, kind, control: null, runsLater: kind === 'file' && terms.runsLater(path, 'other') };
}

/** ATTACKER-CONTROLLED: a folder that cannot be read, a name that is no text, and how many there are. */
function entriesOf(folders: FolderReader, folder: string, seen: Look): readonly SeenEntry[] {
  try {
    const { entries, count, isGit } = folders.read(folder);
    seen.count += count;
    if (isGit) seen.found.set(folder, { kind: 'control', stamp: stampOf(folder, true) });
    if (entries !== null && seen.count <= MAX_ENTRIES) return isGit ? [] : entries;
  } catch (error) {
    if (!isSallyportError(error, 'SANDBOX_FAILED')) throw error;
  }
  seen.unseen += 1;
  return [];
}

/** Takes in one entry; true when it is a folder that was not there before and stands for what is in it. */
function note(
  seen: Look,
  { path, kind, control, runsLater }: Pick<SeenEntry, 'path' | 'kind' | 'control' | 'runsLater'>,
  before: Look | null,
): boolean {
  if (control === null && !runsLater) return false;
  if (seen.found.size >= MAX_REMEMBERED) {
    seen.unseen += 1;
    return false;
  }
  const stamp = stampOf(path, kind === 'folder');
  seen.found.set(path, { kind: control === null ? 'self-running' : 'control', stamp });
  return kind === 'folder' && before !== null && before.found.get(path)?.stamp !== stamp;
}

/** INVARIANT: no program can set back the time of the last change (`ctime`) of a file. A folder is what is in it. */
function stampOf(path: string, isFolder: boolean): string {
  const stats = look(path);
  if (stats === undefined) return '';
  return isFolder ? identityOf(stats) : `${identityOf(stats)}:${stats.ctimeNs}:${stats.size}`;
}

async function compare(before: Look, now: Look, isPlaceholder: FootprintParts['isPlaceholder']): Promise<LeftFiles> {
  const files: LeftFile[] = [];
  for (const [path, { kind, stamp }] of now.found) {
    const known = before.found.get(path);
    if (known?.stamp === stamp) continue;
    // A folder that another sandbox of ours needs there for a while.
    if (kind === 'control' && known === undefined && (await isPlaceholder(path))) continue;
    files.push(Object.freeze({ path, kind, change: known === undefined ? 'new' : 'changed' }));
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  return Object.freeze({ files: files.slice(0, MOST_LISTED), count: files.length, unseen: before.unseen + now.unseen });
}

/** What several looks found, each place once. */
export function joinLeft(all: readonly LeftFiles[]): LeftFiles {
  const byPath = new Map(all.flatMap(({ files }) => files.map((file) => [file.path, file] as const)));
  const files = [...byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
  // Where more was found than is listed, what two looks have in common is not known: the larger number is said.
  const count = Math.max(files.length, ...all.map(({ count: found }) => found));
  return Object.freeze({
    ...{ files: files.slice(0, MOST_LISTED), count },
    unseen: all.reduce((sum, { unseen }) => sum + unseen, 0),
  });
}
