import { readdirSync, readlinkSync, statfsSync, statSync } from 'node:fs';
import { SallyportError } from '../core/index.ts';
import type { KilledBy, SandboxProfile } from './contract.ts';
import type { ProcessIdentity } from './process-identity.ts';

const BLOCK_BYTES = 512;
const MEMORY_FILE = /^\/memfd:runsc-memory\b/;

/**
 * A look at what a sandbox uses: all memory of its programs, temporary files included, is one file in memory that its kernel
 * holds; what writable mounts grow by is seen in the free space of their disks. To be called while the sandbox runs.
 *
 * @throws SallyportError SANDBOX_FAILED: there is a limit that could not be held
 */
export function watchSandbox(profile: SandboxProfile, processes: readonly ProcessIdentity[]): () => KilledBy {
  const { memoryBytes, diskBytes } = profile.limits;
  const memory = memoryBytes === 0 ? null : memoryFile(processes);
  if (memoryBytes !== 0 && memory === null) {
    throw new SallyportError('SANDBOX_FAILED', 'the memory of the sandbox cannot be watched');
  }
  const disks =
    diskBytes === 0 ? [] : profile.mounts.filter(({ access }) => access === 'write').map(({ path }) => diskAt(path));
  return () => {
    if (memory !== null && usedBytes(memory) > memoryBytes) return 'memory';
    return disks.some(({ path, free }) => free - freeBytes(path) > diskBytes) ? 'disk' : null;
  };
}

/** The descriptor of the sandbox's memory, by a path of proc(5); null when it cannot be found. */
function memoryFile(processes: readonly ProcessIdentity[]): string | null {
  for (const { pid } of processes) {
    const folder = `/proc/${pid}/fd`;
    const name = namesIn(folder).find((entry) => MEMORY_FILE.test(linkAt(`${folder}/${entry}`)));
    if (name !== undefined) return `${folder}/${name}`;
  }
  return null;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is gone, or was never ours to look into.
    return [];
  }
}

function linkAt(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // Closed since it was listed.
    return '';
  }
}

function usedBytes(path: string): number {
  try {
    return statSync(path).blocks * BLOCK_BYTES;
  } catch {
    // The sandbox is ending: its memory is being given back.
    return 0;
  }
}

const diskAt = (path: string): { path: string; free: number } => ({ path, free: freeBytes(path) });

/** A mount that is gone has no room left, which ends what was written to it. */
function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return 0;
  }
}
