import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync } from 'node:fs';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { MountPoint } from './mount-points.ts';
import { readProcessFile } from './process-identity.ts';

/** Opens without reading: what a path names, not what it leads to (open(2)). Node.js has no name for it. */
const O_PATH = 0o10000000;

/** An object of the host, held open so that its number is not given to another one. */
export interface HeldObject {
  readonly dev: bigint;
  readonly ino: bigint;
  close(): void;
}

/**
 * Holds what is at a path now. The kernel tells the real path of what was opened: no link was in it.
 * @throws SallyportError SANDBOX_FAILED
 */
export function holdObject(path: string): HeldObject {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  } catch (cause) {
    throw new SallyportError('SANDBOX_FAILED', `${quoteForMessage(path)} cannot be opened`, { cause });
  }
  const { dev, ino } = fstatSync(descriptor, { bigint: true });
  const held = { dev, ino, close: () => closeSync(descriptor) };
  if (readlinkSync(`/proc/self/fd/${descriptor}`) === path) return held;
  held.close();
  throw new SallyportError('SANDBOX_FAILED', `${quoteForMessage(path)} is not a real path any more`);
}

/** A mount point and the object that must be there. */
export interface ExpectedMount {
  readonly point: MountPoint;
  readonly object: HeldObject;
}

/** `unfinished`: the sandbox is still being built. */
export type MountProof = 'proven' | 'unfinished' | { readonly wrong: string };

/**
 * Compares what is mounted for a process with what must be: the same object at exactly this path, read-only where it has to be.
 * It is asked before the program starts, so whoever swapped a path or planted a link while the sandbox was built achieved that
 * nothing runs.
 */
export function proveMounts(pid: number, expected: readonly ExpectedMount[]): MountProof {
  const mounts = mountsOf(pid);
  if (mounts === null || isUnfinished(mounts)) return 'unfinished';
  if (mounts.get('/')?.readOnly !== true) return { wrong: '/' };
  const bad = expected.find(({ point, object }) => !isAsExpected(pid, point, object, mounts));
  return bad === undefined ? 'proven' : { wrong: bad.point.path };
}

/** Whether every mount point is still mounted at its path: who replaces a covered file outside takes the cover off. */
export function areMounted(pid: number, expected: readonly ExpectedMount[]): boolean {
  const mounts = mountsOf(pid);
  return mounts === null || expected.every(({ point }) => mounts.has(point.path));
}

interface MountedThere {
  /** Mounts one over the other at this path. */
  readonly count: number;
  readonly readOnly: boolean;
}

function isAsExpected(
  pid: number,
  { path, kind }: MountPoint,
  object: HeldObject,
  mounts: ReadonlyMap<string, MountedThere>,
): boolean {
  const mounted = mounts.get(path);
  const mayWrite = kind === 'write' || kind === 'pin';
  if (mounted === undefined || (!mayWrite && !mounted.readOnly)) return false;
  const there = lstatSync(`/proc/${pid}/root${path}`, { bigint: true, throwIfNoEntry: false });
  return there !== undefined && there.dev === object.dev && there.ino === object.ino;
}

/**
 * bubblewrap builds below /newroot with the host at /oldroot, and moves into it last: then the root it built in lies over the new one
 * for a moment.
 */
const isUnfinished = (mounts: ReadonlyMap<string, MountedThere>): boolean =>
  mounts.get('/')?.count !== 1 ||
  [...mounts.keys()].some((path) => path.startsWith('/newroot') || path.startsWith('/oldroot'));

/** The uppermost mount at each mount point (proc_pid_mountinfo(5)); null when the process is gone or not ours to look at. */
function mountsOf(pid: number): ReadonlyMap<string, MountedThere> | null {
  const text = readProcessFile(pid, 'mountinfo');
  if (text === null) return null;
  const mounts = new Map<string, MountedThere>();
  for (const line of text.split('\n')) {
    const [, , , , path, options] = line.split(' ');
    if (path === undefined || options === undefined) continue;
    const at = unescapePath(path);
    mounts.set(at, { readOnly: options.split(',').includes('ro'), count: (mounts.get(at)?.count ?? 0) + 1 });
  }
  return mounts;
}

/** Blanks, tabs, line ends and backslashes stand as `\ooo`, bytes in octal. */
const unescapePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
