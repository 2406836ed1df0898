import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { dirname, sep } from 'node:path';
import type { SecretReference } from '../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../limits.ts';
import { failure, pickField, type SecretProvider, withoutLineEnd } from '../provider.ts';

/** Who besides the owner may read a file of a folder. */
type Readers = 'group' | 'everyone';

export interface FileProviderOptions {
  /**
   * Folders that a platform fills, and who may read there besides the owner. Those that Docker, Kubernetes and systemd fill
   * are known, with `group`; a container whose secrets are mounted 0444 needs `everyone`, said by name.
   */
  readonly folders?: ReadonlyMap<string, Readers>;
}

const PLATFORM_FOLDERS = ['/run/secrets', '/var/run/secrets', '/run/credentials'];

/** `file:/run/secrets/x`: a file that nobody else can read or replace. One line break at its end is not part of the value. */
export function fileProvider(options: FileProviderOptions = {}): SecretProvider {
  const folders = new Map<string, Readers>(PLATFORM_FOLDERS.map((folder) => [folder, 'group']));
  for (const [folder, readers] of options.folders ?? []) folders.set(folder, readers);
  return {
    scheme: 'file',
    async resolve(reference) {
      const place = await placeOf(reference);
      const file = await openPlainly(place, reference);
      try {
        const stats = await file.stat();
        checkFile(stats, readersOf(folders, reference.path), reference);
        const bytes = await readWhole(file, stats.size, reference);
        return { value: pickField(trimmed(bytes), reference), version: `t${Math.trunc(stats.mtimeMs)}` };
      } finally {
        await file.close();
      }
    },
  };
}

/** Kubernetes names a file by links inside its folder, which it replaces at a rotation; a link that leads out is refused. */
async function placeOf(reference: SecretReference): Promise<string> {
  try {
    const folder = await realpath(dirname(reference.path));
    const place = await realpath(reference.path);
    if (!place.startsWith(folder === sep ? sep : folder + sep))
      throw unsafe(reference, 'it is a link that leads out of its folder');
    for (const above of new Set([folder, dirname(place)])) checkFolder(await stat(above), reference);
    return place;
  } catch (error) {
    throw notThere(error, reference);
  }
}

async function openPlainly(place: string, reference: SecretReference): Promise<FileHandle> {
  try {
    // O_NONBLOCK: a pipe under this name must not make the keeper wait.
    return await open(place, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    throw notThere(error, reference);
  }
}

const uid = (): number => process.geteuid?.() ?? 0;
const isOurs = (stats: Stats): boolean => stats.uid === uid() || stats.uid === 0;

/** Whoever can write in the folder can put another file in this place. */
function checkFolder(stats: Stats, reference: SecretReference): void {
  const sticky = (stats.mode & 0o1000) !== 0;
  if (!isOurs(stats)) throw unsafe(reference, 'its folder belongs to somebody else');
  if ((stats.mode & 0o022) !== 0 && !sticky) throw unsafe(reference, 'others can write in its folder');
}

function checkFile(stats: Stats, readers: Readers | null, reference: SecretReference): void {
  if (!stats.isFile()) throw unsafe(reference, 'it is not a plain file');
  if (!isOurs(stats)) throw unsafe(reference, 'it belongs to somebody else');
  const forbidden = readers === 'everyone' ? 0o033 : readers === 'group' ? 0o037 : 0o077;
  if ((stats.mode & forbidden) !== 0) {
    throw unsafe(
      reference,
      `its mode is ${(stats.mode & 0o777).toString(8).padStart(4, '0')}; others could read or write it`,
    );
  }
}

function readersOf(folders: ReadonlyMap<string, Readers>, path: string): Readers | null {
  for (let folder = dirname(path); folder !== sep; folder = dirname(folder)) {
    const readers = folders.get(folder);
    if (readers !== undefined) return readers;
  }
  return null;
}

/** Reads one byte more than there may be, so that a file that grows is noticed. */
async function readWhole(file: FileHandle, size: number, reference: SecretReference): Promise<Buffer> {
  const { valueBytes } = DEFAULT_SECRET_LIMITS;
  if (size > valueBytes) throw failure('SECRET_TOO_LARGE', reference, `expected at most ${valueBytes} bytes`);
  const bytes = Buffer.alloc(valueBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
  }
}

function trimmed(bytes: Buffer): Buffer {
  const value = Buffer.alloc(withoutLineEnd(bytes).length);
  bytes.copy(value);
  bytes.fill(0);
  return value;
}

const unsafe = (reference: SecretReference, why: string): Error => failure('SECRET_FILE_UNSAFE', reference, why);

function notThere(error: unknown, reference: SecretReference): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') return failure('SECRET_NOT_FOUND', reference, 'there is no such file');
  if (code === 'EACCES' || code === 'EPERM')
    return failure('SECRET_ACCESS_DENIED', reference, 'the keeper may not read it');
  if (code === 'ELOOP') return unsafe(reference, 'it became a link while it was looked at');
  return error;
}
