import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SallyportError } from '../core/index.ts';
import type { SandboxLimits } from './contract.ts';
import type { Leftover, RuntimeFolder } from './parts.ts';
import { readProcessFile } from './process-identity.ts';

/** Control groups (version 1: memory and pids) that hold one sandbox. */
export interface ControlGroup {
  /** Files, one for each controller: a thread that writes 0 into them puts itself there, and with it whatever it starts. */
  readonly entries: readonly string[];
  /** Puts a process into it, unless it is there already: whoever it starts afterwards is, too. */
  add(pid: number): void;
  /** How often the kernel killed something in it for want of memory. */
  memoryKills(): number;
  /** Removes it: nothing may be left inside. */
  remove(): Promise<void>;
}

const ROOT = '/sys/fs/cgroup';
const CONTROLLERS = ['memory', 'pids'] as const;
type Controller = (typeof CONTROLLERS)[number];
const REMOVE_LOOKS = 200;
const REMOVE_PAUSE_MS = 5;

/** Our own groups, where new ones can be made below; null: there are none, or they are not ours to use. */
export function findControlGroups(): Readonly<Record<Controller, string>> | null {
  const own = ownGroups();
  const [memory, pids] = CONTROLLERS.map((controller) => own.get(controller));
  if (memory === undefined || pids === undefined) return null;
  return canMakeIn(memory) && canMakeIn(pids) ? { memory, pids } : null;
}

/** Lines of /proc/self/cgroup: number, controllers, path (cgroups(7)). */
function ownGroups(): ReadonlyMap<string, string> {
  const text = existsSync('/proc/self/cgroup') ? readFileSync('/proc/self/cgroup', 'utf8') : '';
  const rows = text.split('\n').map((line) => line.split(':'));
  return new Map(
    rows.flatMap(([, names = '', path = '']) =>
      names.split(',').map((name) => [name, join(ROOT, name, path)] as const),
    ),
  );
}

function canMakeIn(folder: string): boolean {
  const trial = join(folder, `sallyport-trial-${process.pid}`);
  try {
    mkdirSync(trial);
    rmdirSync(trial);
    return true;
  } catch {
    // Not mounted, read-only, or another user's: then something else holds the limits.
    return false;
  }
}

/** Makes the groups of a sandbox, with its limits in force; 0 is no limit. */
export function makeControlGroup(
  parents: Readonly<Record<Controller, string>>,
  name: string,
  limits: SandboxLimits,
  runtime: RuntimeFolder,
): ControlGroup {
  const [memory, pids] = [join(parents.memory, name), join(parents.pids, name)];
  const notes: Leftover[] = [];
  try {
    for (const path of [memory, pids]) {
      notes.push(runtime.note('cgroup', path));
      mkdirSync(path);
    }
    setLimits(memory, pids, limits);
  } catch (error) {
    for (const path of [memory, pids]) if (existsSync(path)) rmdirSync(path);
    for (const note of notes) note.done();
    throw error;
  }
  return {
    entries: [memory, pids].map((folder) => join(folder, 'tasks')),
    add: (pid) => {
      // Moving a process is slow, and looking is not.
      if (!isMember(pid, name)) for (const folder of [memory, pids]) moveInto(folder, pid);
    },
    memoryKills: () => killsIn(memory),
    remove: async () => {
      await Promise.all([memory, pids].map(removeGroup));
      for (const note of notes) note.done();
    },
  };
}

function setLimits(memory: string, pids: string, { memoryBytes, processes }: SandboxLimits): void {
  if (memoryBytes !== 0) {
    writeFileSync(join(memory, 'memory.limit_in_bytes'), String(memoryBytes));
    // Where swap is counted it must not be a way around the limit.
    const withSwap = join(memory, 'memory.memsw.limit_in_bytes');
    if (existsSync(withSwap)) writeFileSync(withSwap, String(memoryBytes));
  }
  // The two processes of bubblewrap are in it, too.
  if (processes !== 0) writeFileSync(join(pids, 'pids.max'), String(processes + 2));
}

/** Whether a process is in the groups of this name, one for each controller. */
function isMember(pid: number, name: string): boolean {
  const rows = (readProcessFile(pid, 'cgroup') ?? '').split('\n').filter((line) => line.endsWith(`/${name}`));
  const controllers = rows.flatMap((line) => line.split(':')[1]?.split(',') ?? []);
  return CONTROLLERS.every((controller) => controllers.includes(controller));
}

function moveInto(folder: string, pid: number): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), String(pid));
  } catch (error) {
    // It ended: nothing is left to be held.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function killsIn(folder: string): number {
  const text = readFileSync(join(folder, 'memory.oom_control'), 'utf8');
  const line = text.split('\n').find((row) => row.startsWith('oom_kill '));
  return Number(line?.split(' ')[1] ?? 0);
}

/** The kernel lets go of a group some moments after its last process. @throws SallyportError: its note stays, and it is swept later */
async function removeGroup(folder: string): Promise<void> {
  for (let look = 0; look < REMOVE_LOOKS; look += 1) {
    try {
      rmdirSync(folder);
      return;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      if (code === 'ENOENT') return;
      if (code !== 'EBUSY') throw error;
    }
    await delay(REMOVE_PAUSE_MS);
  }
  throw new SallyportError('SANDBOX_FAILED', 'a control group is still in use');
}

/** Removes a group of a dead process: its members died with it, or are killed now. */
export async function sweepControlGroup(folder: string): Promise<void> {
  if (!folder.startsWith(`${ROOT}/`) || !existsSync(folder) || readdirSync(folder).length === 0) return;
  for (const pid of readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)) {
    process.kill(pid, 'SIGKILL');
  }
  await removeGroup(folder);
}
