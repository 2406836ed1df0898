import { type BigIntStats, constants, fstatSync, readlinkSync, realpathSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { SallyportError } from '../core/index.ts';
import { identityOf } from './control-identities.ts';
import { look } from './folder-contents.ts';

/**
 * Descriptors bound to a judged place. On Linux the kernel says where an open descriptor lies (/proc/self/fd), and a path
 * below it is read from the folder that is open, whatever has its name by now. Elsewhere the comparison of device and
 * inode stands alone: a folder on the way that is swapped and swapped back between two looks is not seen.
 */
const HAS_DESCRIPTOR_PATHS = process.platform === 'linux';

/** `O_PATH` of Linux (asm-generic): a descriptor that only names an object. Opening it so wakes no device, FIFO or lock. */
const O_PATH = 0o10000000;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/**
 * A judged place: an absolute real path, and what has to be there (null: whatever is there). A file made since in the same
 * place, with the inode number of one that was deleted, passes for it; a link to anything that existed cannot.
 */
export interface Place {
  readonly real: string;
  readonly identity: string | null;
}

/**
 * Opens a regular file for reading. Nothing but that file is opened, not even for a moment.
 * @throws SallyportError PATH_CHANGED, PATH_UNREADABLE
 */
export async function openPlacedFile(place: Place): Promise<FileHandle> {
  if (!HAS_DESCRIPTOR_PATHS) return openPlaced(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 'file');
  const named = await openPlaced(place, O_PATH | O_NOFOLLOW, 'file');
  try {
    return await openOrExplain(descriptorPath(named), O_RDONLY | O_NONBLOCK);
  } finally {
    await named.close();
  }
}

/**
 * Opens a folder, to read or to make entries in it by {@link entryPath}.
 * @throws SallyportError PATH_CHANGED (also when it is not there), PATH_UNREADABLE
 */
export const openPlacedFolder = (place: Place): Promise<FileHandle> =>
  openPlaced(place, O_RDONLY | O_NOFOLLOW | O_DIRECTORY, 'folder');

/** {@link openPlacedFolder} for the entry `name` of an open folder; `place` says where that has to lie. */
export async function openPlacedChild(folder: FileHandle, name: string, place: Place): Promise<FileHandle> {
  const handle = await openOrExplain(entryPath(folder, place.real, name), O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
  return checked(handle, place, 'folder');
}

/** How to name an entry of an open folder; `child` is its absolute real path. */
export const entryPath = (folder: FileHandle, child: string, name: string): string =>
  HAS_DESCRIPTOR_PATHS ? `${descriptorPath(folder)}/${name}` : child;

/** How to name an open folder so that its entries can be read. */
export const folderPath = (folder: FileHandle, real: string): string =>
  HAS_DESCRIPTOR_PATHS ? `${descriptorPath(folder)}/.` : real;

/** @throws SallyportError PATH_CHANGED unless the descriptor still lies where it was judged and is what was judged */
export function assertPlaced({ fd }: FileHandle, { real, identity }: Place, kind: 'file' | 'folder'): void {
  const stats = fstatSync(fd, { bigint: true });
  const fits = kind === 'file' ? stats.isFile() : stats.isDirectory();
  if (!fits || (identity !== null && identityOf(stats) !== identity) || !liesAt(fd, stats, real)) throw changed();
}

/** The path changed between the check and the use. */
export const changed = (cause?: unknown): SallyportError =>
  new SallyportError('PATH_CHANGED', 'the path does not name any more what was judged', { cause });

/** The code of a failed system call (`ENOENT`), or an empty text. */
export const systemCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

async function openPlaced(place: Place, flags: number, kind: 'file' | 'folder'): Promise<FileHandle> {
  return checked(await openOrExplain(place.real, flags), place, kind);
}

async function checked(handle: FileHandle, place: Place, kind: 'file' | 'folder'): Promise<FileHandle> {
  try {
    assertPlaced(handle, place, kind);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openOrExplain(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (cause) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(systemCode(cause))) throw changed(cause);
    throw new SallyportError('PATH_UNREADABLE', 'the path cannot be opened', { cause });
  }
}

const descriptorPath = ({ fd }: FileHandle): string => `/proc/self/fd/${fd}`;

function liesAt(fd: number, stats: BigIntStats, real: string): boolean {
  if (HAS_DESCRIPTOR_PATHS) return readlinkSync(`/proc/self/fd/${fd}`) === real;
  const now = look(real);
  return now !== undefined && identityOf(now) === identityOf(stats) && realpathSync.native(real) === real;
}
