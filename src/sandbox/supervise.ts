import type { Readable, Writable } from 'node:stream';
import type { KilledBy, SandboxEnd, SandboxEvidence, SandboxLimits, SandboxProcess, StartOptions } from './contract.ts';
import { openOutputMeter } from './output-meter.ts';

/** What a backend started, and how it is ended: the rest is the same everywhere. */
export interface Supervised {
  readonly pid: number;
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly evidence: SandboxEvidence;
  /** Asks the program itself to end (SIGTERM). Must not throw when it is gone. */
  readonly terminate: () => void;
  /** Kills everything at once. May be called several times. Must not throw when nothing is left. */
  readonly kill: () => void;
  /** Settles when every process is gone and everything on the host is cleaned away; what only then shows as the reason counts. Never rejects. */
  readonly gone: Promise<Pick<SandboxEnd, 'status' | 'signal'> & { readonly killedBy?: KilledBy }>;
  /** Looks at what only a watchdog can hold: a reason to kill everything now, or null. Asked every {@link WATCH_MS}. */
  readonly watch?: () => KilledBy;
}

/** Milliseconds between two looks at what a sandbox uses. */
const WATCH_MS = 50;
const GRACE_MS = 2_000;
/** Longest time that a timer can wait for. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** A process of a sandbox with its limits held: wall clock, output, the backend's watchdog, and the signal of the caller. */
export function supervise(what: Supervised, limits: SandboxLimits, options: StartOptions): SandboxProcess {
  let killedBy: KilledBy = null;
  let isGone = false;
  const killFor = (reason: KilledBy): void => {
    if (isGone) return;
    killedBy ??= reason;
    what.kill();
  };
  const { stdin, stdout, stderr } = pipesOf(what, limits, () => killFor('output'));
  const release = armTimers(what, limits, options, killFor);
  const ended = what.gone.then(({ status, signal, ...seen }): SandboxEnd => {
    isGone = true;
    release();
    return { status, signal, killedBy: killedBy ?? seen.killedBy ?? null };
  });
  const stop = async (graceMs: number = GRACE_MS): Promise<void> => {
    if (isGone) return;
    killedBy ??= 'stopped';
    what.terminate();
    const timer = setTimeout(what.kill, Math.min(graceMs, LONGEST_TIMER_MS));
    await ended;
    clearTimeout(timer);
  };
  return { pid: what.pid, stdin, stdout, stderr, evidence: what.evidence, ended, stop };
}

function pipesOf(
  what: Supervised,
  limits: SandboxLimits,
  onOver: () => void,
): Pick<SandboxProcess, 'stdin' | 'stdout' | 'stderr'> {
  const meter = openOutputMeter(limits.outputBytes, onOver);
  // A pipe to a process that died is that process's end, which `ended` reports.
  what.stdin?.on('error', () => undefined);
  return { stdin: what.stdin, stdout: meter.through(what.stdout), stderr: meter.through(what.stderr) };
}

function armTimers(
  what: Supervised,
  { wallMs }: SandboxLimits,
  { signal }: StartOptions,
  killFor: (reason: KilledBy) => void,
): () => void {
  const wall = wallMs === 0 ? undefined : setTimeout(() => killFor('timeout'), Math.min(wallMs, LONGEST_TIMER_MS));
  const look = (): void => {
    const reason = what.watch?.() ?? null;
    if (reason !== null) killFor(reason);
  };
  const watch = what.watch === undefined ? undefined : setInterval(look, WATCH_MS);
  const onAbort = (): void => killFor('stopped');
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return () => {
    clearTimeout(wall);
    clearInterval(watch);
    signal?.removeEventListener('abort', onAbort);
  };
}
