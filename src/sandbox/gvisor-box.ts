import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { SandboxEnd } from './contract.ts';
import { type BundlePlan, bundleConfig } from './gvisor-bundle.ts';
import { readWord } from './gvisor-launcher.ts';
import { RUNSC_ENV, type Runsc } from './gvisor-program.ts';
import { identifyProcess, isAlive, type ProcessIdentity, readProcessFile } from './process-identity.ts';

/** What a container is made of: each sandbox has a folder of its own for the state of `runsc`, so nothing else knows of it. */
export interface BoxPlan {
  readonly runsc: Runsc;
  /** A new name in the sandbox. */
  readonly id: string;
  /** Folder of the sandbox, in the runtime folder. */
  readonly folder: string;
  readonly bundle: BundlePlan;
  /** Whether sockets of the host that lie in mounts can be connected to. */
  readonly hostSockets: boolean;
  /** Kills the sandbox that the container was put into: when it cannot be killed alone. */
  readonly abandon?: () => void;
  /** Aborts when that sandbox is gone: its `runsc` would wait for it in vain. */
  readonly lost?: AbortSignal;
}

/** A container whose launcher waits for its command. */
export interface Box {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Processes of the host that make up the container: `runsc`, the gofer and, for a sandbox, its kernel. */
  readonly processes: readonly ProcessIdentity[];
  /** Hands SIGTERM to the command. */
  readonly terminate: () => void;
  /** Kills everything inside. */
  readonly kill: () => void;
  /** Settles when no process is left. Never rejects. */
  readonly gone: Promise<Pick<SandboxEnd, 'status' | 'signal'>>;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

const START_MS = 30_000;
const LOOK_MS = 2;
/** How long killed processes may take to vanish, in milliseconds. */
const VANISH_MS = 10_000;
const PATIENCE_MS = 1_000;
const TOLD_BYTES = 300;

/** The flags of every call of `runsc` for one sandbox. */
const flagsOf = ({ runsc, folder, hostSockets }: BoxPlan): readonly string[] => [
  ...runsc.flags,
  `--root=${join(folder, 'state')}`,
  `--host-uds=${hostSockets ? 'open' : 'none'}`,
];

/**
 * Starts a container and waits until its launcher is ready.
 * @throws SallyportError SANDBOX_FAILED
 */
export async function openBox(plan: BoxPlan): Promise<Box> {
  const bundle = join(plan.folder, plan.id);
  mkdirSync(bundle, { mode: 0o700 });
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(bundleConfig(plan.bundle)), { mode: 0o600 });
  const child = spawnRunsc(plan, ['run', '--bundle', bundle, plan.id]);
  const failure = failureOf(child);
  const killed = new Set<ProcessIdentity>();
  // What it started dies with it, but later: it is waited for by name.
  const killAll = (): void => {
    for (const one of child.pid === undefined ? [] : withDescendants(child.pid)) killed.add(one);
    child.kill('SIGKILL');
  };
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killAll();
  }, START_MS);
  tieTo(plan.lost, child, killAll);
  const word = await readWord(child.stdout);
  clearTimeout(timer);
  // It may have become ready, unread, before it was killed.
  if (word === 'ready' && !isLate && child.pid !== undefined) return boxOf(plan, child, child.pid);
  plan.abandon?.();
  killAll();
  const said = await failure;
  await vanished([...killed]);
  throw new SallyportError('SANDBOX_FAILED', `gVisor did not start: ${isLate ? 'it took too long' : said}`);
}

function tieTo(signal: AbortSignal | undefined, child: Child, end: () => void): void {
  if (signal?.aborted === true) end();
  signal?.addEventListener('abort', end, { once: true });
  child.once('exit', () => signal?.removeEventListener('abort', end));
}

/** INVARIANT: it is spawned from the main thread's process and dies with it: setpriv asks the kernel for that. */
function spawnRunsc(plan: BoxPlan, args: readonly string[]): Child {
  const { path, setpriv } = plan.runsc;
  const argv = ['--pdeathsig', 'KILL', '--', path, ...flagsOf(plan), ...args];
  return spawn(setpriv, argv, { env: { ...RUNSC_ENV }, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
}

/** What `runsc` says when it fails; its last line is the reason. */
function failureOf(child: Child): Promise<string> {
  child.stdin.on('error', () => undefined);
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', () => setImmediate(() => resolve(lastWords(child.stderr))));
  });
}

