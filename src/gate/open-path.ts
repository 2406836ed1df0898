import type { FileHandle } from 'node:fs/promises';
import { opendir } from 'node:fs/promises';
import { posix } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { type ErrorCode, type Limits, quoteForMessage, SallyportError } from '../core/index.ts';
import type { PathFacts } from '../policy/index.ts';
import { changed, folderPath, openPlacedFile, openPlacedFolder } from './descriptor.ts';
import type { FolderEntries, OpenedPath } from './opened-path.ts';
import { type ReadPathOptions, readPath } from './path-facts.ts';
import { replaceFile } from './replace-file.ts';

export interface OpenPathOptions extends ReadPathOptions {
  readonly limits: Pick<Limits, 'pathBytes' | 'pathLinks' | 'searchFiles'>;
  /** Whether the rule that admitted the path admits this entry below it. */
  readonly judgeChild: (child: PathFacts) => boolean;
}

/** Binds what a tool may do with a path to the object that was judged. Opens nothing yet. */
export function openPath(judged: PathFacts, options: OpenPathOptions): OpenedPath {
  const display = displayOf(judged.lexical, options.root);
  return Object.freeze({
    display,
    linkedTo: judged.real === judged.lexical ? null : displayOf(judged.real, options.root),
    kind: judged.kind,
    identity: judged.identity,
    async openFile(): Promise<FileHandle> {
      if (judged.kind !== 'file') throw notUsable(judged.kind, 'PATH_NOT_FILE', display);
      return openPlacedFile(judged);
    },
    async children(): Promise<FolderEntries> {
      if (judged.kind !== 'folder') throw notUsable(judged.kind, 'PATH_NOT_FOLDER', display);
      const { names, complete } = await namesIn(judged, options.limits.searchFiles);
      return { entries: judgedChildren(judged, names, options), complete };
    },
    async replace(data: Uint8Array): Promise<void> {
      if (options.use !== 'file_write') {
        throw new SallyportError('PATH_UNWRITABLE', `${quoteForMessage(display)} was judged for reading only`);
      }
      if (judged.kind === 'folder' || judged.kind === 'special') {
        throw notUsable(judged.kind, 'PATH_NOT_FILE', display);
      }
      assertStillFree(judged, options);
      await replaceFile(judged, data);
    },
  });
}

const displayOf = (path: string, root: string): string => {
  if (path === root) return '.';
  const prefix = root === '/' ? root : `${root}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
};

function notUsable(kind: OpenedPath['kind'], expected: ErrorCode, display: string): SallyportError {
  const code = kind === 'missing' ? 'PATH_NOT_FOUND' : kind === 'special' ? 'PATH_SPECIAL_FILE' : expected;
  const what = { file: 'is a file', folder: 'is a folder', missing: 'does not exist', special: 'is a special file' };
  return new SallyportError(code, `${quoteForMessage(display)} ${what[kind]}`);
}

/** A folder on the way may have become another one since, with a control file's inode behind the same name. */
function assertStillFree(judged: PathFacts, options: OpenPathOptions): void {
  const now = readPath(judged.real, options);
  if ('trouble' in now || now.real !== judged.real || now.controlFile !== judged.controlFile) throw changed();
}

async function namesIn(judged: PathFacts, limit: number): Promise<{ names: string[]; complete: boolean }> {
  const folder = await openPlacedFolder(judged);
  try {
    const names: string[] = [];
    for await (const entry of await opendir(folderPath(folder, judged.real), { bufferSize: 256 })) {
      if (names.length === limit) return { names: names.sort(), complete: false };
      names.push(entry.name);
    }
    return { names: names.sort(), complete: true };
  } finally {
    await folder.close();
  }
}

/** Entries looked at between two pauses for everybody else in the process. */
const ENTRIES_PER_TURN = 200;

async function* judgedChildren(
  judged: PathFacts,
  names: readonly string[],
  options: OpenPathOptions,
): AsyncGenerator<OpenedPath, undefined> {
  for (const [index, name] of names.entries()) {
    if (index % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await setImmediate();
    const child = readPath(posix.join(judged.real, name), options);
    if ('trouble' in child || isGone(child) || !options.judgeChild(child)) continue;
    yield openPath(child, options);
  }
}

/** Removed since the folder was read, or named in bytes that are not UTF-8. A link to nothing is an entry. */
const isGone = (child: PathFacts): boolean => child.kind === 'missing' && child.real === child.lexical;
