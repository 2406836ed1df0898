import { PRIVATE_FOLDERS } from './bubblewrap-plan.ts';
import type { KilledBy, LevelReport, SandboxLimits } from './contract.ts';
import type { ControlGroup } from './control-group.ts';
import { areMounted, type ExpectedMount } from './mount-proof.ts';
import { freeBytes, usedBytes, useOfTree } from './process-tree.ts';

/** What holds each limit of a bubblewrap sandbox. */
export const limitsHeldBy = (hasGroups: boolean): LevelReport['limits'] =>
  Object.freeze({
    wallMs: 'watchdog',
    memoryBytes: hasGroups ? 'cgroup' : 'watchdog',
    processes: hasGroups ? 'cgroup' : 'rlimit',
    fileBytes: 'rlimit',
    openFiles: 'rlimit',
    outputBytes: 'watchdog',
    diskBytes: 'tmpfs, watchdog',
  });

export interface WatchParts {
  /** First process inside. */
  readonly pid: number;
  readonly limits: SandboxLimits;
  readonly group: ControlGroup | null;
  readonly expected: readonly ExpectedMount[];
}

/** The mounts are looked at every so many looks: it is the only one that reads a long text. */
const MOUNTS_EVERY = 5;

/** A watchdog over a running sandbox: each call is one look. */
export function openWatch({ pid, limits, group, expected }: WatchParts): () => KilledBy {
  const disks = watchDisks(expected, limits.diskBytes);
  const covers = expected.filter(({ point }) => point.kind !== 'pin');
  let looks = 0;
  return () => {
    looks += 1;
    if (group !== null && group.memoryKills() > 0) return 'memory';
    if (group === null) {
      const over = overTree(pid, limits);
      if (over !== null) return over;
    }
    if (disks()) return 'disk';
    return looks % MOUNTS_EVERY === 0 && !areMounted(pid, covers) ? 'stopped' : null;
  };
}

function overTree(pid: number, { memoryBytes, processes }: SandboxLimits): KilledBy {
  if (memoryBytes === 0 && processes === 0) return null;
  const use = useOfTree(pid);
  const folders = PRIVATE_FOLDERS.map((path) => usedBytes(`/proc/${pid}/root${path}`));
  const memory = folders.reduce((sum, bytes) => sum + bytes, use.memoryBytes);
  if (memoryBytes !== 0 && memory > memoryBytes) return 'memory';
  // The first process collects the dead, and is not the program's.
  return processes !== 0 && use.tasks - 1 > processes ? 'processes' : null;
}

/** Whether the free space of a writable mount fell by more than `most` bytes since this was called; 0 is no limit. */
function watchDisks(expected: readonly ExpectedMount[], most: number): () => boolean {
  if (most === 0) return () => false;
  const paths = expected.filter(({ point }) => point.kind === 'write').map(({ point }) => point.path);
  const before = paths.map((path) => ({ path, free: freeBytes(path) }));
  return () =>
    before.some(({ path, free }) => {
      const now = freeBytes(path);
      return free !== null && now !== null && free - now > most;
    });
}
