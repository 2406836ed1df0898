import { setImmediate } from 'node:timers/promises';
import { isSallyportError } from '../core/index.ts';
import type { OpenedPath } from '../gate/index.ts';

export interface WalkOptions {
  /** Levels below the folder: 1 is its own entries. */
  readonly depth: number;
  readonly signal: AbortSignal;
  /** Folders that are shown and not entered. */
  readonly skip?: (folder: OpenedPath) => boolean;
  /** Called for a folder of which not everything was seen: it has too many names, cannot be read, or changed. */
  readonly onIncomplete: (folder: OpenedPath) => void;
}

/** Entries between two pauses for everybody else in the process. */
const ENTRIES_PER_TURN = 200;

/**
 * What lies below a folder and may be seen, each folder before what is in it. Symbolic links are given, never entered: what
 * they lead to has its own place, and loops end here.
 * @throws SallyportError what `children` throws for the top folder
 */
export async function* walkFolder(top: OpenedPath, options: WalkOptions): AsyncGenerator<OpenedPath> {
  let seen = 0;
  const pending = [{ entries: await entriesOf(top, options), depth: 1 }];
  for (let level = pending.at(-1); level !== undefined; level = pending.at(-1)) {
    options.signal.throwIfAborted();
    seen += 1;
    if (seen % ENTRIES_PER_TURN === 0) await setImmediate();
    const { value: entry } = level.entries.next();
    if (entry === undefined) {
      pending.pop();
      continue;
    }
    yield entry;
    if (entry.kind !== 'folder' || entry.linkedTo !== null || level.depth >= options.depth) continue;
    if (options.skip?.(entry) !== true)
      pending.push({ entries: await entriesBelow(entry, options), depth: level.depth + 1 });
  }
}

async function entriesOf(folder: OpenedPath, options: WalkOptions): Promise<Iterator<OpenedPath, undefined>> {
  const { entries, complete } = await folder.children();
  if (!complete) options.onIncomplete(folder);
  return entries[Symbol.iterator]() as Iterator<OpenedPath, undefined>;
}

/** A folder below the top that cannot be read is passed over, aloud. */
async function entriesBelow(folder: OpenedPath, options: WalkOptions): Promise<Iterator<OpenedPath, undefined>> {
  try {
    return await entriesOf(folder, options);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    options.onIncomplete(folder);
    return [][Symbol.iterator]();
  }
}
