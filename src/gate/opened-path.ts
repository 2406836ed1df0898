import type { FileHandle } from 'node:fs/promises';

/**
 * A path argument after the gate judged it, bound to the object that was judged: what a tool opens is that object or
 * nothing (PATH_CHANGED).
 *
 * Its methods throw SallyportError: PATH_CHANGED, PATH_NOT_FOUND, PATH_NOT_FILE, PATH_NOT_FOLDER, PATH_SPECIAL_FILE,
 * PATH_UNREADABLE, PATH_UNWRITABLE.
 */
export interface OpenedPath {
  /** For people: relative to the root where it lies inside (`.` for the root itself), `/` between segments. */
  readonly display: string;
  /** Where it really lies, in the same form, if a symbolic link led there; else null. */
  readonly linkedTo: string | null;
  readonly kind: 'file' | 'folder' | 'missing' | 'special';
  /** `device:inode`; null if missing. */
  readonly identity: string | null;
  /** Opens the judged file for reading: same device and inode, same place, no link followed, regular file. Close it. */
  openFile(): Promise<FileHandle>;
  /** Entries of the judged folder. A child is judged by the same rule before it is shown or entered. */
  children(): Promise<FolderEntries>;
  /** Replaces (or creates) the judged file atomically: a new file beside it, then a rename. Creates missing folders. */
  replace(data: Uint8Array): Promise<void>;
}

/** What a folder holds, by name in code unit order. */
export interface FolderEntries {
  /** Read and judged one by one as they are taken, once; what the rule denies is passed over. */
  readonly entries: AsyncGenerator<OpenedPath, undefined>;
  /** False if the folder holds more names than were read. */
  readonly complete: boolean;
}
