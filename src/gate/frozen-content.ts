import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { identityOf } from './control-identities.ts';

/** A file as it was judged. */
interface JudgedFile {
  /** Absolute real path. */
  readonly real: string;
  /** `device:inode`. */
  readonly identity: string;
}

/** Reads the content of judged files, as far as there is room: their SHA-256 in hexadecimal, else null. */
export type Freezer = (file: JudgedFile) => Promise<string | null>;

/** Bytes of one file, and of all files of a call, whose content is frozen for a question. */
const FILE_BYTES = 8_388_608;
const CALL_BYTES = 16_777_216;

const READ_ONLY = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Freezes what somebody is asked about. The same files in the same order are frozen or left out alike, so that the digests of two
 * questions about one call are equal. What is no regular file any more, or another one, has no content.
 */
export function openFreezer(): Freezer {
  let room = CALL_BYTES;
  return async ({ real, identity }) => {
    const handle = await open(real, READ_ONLY).catch(() => null); // gone, or not ours to read: said as not frozen
    if (handle === null) return null;
    try {
      const stats = await handle.stat({ bigint: true });
      const size = Number(stats.size);
      if (!stats.isFile() || identityOf(stats) !== identity || size > Math.min(FILE_BYTES, room)) return null;
      room -= size;
      return await digestOf(handle, size);
    } finally {
      await handle.close();
    }
  };
}

/** INVARIANT: no more is read than the file had when it was looked at; one that grows meanwhile is another one later. */
async function digestOf(handle: FileHandle, size: number): Promise<string | null> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(size, 1_048_576) || 1);
  for (let at = 0; at < size; ) {
    const read = await handle.read(buffer, 0, Math.min(buffer.length, size - at), at).catch(() => null);
    if (read === null || read.bytesRead === 0) return null;
    hash.update(buffer.subarray(0, read.bytesRead));
    at += read.bytesRead;
  }
  return hash.digest('hex');
}
