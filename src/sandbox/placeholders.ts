import { lstatSync, mkdirSync, readdirSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { quoteForMessage, SallyportError, sha256Hex } from '../core/index.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';

/** Empty folders where a reserved path is, so that a sandbox has something to mount over; shared by every process of a user. */
export interface Placeholders {
  /**
   * Makes sure that a placeholder is at the path and stays until `release`, also when others use and release it too.
   * @throws SallyportError SANDBOX_FAILED when something else is there
   */
  hold(path: string): Promise<{ release(): void }>;
  isPlaceholder(path: string): boolean;
  /** Removes the placeholder at a path, unless a living process still uses it: for a process that died. */
  sweep(path: string): void;
}

const ATTEMPTS = 200;
const PAUSE_MS = 10;
/** An empty folder that git and other tools pass over in silence, and in which nothing is made by accident. */
const MODE = 0o555;

/**
 * Each placeholder has a folder of users under `folder`, named by its path, device and inode: a *generation*. INVARIANT: whoever
 * removes the last user removes the generation's folder first, which the kernel refuses while there is one, and only then the
 * placeholder; whoever comes in between finds no folder to enter, and tries again. So no lock is needed.
 */
export function openPlaceholders(folder: string, owner: ProcessIdentity): Placeholders {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let count = 0;
  const hold = async (path: string): Promise<{ release(): void }> => {
    count += 1;
    const entry = `${owner.pid}-${owner.start}-${count}`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const generation = enter(folder, path, entry);
      if (generation !== null) return { release: () => leave(generation, path, entry) };
      if (attempt === ATTEMPTS / 2) removeOrphan(folder, path);
      await delay(PAUSE_MS);
    }
    throw new SallyportError('SANDBOX_FAILED', `${quoteForMessage(path)} is reserved, but exists`);
  };
  const isPlaceholder = (path: string): boolean => {
    const generation = generationOf(folder, path);
    return generation !== null && isFolder(generation);
  };
  return { hold, isPlaceholder, sweep: (path) => sweep(folder, path) };
}

/** The generation that `entry` now is a user of; null: try again. */
function enter(folder: string, path: string, entry: string): string | null {
  const made = makeFolder(path);
  const generation = generationOf(folder, path);
  if (generation === null) return null;
  if (made) mkdirSync(generation, { recursive: true, mode: 0o700 });
  if (!addEntry(join(generation, entry))) return null;
  if (generationOf(folder, path) === generation) return generation;
  leave(generation, path, entry);
  return null;
}

function leave(generation: string, path: string, entry: string): void {
  remove(() => unlinkSync(join(generation, entry)));
  if (remove(() => rmdirSync(generation)) !== 'removed') return;
  const isStillIt = generationOf(join(generation, '..'), path) === generation;
  // rmdir never takes anything away that has content.
  if (isStillIt) remove(() => rmdirSync(path));
}

function sweep(folder: string, path: string): void {
  const generation = generationOf(folder, path);
  if (generation === null) return;
  if (!isFolder(generation)) {
    removeOrphan(folder, path);
    return;
  }
  for (const entry of readdirSync(generation)) {
    const [pid = 0, start = 0] = entry.split('-').map(Number);
    if (!isAlive({ pid, start })) leave(generation, path, entry);
  }
}

/** A placeholder whose maker died before it said so. */
function removeOrphan(folder: string, path: string): void {
  const generation = generationOf(folder, path);
  if (generation === null || isFolder(generation)) return;
  const { mode, uid } = lstatSync(path);
  if ((mode & 0o7777) === MODE && uid === process.getuid?.()) remove(() => rmdirSync(path));
}

/** The folder of users of what is at the path now; null: no folder is there. */
function generationOf(folder: string, path: string): string | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return null;
  return join(folder, `${sha256Hex(path).slice(0, 32)}-${stat.dev}-${stat.ino}`);
}

const isThere = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;

const isFolder = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: MODE });
    return true;
  } catch (cause) {
    const isFolderOfOthers = hasCode(cause, 'EEXIST') && (isFolder(path) || !isThere(path));
    if (isFolderOfOthers) return false;
    throw new SallyportError('SANDBOX_FAILED', `${quoteForMessage(path)} cannot be reserved`, { cause });
  }
}

function addEntry(path: string): boolean {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    return true;
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return false;
    throw new SallyportError('SANDBOX_FAILED', 'the list of placeholders cannot be written', { cause });
  }
}

/** Others remove the same things at the same time: gone is as good as removed by us, and in use is theirs. */
function remove(act: () => void): 'removed' | 'not' {
  try {
    act();
    return 'removed';
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR', 'EBUSY'].some((code) => hasCode(error, code))) return 'not';
    throw error;
  }
}

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;
