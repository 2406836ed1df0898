import { readdirSync, statfsSync } from 'node:fs';
import { readProcessFile } from './process-identity.ts';

/** What the processes of a sandbox hold at this moment. */
export interface TreeUse {
  /** Processes and threads. */
  readonly tasks: number;
  /** Bytes of memory that are theirs alone or shared memory; program files and libraries are not counted. */
  readonly memoryBytes: number;
}

/** Processes that one look takes in. */
const MOST_PROCESSES = 16_384;

/**
 * What a process and everything below it use (proc(5)). In a process namespace of its own nothing gets out of that tree: who
 * loses a parent becomes a child of its first process.
 */
export function useOfTree(root: number): TreeUse {
  let [tasks, memoryBytes] = [0, 0];
  const seen = new Set([root]);
  for (const pid of seen) {
    const threads = tasksOf(pid);
    tasks += threads.length;
    memoryBytes += memoryOf(pid);
    for (const child of childrenOf(pid, threads)) if (seen.size < MOST_PROCESSES) seen.add(child);
  }
  return { tasks, memoryBytes };
}

/** The processes that a process started, in the order of their numbers. */
export const childrenOf = (pid: number, threads: readonly string[] = tasksOf(pid)): readonly number[] =>
  threads.flatMap((thread) =>
    (readProcessFile(pid, `task/${thread}/children`) ?? '')
      .split(' ')
      .filter((word) => word !== '')
      .map(Number),
  );

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It ended meanwhile.
    return [];
  }
}

function memoryOf(pid: number): number {
  const status = statusWithMemory(pid);
  return kibibytes(status, HAS_MEMORY) + kibibytes(status, '\nRssShmem:');
}

const HAS_MEMORY = '\nRssAnon:';

/** The memory of a process stands with its threads when the first one has ended and the others go on. */
function statusWithMemory(pid: number): string {
  const own = readProcessFile(pid, 'status') ?? '';
  if (own === '' || own.includes(HAS_MEMORY)) return own;
  const others = tasksOf(pid).map((thread) => readProcessFile(pid, `task/${thread}/status`) ?? '');
  return others.find((status) => status.includes(HAS_MEMORY)) ?? own;
}

function kibibytes(status: string, name: string): number {
  const at = status.indexOf(name);
  return at < 0 ? 0 : 1_024 * (Number.parseInt(status.slice(at + name.length), 10) || 0);
}

/** Bytes in use on a file system; 0 when it cannot be asked. */
export function usedBytes(path: string): number {
  try {
    const { blocks, bfree, bsize } = statfsSync(path);
    return (blocks - bfree) * bsize;
  } catch {
    // The sandbox ended meanwhile.
    return 0;
  }
}

/** Bytes that an ordinary user can still write on a file system; null when it cannot be asked. */
export function freeBytes(path: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return null;
  }
}
