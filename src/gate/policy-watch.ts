import { type FSWatcher, lstatSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Looks at files until it is closed, and keeps no process alive. */
export interface FileWatch {
  close(): void;
}

/** Looked at again this often, whatever the system tells: the net below `fs.watch`, which is not there on every disk. */
const POLL_MS = 1_000;
/** An editor writes in several steps. */
const SETTLE_MS = 50;

/**
 * Calls `changed` a moment after one of the files (absolute paths; they need not exist) is made, changed, replaced or removed,
 * also behind a symbolic link, and `poll` once a second.
 */
export function watchFiles(files: () => readonly string[], changed: () => void, poll: () => void): FileWatch {
  let stamp = stampOf(files());
  let settling: NodeJS.Timeout | null = null;
  const look = (): void => {
    if (settling !== null) clearTimeout(settling);
    settling = null;
    follow(); // one of the folders may have been made
    const now = stampOf(files());
    if (now === stamp) return;
    stamp = now;
    changed();
  };
  const soon = (): void => {
    settling ??= setTimeout(look, SETTLE_MS).unref();
  };
  const folders = watchFolders(soon);
  const follow = (): void => folders.follow(files().map((file) => dirname(file)));
  follow();
  const timer = setInterval(() => {
    follow();
    look();
    poll();
  }, POLL_MS).unref();
  soon();
  return {
    close: () => {
      clearInterval(timer);
      if (settling !== null) clearTimeout(settling);
      folders.follow([]);
    },
  };
}

/** Watches exactly the folders that it was told last. */
function watchFolders(told: () => void): { follow(folders: readonly string[]): void } {
  const watchers = new Map<string, FSWatcher>();
  const drop = (folder: string): void => {
    watchers.get(folder)?.close();
    watchers.delete(folder);
  };
  return {
    follow: (folders) => {
      for (const folder of watchers.keys()) if (!folders.includes(folder)) drop(folder);
      for (const folder of folders) {
        if (watchers.has(folder)) continue;
        const watcher = tryWatch(folder, told);
        if (watcher === null) continue;
        watcher.on('error', () => drop(folder)); // the poll goes on, and watches it again if it can
        watchers.set(folder, watcher);
      }
    },
  };
}

function tryWatch(folder: string, told: () => void): FSWatcher | null {
  try {
    return watch(folder, { persistent: false }, told);
  } catch {
    return null; // no folder, or no watches left: the poll sees what changes
  }
}

const stampOf = (files: readonly string[]): string => files.map((file) => `${own(file)} ${target(file)}`).join('\n');

/** The entry itself, which may be a link. */
const own = (file: string): string => describe(() => lstatSync(file, { bigint: true, throwIfNoEntry: false }));

const target = (file: string): string => describe(() => statSync(file, { bigint: true, throwIfNoEntry: false }));

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function describe(look: () => Stats | undefined): string {
  try {
    const stats = look();
    return stats === undefined
      ? 'absent'
      : [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].map(String).join(':');
  } catch {
    return 'unreadable'; // what is wrong with it, reading it says
  }
}
