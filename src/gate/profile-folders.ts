import { type BigIntStats, readdirSync } from 'node:fs';
import { SallyportError } from '../core/index.ts';
import type { SpawnAccess, SpawnTerms } from '../policy/index.ts';
import type { ControlFiles } from './control-files.ts';
import { type ControlKind, identityOf } from './control-identities.ts';
import { look } from './folder-contents.ts';

/** An entry of a folder, as terms and tables see it by its name. */
export interface SeenEntry {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'special';
  readonly identity: string;
  readonly links: number;
  readonly access: SpawnAccess;
  readonly withheld: 'hidden' | 'read-only' | null;
  readonly control: ControlKind | null;
  readonly isSelfRunning: boolean;
  /** It runs by itself later, named by the policy or not. */
  readonly runsLater: boolean;
}

/** A folder as it was read; null entries: it cannot be listed. */
interface SeenFolder {
  /** Folders, and the files that are more than plain files of their folder. */
  readonly entries: readonly SeenEntry[] | null;
  /** Identities of everything in it but folders. */
  readonly identities: readonly string[];
  readonly count: number;
  /** git takes it for a repository of its own. */
  readonly isGit: boolean;
}

/** Reads folders, and remembers each as long as its inode and the time of its last change are the same. */
export interface FolderReader {
  read(path: string): SeenFolder;
}

/** The clock of a file system moves in ticks: a folder changed this shortly before it was read may have changed since. */
const UNSETTLED_MS = 50;

/**
 * INVARIANT: what is remembered is looked up by inode and by `ctime`, which no program can set: an entry that comes, goes or is
 * replaced changes it. What a name alone does not say (hard links to control files) is asked anew each time.
 */
export function openFolderReader(terms: SpawnTerms, control: ControlFiles): FolderReader {
  const known = new Map<string, { readonly stamp: string; readonly seen: SeenFolder }>();
  return {
    read(path) {
      const before = look(path);
      const stamp = stampOf(before);
      const remembered = known.get(path);
      if (stamp !== null && remembered?.stamp === stamp) return remembered.seen;
      const seen = readFolder(path, terms, control);
      // What changed while it was read is not remembered.
      if (stamp !== null && isSettled(before) && stampOf(look(path)) === stamp) known.set(path, { stamp, seen });
      else known.delete(path);
      return seen;
    },
  };
}

const stampOf = (stats: BigIntStats | undefined): string | null =>
  stats === undefined || !stats.isDirectory() ? null : `${identityOf(stats)}:${stats.ctimeNs}`;

const isSettled = (stats: BigIntStats | undefined): boolean =>
  stats !== undefined && Math.abs(Date.now() - Number(stats.ctimeMs)) > UNSETTLED_MS;

function readFolder(path: string, terms: SpawnTerms, control: ControlFiles): SeenFolder {
  const names = namesIn(path);
  if (names === null) return { entries: null, identities: [], count: 1, isGit: false };
  const own = terms.access(path, 'folder');
  const entries: SeenEntry[] = [];
  const identities: string[] = [];
  for (const name of names) {
    const entry = seeEntry(`${path === '/' ? '' : path}/${name}`, terms, control);
    if (entry === null) continue;
    if (entry.kind !== 'folder') identities.push(entry.identity);
    if (!isPlain(entry, own)) entries.push(entry);
  }
  const isGit = names.includes('HEAD') && (names.includes('objects') || names.includes('commondir'));
  return { entries, identities, count: names.length, isGit };
}

function namesIn(path: string): readonly string[] | null {
  try {
    // ATTACKER-CONTROLLED: a name that is not UTF-8 cannot be said to anybody, so nothing can be mounted over it.
    const names = readdirSync(path, { encoding: 'buffer' });
    return names.map((name) => decode(name, path));
  } catch (error) {
    if (error instanceof SallyportError) throw error;
    return null;
  }
}

function decode(name: Buffer, folder: string): string {
  const text = name.toString('utf8');
  if (Buffer.from(text, 'utf8').equals(name)) return text;
  throw new SallyportError('SANDBOX_FAILED', `a name in ${JSON.stringify(folder)} is not UTF-8: rename it`);
}

function seeEntry(path: string, terms: SpawnTerms, control: ControlFiles): SeenEntry | null {
  const stats = look(path);
  if (stats === undefined) return null;
  const kind = kindOf(stats);
  const access = terms.access(path, kind === 'folder' ? 'folder' : 'file');
  return {
    ...{ path, kind, access, identity: identityOf(stats), links: kind === 'folder' ? 1 : Number(stats.nlink) },
    withheld: terms.withheld(path),
    control: control.judge({ real: path, identities: [], links: 1 }),
    isSelfRunning: terms.isSelfRunning(path),
    runsLater: terms.runsLater(path, kind === 'link' ? kind : 'other'),
  };
}

function kindOf(stats: BigIntStats): SeenEntry['kind'] {
  if (stats.isDirectory()) return 'folder';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isFile() ? 'file' : 'special';
}

/** What is as its folder is: most files. */
function isPlain({ kind, access, withheld, control, runsLater, links }: SeenEntry, own: SpawnAccess): boolean {
  if (kind === 'folder' || kind === 'special' || withheld !== null || control !== null || runsLater) return false;
  return kind === 'link' || (links <= 1 && access === own);
}
