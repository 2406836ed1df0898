import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SallyportError } from '../core/index.ts';
import { INSIDE_VARIABLE } from '../gate/index.ts';

/** A server process that was started. */
export interface ServerProcess {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Resolves with a sentence about how the process ended. */
  readonly ended: Promise<string>;
  /** The last of what it wrote to standard error, at most 8 KiB. ATTACKER-CONTROLLED. */
  errorTail(): string;
  /** Bytes that it wrote to standard error. */
  errorBytes(): number;
  /** Ends the process and everything it started: SIGTERM, then SIGKILL. Resolves when its leader is gone. */
  stop(): Promise<void>;
}

export interface ProcessSpec {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Variables that a program cannot start without; nothing else of our environment reaches a server. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TERM'];
const KILL_AFTER_MS = 2_000;
const LAST_WORDS_MS = 200;
const ERROR_TAIL_BYTES = 8_192;

/**
 * Starts a server: no shell, its arguments as given, a built environment, a process group of its own.
 *
 * @throws SallyportError SERVER_UNAVAILABLE
 */
export async function startProcess(spec: ProcessSpec): Promise<ServerProcess> {
  const [program = '', ...args] = spec.command;
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: builtEnvironment(spec.env),
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
    detached: true,
    windowsHide: true,
  });
  await started(child);
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) throw new SallyportError('SERVER_UNAVAILABLE', 'the server has no process');
  const ended = endOf(child, pid);
  // A pipe to a process that died is the process's end, which `ended` reports.
  stdin.on('error', () => undefined);
  const errors = keepTail(stderr);
  // Who left the group may hold the pipes open: nobody listens to that any more.
  void ended.then(() => [stdin, stdout, stderr].map((pipe) => pipe.destroy()));
  return { pid, stdin, stdout, ended, ...errors, stop: () => stopGroup(pid, ended) };
}

/** The environment of a server: four inherited variables, what the policy sets, which may override them, and the mark of what a gate spawned. */
function builtEnvironment(set: Readonly<Record<string, string>>): Record<string, string> {
  const inherited = INHERITED.map((name) => [name, process.env[name]] as const);
  const known = inherited.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return { ...Object.fromEntries(known), ...set, [INSIDE_VARIABLE]: '1' };
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.on('error', (cause: NodeJS.ErrnoException) => {
      const text = `the server cannot be started (${cause.code ?? 'unknown error'})`;
      reject(new SallyportError('SERVER_UNAVAILABLE', text, { cause }));
    });
  });
}

const livingGroups = new Set<number>();

function endOf(child: ChildProcess, pid: number): Promise<string> {
  if (livingGroups.size === 0) process.on('exit', killAll);
  livingGroups.add(pid);
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      // What the leader left behind in its group ends with it.
      signalGroup(pid, 'SIGKILL');
      livingGroups.delete(pid);
      if (livingGroups.size === 0) process.off('exit', killAll);
      const how = signal === null ? `the server ended with exit code ${code}` : `the server was ended by ${signal}`;
      // Its last words are still in the pipes. Who left the group may hold them open: nobody waits for that.
      child.once('close', () => resolve(how));
      setTimeout(() => resolve(how), LAST_WORDS_MS);
    });
  });
}

function killAll(): void {
  for (const pid of livingGroups) signalGroup(pid, 'SIGKILL');
}

async function stopGroup(pid: number, ended: Promise<unknown>): Promise<void> {
  if (!livingGroups.has(pid)) return;
  signalGroup(pid, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the group is empty. EPERM: what is left of it runs under another user (macOS says so for zombies, too).
    if (!isErrno(error, 'ESRCH') && !isErrno(error, 'EPERM')) throw error;
  }
}

const isErrno = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/** Drains a stream so that its writer never blocks, counts it, and keeps only the end of it. */
function keepTail(stream: Readable): Pick<ServerProcess, 'errorTail' | 'errorBytes'> {
  let tail: Buffer = Buffer.alloc(0);
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk.subarray(-ERROR_TAIL_BYTES)]).subarray(-ERROR_TAIL_BYTES);
  });
  stream.on('error', () => undefined);
  return { errorTail: () => tail.toString('utf8'), errorBytes: () => bytes };
}
