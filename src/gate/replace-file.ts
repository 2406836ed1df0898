import { randomBytes } from 'node:crypto';
import { type BigIntStats, constants, lstatSync } from 'node:fs';
import { access, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { posix } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { identityOf } from './control-identities.ts';
import {
  assertPlaced,
  changed,
  entryPath,
  openPlacedChild,
  openPlacedFolder,
  type Place,
  systemCode,
} from './descriptor.ts';
import { look } from './folder-contents.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, W_OK } = constants;

/** Folders that one write may create above its file. */
const NEW_FOLDERS = 32;
const NEW_FILE_MODE = 0o644;
const NEW_FOLDER_MODE = 0o755;

/**
 * Writes a file as a whole: readers see the old bytes or the new ones. The new file is made beside the old one, in the
 * folder that was judged, synced, and renamed over it; another hard link to the old file keeps the old bytes. `target` is
 * what has to be there when it is renamed: an identity, or null for nothing.
 *
 * What the kernel leaves open: a process with our rights that moves the judged folder itself, or changes the file, in the
 * moment between the last look and the rename. It could have written there without us.
 *
 * @throws SallyportError PATH_CHANGED, PATH_UNREADABLE, PATH_UNWRITABLE, PATH_NOT_FOUND
 */
export async function replaceFile(target: Place, data: Uint8Array): Promise<void> {
  const folder = { real: posix.dirname(target.real), identity: null };
  const handle = target.identity === null ? await openOrCreateFolder(folder.real) : await openPlacedFolder(folder);
  try {
    await writeBeside({ handle, folder, target, name: posix.basename(target.real) }, data);
  } catch (error) {
    throw explained(error);
  } finally {
    await handle.close();
  }
}

interface Placed {
  readonly handle: FileHandle;
  readonly folder: Place;
  readonly target: Place;
  readonly name: string;
}

async function writeBeside(placed: Placed, data: Uint8Array): Promise<void> {
  const { handle, target, name } = placed;
  const before = await assertReplaceable(placed);
  const freshName = `.${name.slice(0, 40)}.${randomBytes(9).toString('hex')}.tmp`;
  const fresh = entryPath(handle, posix.join(posix.dirname(target.real), freshName), freshName);
  const file = await open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    await fill(file, data, before);
    await assertReplaceable(placed);
    await rename(fresh, entryPath(handle, target.real, name));
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncFolder(handle);
}

/** The state of what will be replaced; refuses if it is not what was judged, or is write-protected. */
async function assertReplaceable({ handle, folder, target, name }: Placed): Promise<BigIntStats | undefined> {
  assertPlaced(handle, folder, 'folder');
  const path = entryPath(handle, target.real, name);
  const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if ((stats === undefined ? null : identityOf(stats)) !== target.identity) throw changed();
  if (stats !== undefined) await access(path, W_OK);
  return stats;
}

async function fill(file: FileHandle, data: Uint8Array, before: BigIntStats | undefined): Promise<void> {
  await file.writeFile(data);
  // Set-user-id and the like do not pass to new content.
  await file.chmod(before === undefined ? NEW_FILE_MODE & ~process.umask() : Number(before.mode & 0o777n));
  if (before !== undefined && process.geteuid?.() === 0) await file.chown(Number(before.uid), Number(before.gid));
  await file.sync();
}

/** Some file systems know no sync of folders. */
async function syncFolder(folder: FileHandle): Promise<void> {
  try {
    await folder.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP'].includes(systemCode(error))) throw error;
  }
}

/** Opens the folder, and makes it and those above it where they are missing, each inside the one that is open. */
async function openOrCreateFolder(real: string, left: number = NEW_FOLDERS): Promise<FileHandle> {
  const place = { real, identity: null };
  try {
    return await openPlacedFolder(place);
  } catch (error) {
    if (look(real)?.isFile()) {
      throw new SallyportError('PATH_NOT_FOLDER', 'a file stands where a folder is needed');
    }
    if (!(error instanceof SallyportError) || systemCode(error.cause) !== 'ENOENT') throw error;
  }
  if (left === 0)
    throw new SallyportError('PATH_NOT_FOUND', `more than ${NEW_FOLDERS} folders above the file are missing`);
  const parent = await openOrCreateFolder(posix.dirname(real), left - 1);
  const name = posix.basename(real);
  try {
    await makeFolder(entryPath(parent, real, name));
    return await openPlacedChild(parent, name, place);
  } finally {
    await parent.close();
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, NEW_FOLDER_MODE);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw explained(error);
  }
}

function explained(error: unknown): SallyportError {
  if (error instanceof SallyportError) return error;
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EEXIST'].includes(systemCode(error))) return changed(error);
  return new SallyportError('PATH_UNWRITABLE', `the file cannot be written (${systemCode(error) || 'unknown'})`, {
    cause: error,
  });
}
