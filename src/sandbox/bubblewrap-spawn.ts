import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Duplex, Readable } from 'node:stream';
import { SallyportError } from '../core/index.ts';
import { DESCRIPTORS } from './bubblewrap-plan.ts';
import type { SandboxUser } from './bubblewrap-program.ts';
import { shieldedStdio } from './descriptors.ts';

export interface SpawnParts {
  readonly program: string;
  /** The shell of the system; null: there is none that is root's alone. */
  readonly shell: string | null;
  readonly user: SandboxUser;
  /** Options, passed over a descriptor. */
  readonly options: readonly string[];
  readonly command: readonly string[];
  /** File with the filter of system calls: opened for each start, since bubblewrap reads it to its end. */
  readonly filter: string;
  readonly stdin: 'pipe' | 'none';
  /** Files of control groups by which a thread puts itself into them; none: there are no groups. */
  readonly entries: readonly string[];
}

/** The number of the first descriptor of an entry. One digit each: no shell has to read more. */
const FIRST_ENTRY = DESCRIPTORS.seccomp + 1;

/**
 * Starts bubblewrap, from within its control groups where there are some: a constant program of the shell enters them and becomes
 * bubblewrap. To be moved there by somebody else takes as long as all the rest of a start: the kernel waits until every processor has
 * passed by. Whether it is in them is looked at by who made them, before the program starts.
 */
export function spawnBubblewrap(parts: SpawnParts): ChildProcess {
  const entries = parts.shell === null ? [] : parts.entries;
  const given: number[] = [];
  try {
    given.push(openSync(parts.filter, constants.O_RDONLY));
    for (const path of entries) given.push(openSync(path, constants.O_WRONLY));
    const child = spawnWith(parts, given);
    for (const stream of child.stdio) stream?.on('error', () => undefined);
    writerOf(child, DESCRIPTORS.args).end(parts.options.map((option) => `${option}\0`).join(''));
    return child;
  } finally {
    for (const descriptor of given) closeSync(descriptor);
  }
}

/** `given`: the descriptor of the filter, and those of entries. */
function spawnWith({ program, shell, user, command, stdin }: SpawnParts, given: readonly number[]): ChildProcess {
  const first = stdin === 'pipe' ? 'pipe' : 'ignore';
  const { stdio, close } = shieldedStdio([first, 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...given]);
  const isOther = process.getuid?.() !== user.uid;
  const settings: SpawnOptions = { stdio, env: {}, cwd: '/', shell: false, ...(isOther ? user : {}) };
  const line = ['--args', String(DESCRIPTORS.args), ...command];
  const entries = given.length - 1;
  try {
    if (shell === null || entries === 0) return spawn(program, line, settings);
    return spawn(shell, ['-c', enterProgram(entries), 'enter', program, ...line], settings);
  } finally {
    close();
  }
}

/** `0` names whoever writes it (cgroups(7)). Goes on when an entry refuses: then who made the groups moves it. */
function enterProgram(entries: number): string {
  const numbers = Array.from({ length: entries }, (_, at) => FIRST_ENTRY + at);
  const enter = numbers.map((number) => `echo 0 >&${number};`).join(' ');
  return `{ ${enter} } 2>/dev/null; exec ${numbers.map((number) => `${number}>&-`).join(' ')} "$@"`;
}

/** @throws SallyportError SANDBOX_FAILED */
export function readerOf(child: ChildProcess, descriptor: number): Readable {
  const stream = child.stdio[descriptor];
  if (stream instanceof Readable) return stream;
  throw startFailed('it has no pipes');
}

/** @throws SallyportError SANDBOX_FAILED */
export function writerOf(child: ChildProcess, descriptor: number): Duplex {
  const stream = child.stdio[descriptor];
  if (stream instanceof Duplex) return stream;
  throw startFailed('it has no pipes');
}

export const startFailed = (why: string): SallyportError =>
  new SallyportError('SANDBOX_FAILED', `the sandbox did not start: ${why}`);
