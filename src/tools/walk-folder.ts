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

/**
 * What lies below a folder and may be seen, each folder before what is in it. Symbolic links are given, never entered: what
 * they lead to has its own place, and loops end here.
 * @throws SallyportError what `children` throws for the top folder
 */
export async function* walkFolder(top: OpenedPath, options: WalkOptions): AsyncGenerator<OpenedPath> {
  const pending: { readonly entries: Entries; readonly depth: number }[] = [
    { entries: await entriesOf(top, options), depth: 1 },
  ];
  for (let level = pending.at(-1); level !== undefined; level = pending.at(-1)) {
    options.signal.throwIfAborted();
    const { value: entry } = await level.entries.next();
    if (entry === undefined) {
      pending.pop();
      continue;
    }
    yield entry;
    if (entry.kind !== 'folder' || entry.linkedTo !== null || level.depth >= options.depth) continue;
    if (options.skip?.(entry) === true) continue;
    const entries = await entriesBelow(entry, options);
    if (entries !== null) pending.push({ entries, depth: level.depth + 1 });
  }
}

type Entries = AsyncIterator<OpenedPath, undefined>;

async function entriesOf(folder: OpenedPath, options: WalkOptions): Promise<Entries> {
  const { entries, complete } = await folder.children();
  if (!complete) options.onIncomplete(folder);
  return entries;
}

/** A folder below the top that cannot be read is passed over, aloud. */
async function entriesBelow(folder: OpenedPath, options: WalkOptions): Promise<Entries | null> {
  try {
    return await entriesOf(folder, options);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    options.onIncomplete(folder);
    return null;
  }
}
