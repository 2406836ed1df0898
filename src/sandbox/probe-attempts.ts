import type { LevelReport, SandboxLimits } from './contract.ts';

/** One way out that the probe tries. */
export interface ProbeAttempt {
  readonly name: string;
  /**
   * Whether it must get through without a sandbox, on every machine: if it does not, the attempt is broken and proves nothing.
   * The others depend on the machine and on who we are; they count when they got through outside, and leak wherever they do.
   */
  readonly sure: boolean;
  /** Held by a limit; tried only where something is said to hold it at once. */
  readonly limit?: keyof SandboxLimits;
  /** What gets through here is a kernel of the sandbox's own, which is no way out. */
  readonly virtual?: true;
}

const sure = (name: string): ProbeAttempt => ({ name, sure: true });

/** Every attempt, in the order in which they are made. The last one may end the program. */
export const PROBE_ATTEMPTS: readonly ProbeAttempt[] = [
  ...['read-outside', 'read-through-link', 'write-outside', 'write-through-link'].map(sure),
  { name: 'hard-link', sure: false },
  ...[
    'read-hidden',
    'write-hidden',
    'read-hidden-folder',
    'write-read-only',
    'write-read-only-folder',
    'add-to-read-only-folder',
    'make-reserved',
    'rename-hidden',
  ].map(sure),
  ...['tcp', 'udp', 'unix-path', 'unix-abstract', 'environment', 'descriptor', 'host-process'].map(sure),
  { name: 'core-pattern', sure: false },
  { name: 'machine-files', sure: true },
  { name: 'set-user-id', sure: true },
  { name: 'user-namespace', sure: false, virtual: true },
  { name: 'open-files', sure: true, limit: 'openFiles' },
  { name: 'processes', sure: true, limit: 'processes' },
  { name: 'file-size', sure: true, limit: 'fileBytes' },
];

/** What the probe asks of the limits: small, so that going over them is quick. */
export const PROBE_LIMITS: SandboxLimits = {
  wallMs: 20_000,
  memoryBytes: 0,
  processes: 32,
  fileBytes: 1_048_576,
  openFiles: 256,
  outputBytes: 65_536,
  // What others write to the disk meanwhile is no reason to end a probe.
  diskBytes: 0,
};

/** Mechanisms that refuse at once; a watchdog comes too late for a probe, and is tested elsewhere. */
const AT_ONCE: readonly string[] = ['rlimit', 'cgroup'];

/** The attempts that say something about a backend that holds its limits like this. */
export const attemptsFor = (limits: LevelReport['limits'], ownKernel: boolean): readonly ProbeAttempt[] =>
  PROBE_ATTEMPTS.filter(
    ({ limit, virtual }) =>
      (limit === undefined || AT_ONCE.includes(limits[limit])) && !(virtual === true && ownKernel),
  );
