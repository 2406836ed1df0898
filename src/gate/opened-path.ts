import type { FileHandle } from 'node:fs/promises';

/**
 * A path argument after the gate judged it, bound to the object that was judged: what a tool opens is that object or
 * nothing (PATH_CHANGED).
 */
export interface OpenedPath {
  /** For people: relative to the root where it lies inside, `/` between segments. */
  readonly display: string;
  readonly kind: 'file' | 'folder' | 'missing';
  /** Opens the judged file for reading: same device and inode, no link followed, regular file. */
  openFile(): Promise<FileHandle>;
  /** Entries of the judged folder. A child is judged by the same rule before it is shown or entered. */
  children(): Promise<readonly OpenedPath[]>;
  /** Replaces (or creates) the judged file atomically: a new file beside it, then a rename. */
  replace(data: Uint8Array): Promise<void>;
}
