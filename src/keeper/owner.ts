import {
  closeSync,
  fstatSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, parseStrictJson, SallyportError } from '../core/index.ts';

/**
 * The single-writer lock of a state folder, without flock (which Node does not have) and without the race of deleting a
 * stale lock file: each owner makes `owner/<generation>`, one above the highest that is there, and only after the highest
 * is known to be released or dead.
 * INVARIANT: the highest generation is never deleted and a generation appears with its content (link of a finished file), so
 * two processes that judge the same stale owner want the same next name, and the file system gives it to one of them.
 */
export interface Ownership {
  readonly generation: number;
  /** Marks the folder as free. Idempotent. */
  release(): void;
}

interface Owner {
  readonly pid: number;
  /** When the process started, in the kernel's own count: tells a reused pid apart. Null where /proc is missing. */
  readonly started: string | null;
  /** Boot and pid namespace: a process elsewhere cannot be judged from here. */
  readonly place: string;
  readonly released: boolean;
}

/**
 * Takes the state folder.
 * @throws SallyportError STATE_OWNED when another process has it (detail: pid), STATE_UNWRITABLE
 */
export function takeOwnership(state: string): Ownership {
  const folder = join(state, 'owner');
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SallyportError('STATE_UNWRITABLE', `cannot write to the state folder ${state}`, { cause });
  }
  const highest = Math.max(0, ...generations(folder));
  if (highest > 0) checkFree(folder, highest, state);
  const generation = highest + 1;
  claim(folder, generation, state);
  checkHighest(folder, generation, state);
  for (const older of generations(folder)) if (older < generation) rmSync(join(folder, `${older}`), { force: true });
  return { generation, release: () => markReleased(folder, generation) };
}

const generations = (folder: string): number[] =>
  readdirSync(folder)
    .filter((name) => /^[1-9][0-9]{0,14}$/.test(name))
    .map(Number);

function checkFree(folder: string, generation: number, state: string): void {
  const owner = readOwner(join(folder, `${generation}`));
  if (owner !== null && (owner.released || isDead(owner))) return;
  const who = owner === null ? 'a process that cannot be identified' : `process ${owner.pid}`;
  const where = owner !== null && owner.place !== place() ? ' of another machine, container or boot' : '';
  throw new SallyportError('STATE_OWNED', `the state folder ${state} is owned by ${who}${where}`, {
    detail: { pid: owner?.pid ?? null },
  });
}

function claim(folder: string, generation: number, state: string): void {
  const finished = writeOwner(folder, {
    pid: process.pid,
    started: startOf(process.pid),
    place: place(),
    released: false,
  });
  try {
    linkSync(finished, join(folder, `${generation}`));
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EEXIST';
    throw taken
      ? new SallyportError('STATE_OWNED', `another process is just taking the state folder ${state}`, { cause })
      : new SallyportError('STATE_UNWRITABLE', `cannot write to the state folder ${state}`, { cause });
  } finally {
    rmSync(finished, { force: true });
  }
}

/**
 * Whoever judged slowly links a number that others took, released and removed meanwhile: then a higher one is there, since the
 * highest is never removed. Listed twice, as one listing may miss a name that comes while another goes (readdir(3)).
 */
function checkHighest(folder: string, generation: number, state: string): void {
  if (Math.max(...generations(folder), ...generations(folder)) <= generation) return;
  rmSync(join(folder, `${generation}`), { force: true });
  throw new SallyportError('STATE_OWNED', `another process has just taken the state folder ${state}`);
}

function markReleased(folder: string, generation: number): void {
  const file = join(folder, `${generation}`);
  try {
    const finished = writeOwner(folder, { pid: process.pid, started: null, place: place(), released: true });
    renameSync(finished, file);
  } catch {
    overwriteReleased(file);
  }
}

/**
 * A full disk has no room for a second file, and a folder that stays owned could not be opened again by this process. In place
 * it needs none: the text only becomes shorter. Whoever reads half of it takes the folder for owned.
 */
function overwriteReleased(file: string): void {
  const text = JSON.stringify({ pid: process.pid, started: null, place: '- - -', released: true });
  const descriptor = openSync(file, 'r+');
  try {
    const { size } = fstatSync(descriptor);
    writeSync(descriptor, text.padEnd(size, ' '), 0);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function writeOwner(folder: string, owner: Owner): string {
  const path = join(folder, `claim-${process.pid}-${performance.now()}`);
  try {
    writeFileSync(path, JSON.stringify(owner), { flag: 'wx', mode: 0o600, flush: true });
  } catch (cause) {
    rmSync(path, { force: true });
    throw new SallyportError('STATE_UNWRITABLE', `cannot write to the folder ${folder}`, { cause });
  }
  return path;
}

function readOwner(path: string): Owner | null {
  try {
    const value = parseStrictJson(readFileSync(path, 'utf8'), { maxBytes: 4_096, maxDepth: 2 });
    if (!isJsonObject(value)) return null;
    const { pid, started, place: where, released } = value;
    if (typeof pid !== 'number' || typeof where !== 'string' || typeof released !== 'boolean') return null;
    return { pid, started: typeof started === 'string' ? started : null, place: where, released };
  } catch {
    // Unreadable is not free: the caller refuses.
    return null;
  }
}

/** True only if the owner is known to be gone: its machine booted anew, or its process ended. */
function isDead(owner: Owner): boolean {
  const here = place();
  if (owner.place !== here) return rebooted(owner.place, here);
  if (!exists(owner.pid) || isZombie(owner.pid)) return true;
  return owner.started !== null && startOf(owner.pid) !== owner.started;
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists and belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** `machine boot namespace`: the same machine with another boot has ended every process of before. */
function rebooted(then: string, now: string): boolean {
  const [machineThen, bootThen] = then.split(' ');
  const [machineNow, bootNow] = now.split(' ');
  return machineThen !== '-' && machineThen === machineNow && bootThen !== bootNow;
}

function place(): string {
  const read = (path: string): string => attempt(() => readFileSync(path, 'utf8').trim());
  const namespace = attempt(() => readlinkSync('/proc/self/ns/pid'));
  return `${read('/etc/machine-id')} ${read('/proc/sys/kernel/random/boot_id')} ${namespace}`;
}

function attempt(read: () => string): string {
  try {
    return read() || '-';
  } catch {
    return '-';
  }
}

/**
 * Ended, and not yet waited for by its parent: owns nothing any more. INVARIANT: none of its threads is left, which could
 * still be in the middle of a write.
 */
function isZombie(pid: number): boolean {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  if (stat[stat.lastIndexOf(')') + 2] !== 'Z') return false;
  return attempt(() => `${readdirSync(`/proc/${pid}/task`).length}`) === '1';
}

/** Field 22 of /proc/PID/stat, counted from behind the command in parentheses (proc(5)). */
function startOf(pid: number): string | null {
  const stat = attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}
