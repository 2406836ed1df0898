import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { BuiltSandbox } from './bubblewrap-launch.ts';
import type { SandboxEnd } from './contract.ts';
import { identifyProcess, isAlive, signalProcess } from './process-identity.ts';
import { childrenOf } from './process-tree.ts';

const SIGNAL_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.signals).map(([name, number]) => [number, name]),
);

/** bubblewrap tells a signal as 128 and its number, as a shell does. */
export function readEnd(code: number | null, signal: string | null): Pick<SandboxEnd, 'status' | 'signal'> {
  const named = code === null ? signal : (SIGNAL_NAMES.get(code - 128) ?? null);
  return { status: named === null ? code : null, signal: named };
}

const LOOK_MS = 1;

/** Settles when nothing of a sandbox runs: the kernel lets the first process of a namespace end only when every other one in it has. */
export async function allGone({ inner, outer }: BuiltSandbox): Promise<void> {
  while (isAlive(inner) || isAlive(outer)) await delay(LOOK_MS);
}

/** Kills the first process inside, and with it everything there, and the one outside. */
export function killBoth({ inner, outer }: BuiltSandbox): void {
  for (const identity of [inner, outer]) signalProcess(identity, 'SIGKILL');
}

/** Asks the program to end: it is the first child of the first process. */
export function terminateProgram({ inner }: BuiltSandbox): void {
  const [pid] = isAlive(inner) ? childrenOf(inner.pid) : [];
  const program = pid === undefined ? null : identifyProcess(pid);
  if (program !== null) signalProcess(program, 'SIGTERM');
}
