import { realpathSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { SpawnAccess, SpawnTerms } from '../policy/index.ts';
import type { Cover, Mount } from '../sandbox/index.ts';
import type { ControlFiles } from './control-files.ts';
import { identityOf } from './control-identities.ts';
import { look } from './folder-contents.ts';
import type { FolderReader, SeenEntry } from './profile-folders.ts';

/** Entries that are looked at for one profile; mounts and covers that one may have. */
const MAX_ENTRIES = 500_000;
const MAX_MOUNTS = 200;
const MAX_COVERS = 2_000;
/** Entries after which others get a turn. */
const TURN = 5_000;

/** Where the walk is: what the place inherits from the mount and the covers above it. */
interface Place {
  readonly path: string;
  readonly access: SpawnAccess;
  readonly cover: Cover['kind'] | null;
  /** It lies below a control file, or is one. */
  readonly isControl: boolean;
}

/** A file with several names, where a program could see it. */
interface Linked extends Place {
  readonly identity: string;
  readonly links: number;
}

/** What a walk found. */
export interface Walked {
  readonly mounts: Map<string, Mount['access']>;
  readonly covers: Map<string, Cover['kind']>;
  readonly linked: Linked[];
  /** Files that no program may see, by inode. */
  readonly withheld: Set<string>;
  /** Folders in the place of a control file: perhaps what a sandbox that runs keeps there. */
  readonly emptyControl: string[];
  /** Links whose own name is withheld or that of a control file. */
  readonly links: { readonly entry: SeenEntry; readonly access: SpawnAccess }[];
}

export interface WalkParts {
  readonly terms: SpawnTerms;
  readonly control: ControlFiles;
  readonly folders: FolderReader;
}

interface Walk extends WalkParts {
  readonly found: Walked;
  count: number;
}

/**
 * Looks at everything below the bases of the terms, without following a link, and says what is mounted and what of that is
 * covered. ATTACKER-CONTROLLED: names, links and how many there are.
 *
 * @throws SallyportError SANDBOX_FAILED when there is more than can be looked at, or covered
 */
export async function walkTerms(parts: WalkParts): Promise<Walked> {
  const found: Walked = {
    ...{ mounts: new Map(), covers: new Map(), linked: [], withheld: new Set(), links: [], emptyControl: [] },
  };
  const walk: Walk = { ...parts, found, count: 0 };
  const bases = outermost(parts.terms.bases.filter(isItself));
  for (const base of bases) await walkFrom(walk, base);
  if (found.linked.length > 0) await collectElsewhere(walk, bases);
  return found;
}

/** A base that is a link, or lies behind one, allows nothing: real paths are what is judged. */
function isItself(path: string): boolean {
  try {
    return realpathSync(path) === path;
  } catch {
    return false; // it does not exist, or we may not look: then nothing of it is mounted
  }
}

const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`);

const outermost = (paths: readonly string[]): readonly string[] =>
  paths.filter((path) => !paths.some((other) => other !== path && isBelow(path, other)));

async function walkFrom(walk: Walk, base: string): Promise<void> {
  const stats = look(base);
  if (stats === undefined) return;
  const kind = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'special';
  const { terms, control } = walk;
  const entry: SeenEntry = {
    ...{ path: base, kind, identity: identityOf(stats), links: kind === 'folder' ? 1 : Number(stats.nlink) },
    access: terms.access(base, kind === 'folder' ? kind : 'file'),
    withheld: terms.withheld(base),
    control: control.judge({ real: base, identities: [], links: 1 }),
    isSelfRunning: terms.isSelfRunning(base),
    runsLater: terms.runsLater(base, 'other'),
  };
  await walkEntries(walk, [{ entry, above: { path: base, access: 'none', cover: null, isControl: false } }]);
}

async function walkEntries(walk: Walk, first: readonly { entry: SeenEntry; above: Place }[]): Promise<void> {
  const pending: Place[] = first.flatMap(({ entry, above }) => place(walk, entry, above));
  let turn = walk.count + TURN;
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const seen = walk.folders.read(folder.path);
    count(walk, seen.count);
    if (seen.entries === null) cover(walk.found, folder, 'hidden');
    else if (folder.cover === 'hidden') for (const identity of seen.identities) walk.found.withheld.add(identity);
    if (seen.count === 0 && folder.isControl) walk.found.emptyControl.push(folder.path);
    const inside = seen.isGit ? { ...folder, cover: cover(walk.found, folder, 'read-only'), isControl: true } : folder;
    for (const entry of seen.entries ?? []) pending.push(...place(walk, entry, inside));
    if (walk.count < turn) continue;
    turn = walk.count + TURN;
    await setImmediate();
  }
}

function count(walk: Walk, more: number): void {
  walk.count += more + 1;
  if (walk.count <= MAX_ENTRIES) return;
  const reason = `more than ${MAX_ENTRIES} files lie where the policy lets programs look: name fewer folders`;
  throw new SallyportError('SANDBOX_FAILED', reason);
}

/** Takes in one entry; the folder that is to be looked into next, if it is one. */
function place(walk: Walk, entry: SeenEntry, above: Place): readonly Place[] {
  if (entry.kind === 'link') {
    walk.found.links.push({ entry, access: above.access });
    return [];
  }
  const { kind, isControl } = coverOf(walk, entry);
  const own = mount(walk, entry, { ...above, isControl: above.isControl || isControl }, kind);
  const here = { ...own, cover: cover(walk.found, own, kind) };
  if (entry.kind === 'folder') return [here];
  if (here.cover === 'hidden') walk.found.withheld.add(entry.identity);
  else if (entry.links > 1 && here.access !== 'none') walk.found.linked.push({ ...here, ...linkOf(entry) });
  return [];
}

const linkOf = ({ identity, links }: SeenEntry): Pick<Linked, 'identity' | 'links'> => ({ identity, links });

const RANK: Readonly<Record<SpawnAccess, number>> = { none: 0, read: 1, write: 2 };

/** INVARIANT: nothing is mounted below what is hidden, nothing to be written below a control file or where it is covered. */
function mount({ found }: Walk, entry: SeenEntry, above: Place, kind: Cover['kind'] | null): Place {
  const { path } = entry;
  const most: SpawnAccess = above.isControl || above.cover === 'read-only' || kind === 'read-only' ? 'read' : 'write';
  const access = RANK[entry.access] > RANK[most] ? most : entry.access;
  const isHidden = above.cover === 'hidden' || kind === 'hidden';
  if (isHidden || access === 'none' || RANK[access] <= RANK[above.access]) return { ...above, path };
  if (found.mounts.size === MAX_MOUNTS) {
    const reason = `the policy names more than ${MAX_MOUNTS} places that exist: write folders instead of patterns`;
    throw new SallyportError('SANDBOX_FAILED', reason);
  }
  found.mounts.set(path, access);
  return { ...above, path, access };
}

/** What has to lie over an entry, whatever is above it. */
function coverOf({ control }: Walk, entry: SeenEntry): { kind: Cover['kind'] | null; isControl: boolean } {
  // A second name, or a folder that is mounted twice, is known by its inode only, and not for long.
  const isAsked = entry.kind === 'folder' || entry.links > 1;
  const identities = [entry.identity];
  const known = isAsked ? control.judge({ real: entry.path, identities, links: entry.links }) : entry.control;
  const isControl = known !== null;
  if (entry.withheld === 'hidden' || known === 'state' || entry.kind === 'special')
    return { kind: 'hidden', isControl };
  const isKept = entry.withheld === 'read-only' || isControl || entry.isSelfRunning;
  return { kind: isKept ? 'read-only' : null, isControl };
}

/** Adds a cover where one is needed, and says what covers the place now. */
function cover(found: Walked, { path, access, cover: above }: Place, kind: Cover['kind'] | null): Place['cover'] {
  if (above === 'hidden' || kind === null) return above;
  if (kind === 'hidden') {
    if (access !== 'none') addCover(found, path, kind);
    return kind;
  }
  if (access !== 'write' || above !== null) return above;
  addCover(found, path, kind);
  return kind;
}

/** A cover of a whole mount is a mount of another kind, or none. */
function addCover({ covers, mounts }: Walked, path: string, kind: Cover['kind']): void {
  if (mounts.has(path)) {
    if (kind === 'hidden') mounts.delete(path);
    else mounts.set(path, 'read');
    if (kind === 'read-only' || ![...mounts.keys()].some((other) => isBelow(path, other))) return;
  }
  if (covers.get(path) !== 'hidden') covers.set(path, kind);
  if (covers.size <= MAX_COVERS) return;
  const reason = `more than ${MAX_COVERS} places would have to be covered: name fewer folders, or deny whole folders`;
  throw new SallyportError('SANDBOX_FAILED', reason);
}

/** What is withheld outside of the bases may have another name inside. */
async function collectElsewhere(walk: Walk, bases: readonly string[]): Promise<void> {
  const { terms } = walk;
  const others = [terms.root, ...terms.named].filter((path) => !bases.some((base) => isBelow(path, base)));
  const found: Walked = { ...walk.found, mounts: new Map(), covers: new Map(), linked: [], links: [] };
  for (const path of outermost([...new Set(others)])) await walkFrom({ ...walk, found }, path);
}

/**
 * Covers the other names of what is withheld, and lets nobody write a file that has a name which was not seen: another place
 * would change with it.
 */
export function coverLinked(found: Walked): void {
  const { linked, withheld } = found;
  const seen = new Map<string, number>();
  for (const { identity, access, cover: above } of linked) {
    if (access === 'write' && above === null) seen.set(identity, (seen.get(identity) ?? 0) + 1);
  }
  for (const { path, identity, links, access, cover: above } of linked) {
    if (withheld.has(identity)) addCover(found, path, 'hidden');
    else if (access === 'write' && above === null && seen.get(identity) !== links) addCover(found, path, 'read-only');
  }
}

/**
 * Where a link leads whose own name is withheld is hidden too. A link in the place of a control file cannot be covered, so
 * its folder cannot be changed.
 *
 * @throws SallyportError SANDBOX_FAILED when that folder is a whole mount
 */
export function coverLinks(found: Walked): void {
  const mounts = [...found.mounts.keys()];
  const isMount = (path: string): boolean => mounts.some((mount) => isBelow(mount, path));
  const isSeen = (path: string): boolean => mounts.some((mount) => isBelow(path, mount));
  for (const { entry, access } of found.links) {
    if (entry.withheld === 'hidden') {
      const target = targetOf(entry.path);
      if (target !== null && isSeen(target) && !isMount(target)) addCover(found, target, 'hidden');
    } else if (entry.control !== null && access === 'write') coverFolder(found, entry.path, isMount);
  }
}

function coverFolder(found: Walked, path: string, isMount: (path: string) => boolean): void {
  const folder = path.slice(0, path.lastIndexOf('/'));
  if (isMount(folder)) {
    const reason = `${quoteForMessage(path)} is a control file and a link, which cannot be covered: put a file in its place`;
    throw new SallyportError('SANDBOX_FAILED', reason);
  }
  addCover(found, folder, 'read-only');
  const target = targetOf(path);
  const isWritable =
    target !== null && [...found.mounts].some(([at, access]) => access === 'write' && isBelow(target, at));
  if (isWritable && !isMount(target)) addCover(found, target, 'read-only');
}

function targetOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // it leads nowhere
  }
}
