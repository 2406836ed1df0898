import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import { checkCommand } from './check-profile.ts';
import type {
  LevelReport,
  SandboxBackend,
  SandboxCommand,
  SandboxEnd,
  SandboxEvidence,
  SandboxProcess,
  SandboxProfile,
  StartOptions,
} from './contract.ts';
import { endPipe } from './output-meter.ts';
import { profileDigest } from './profile-digest.ts';
import { supervise } from './supervise.ts';

const LIMITS: LevelReport['limits'] = Object.freeze({
  wallMs: 'watchdog',
  memoryBytes: 'none',
  processes: 'none',
  fileBytes: 'none',
  openFiles: 'none',
  outputBytes: 'watchdog',
  diskBytes: 'none',
});

const REPORT: LevelReport = Object.freeze({
  level: 'none',
  available: true,
  backend: 'plain process',
  reasons: Object.freeze([]),
  remedy: '',
  probe: null,
  limits: LIMITS,
});

/**
 * No isolation, behind the same contract: a process group of its own with a built environment. Time and output are limited;
 * nothing else of a profile holds, and its record says so. What leaves the group outlives it.
 */
export function openNoneBackend(): SandboxBackend {
  const running = new Set<SandboxProcess>();
  return {
    level: 'none',
    report: async () => REPORT,
    start: async (profile, command, options) => {
      const started = await startPlain(profile, command, options);
      running.add(started);
      void started.ended.then(() => running.delete(started));
      return started;
    },
    release: async () => undefined,
    close: async () => {
      await Promise.all([...running].map((process) => process.stop(0)));
    },
  };
}

async function startPlain(
  profile: SandboxProfile,
  command: SandboxCommand,
  options: StartOptions,
): Promise<SandboxProcess> {
  checkCommand(command);
  options.signal?.throwIfAborted();
  const child = spawnGroup(command);
  await spawned(child, command);
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) throw new SallyportError('SANDBOX_FAILED', 'the program has no process');
  const pipes = { stdin, stdout, stderr };
  const evidence: SandboxEvidence = {
    ...{ level: 'none', backend: REPORT.backend, profile: profileDigest(profile), probe: null },
    ...{ limits: LIMITS, network: 'host' },
  };
  const parts = {
    ...{ pid, ...pipes, evidence, gone: groupGone(child, pid) },
    terminate: () => signalGroup(pid, 'SIGTERM'),
    kill: () => signalGroup(pid, 'SIGKILL'),
  };
  return supervise(parts, profile.limits, options);
}

type PipedChild = ChildProcess & {
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
};

function spawnGroup(command: SandboxCommand): PipedChild {
  const [program, ...args] = command.argv;
  const settings = {
    ...(command.argv0 === undefined ? {} : { argv0: command.argv0 }),
    ...{ cwd: command.cwd, env: environmentOf(command), detached: true, shell: false, windowsHide: true },
  };
  return command.stdin === 'pipe'
    ? spawn(program, args, { ...settings, stdio: ['pipe', 'pipe', 'pipe'] })
    : spawn(program, args, { ...settings, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** There is no private home here: HOME and TMPDIR are ours unless the caller names others. */
function environmentOf({ env }: SandboxCommand): Record<string, string> {
  const ours = ['HOME', 'TMPDIR'].flatMap((name): [string, string][] => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(ours), ...env };
}

/** Resolves once the program runs. @throws SallyportError PROGRAM_UNAVAILABLE, SANDBOX_FAILED */
function spawned(child: ChildProcess, command: SandboxCommand): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const text = `${quoteForMessage(command.argv[0])} cannot be started (${cause.code ?? 'unknown error'})`;
      const isMissing = cause.code === 'ENOENT' || cause.code === 'EACCES';
      reject(new SallyportError(isMissing ? 'PROGRAM_UNAVAILABLE' : 'SANDBOX_FAILED', text, { cause }));
    });
  });
}

const livingGroups = new Set<number>();

function killAll(): void {
  for (const pid of livingGroups) signalGroup(pid, 'SIGKILL');
}

/** What the leader left behind in its group ends with it, and with us. */
function groupGone(child: PipedChild, pid: number): Promise<Pick<SandboxEnd, 'status' | 'signal'>> {
  if (livingGroups.size === 0) process.on('exit', killAll);
  livingGroups.add(pid);
  return new Promise((resolve) => {
    child.once('exit', (status, signal) => {
      signalGroup(pid, 'SIGKILL');
      livingGroups.delete(pid);
      if (livingGroups.size === 0) process.off('exit', killAll);
      endPipe(child.stdout);
      endPipe(child.stderr);
      void groupEmpty(pid).then(() => resolve({ status, signal }));
    });
  });
}

const LOOKS = 400;
const LOOK_MS = 5;

/** A killed group is empty within moments; where nobody collects the dead, they are not waited for longer than two seconds. */
async function groupEmpty(pid: number): Promise<void> {
  for (let look = 0; look < LOOKS && signalGroup(pid, 0); look += 1) await delay(LOOK_MS);
}

/** Whether anything is in the group. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // ESRCH: the group is empty. EPERM: what is left of it runs under another user (macOS says so for zombies, too).
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM')) return false;
    throw error;
  }
}