function lastWords(stderr: Readable): string {
  const said: unknown = stderr.read();
  const text = said instanceof Buffer ? said.subarray(-TOLD_BYTES).toString().trim() : '';
  return quoteForMessage(text === '' ? 'it says nothing' : text);
}

function boxOf(plan: BoxPlan, child: Child, pid: number): Box {
  const processes = withDescendants(pid);
  const isWithin = plan.bundle.place.kind === 'within';
  let isOver = false;
  const giveUp = (): void => {
    plan.abandon?.();
    child.kill('SIGKILL');
  };
  const gone = new Promise<Pick<SandboxEnd, 'status' | 'signal'>>((resolve) => {
    const onExit = (code: number | null): void => {
      isOver = true;
      void vanished(processes).then(() => {
        rmSync(join(plan.folder, plan.id), { recursive: true, force: true });
        resolve(endOf(code));
      });
    };
    if (child.exitCode !== null || child.signalCode !== null) onExit(child.exitCode);
    else child.once('exit', onExit);
  });
  const kill = (): void => {
    if (isOver) return;
    if (isWithin && plan.lost?.aborted !== true) signalInside(plan, child, 'KILL', giveUp);
    else child.kill('SIGKILL');
  };
  const terminate = (): void => {
    if (!isOver) signalInside(plan, child, 'TERM', () => undefined);
  };
  return { pid, stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, processes, terminate, kill, gone };
}

const SIGNAL_MS = 5_000;

/**
 * Has the kernel of the sandbox signal the launcher of a container: `runsc run` itself would die of a signal, not hand it on.
 * `onFailure`: that did not come to pass, or the container is still there after a while where it has to be gone.
 */
function signalInside(plan: BoxPlan, child: Child, signal: 'TERM' | 'KILL', onFailure: () => void): void {
  const caller = spawnRunsc(plan, ['kill', plan.id, signal]);
  for (const stream of [caller.stdout, caller.stderr]) stream.resume();
  caller.stdin.on('error', () => undefined).end();
  caller.on('error', onFailure);
  const timer = setTimeout(() => {
    caller.kill('SIGKILL');
    onFailure();
  }, SIGNAL_MS);
  if (signal === 'TERM') caller.once('exit', () => clearTimeout(timer));
  child.once('exit', () => clearTimeout(timer));
}

const SIGNALS: Readonly<Record<number, string>> = {
  ...{ 1: 'SIGHUP', 2: 'SIGINT', 3: 'SIGQUIT', 4: 'SIGILL', 5: 'SIGTRAP', 6: 'SIGABRT', 7: 'SIGBUS', 8: 'SIGFPE' },
  ...{ 9: 'SIGKILL', 10: 'SIGUSR1', 11: 'SIGSEGV', 12: 'SIGUSR2', 13: 'SIGPIPE', 14: 'SIGALRM', 15: 'SIGTERM' },
  ...{ 24: 'SIGXCPU', 25: 'SIGXFSZ', 31: 'SIGSYS' },
};

/** `runsc` has one number for both: as shells do, 128 and the signal. Null: it was killed itself. */
function endOf(code: number | null): Pick<SandboxEnd, 'status' | 'signal'> {
  if (code === null) return { status: null, signal: 'SIGKILL' };
  const signal = SIGNALS[code - 128];
  return signal === undefined ? { status: code, signal: null } : { status: null, signal };
}

/** A process and all that it started, by what the kernel says of each thread (proc(5), children). */
function withDescendants(pid: number): readonly ProcessIdentity[] {
  const identity = identifyProcess(pid);
  const children = threadsOf(pid).flatMap((thread) =>
    (readProcessFile(pid, `task/${thread}/children`) ?? '').split(' ').filter((word) => word.trim() !== ''),
  );
  return [...(identity === null ? [] : [identity]), ...children.flatMap((child) => withDescendants(Number(child)))];
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    // It is gone, and so are its threads.
    return [];
  }
}

/** What does not vanish by itself with its parent is killed by name. */
async function vanished(processes: readonly ProcessIdentity[]): Promise<void> {
  const [patience, last] = [Date.now() + PATIENCE_MS, Date.now() + VANISH_MS];
  while (processes.some(isAlive) && Date.now() < last) {
    if (Date.now() > patience) for (const one of processes.filter(isAlive)) killOne(one.pid);
    await delay(LOOK_MS);
  }
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it is gone, which is what was wanted.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
