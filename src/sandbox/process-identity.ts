import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that no later one with the same number is taken for. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from the boot of the machine to its start (proc(5), field 22); 0 where the system does not tell. */
  readonly start: number;
}

/** The identity of a process that runs now; null: there is none, or only its corpse that nobody has collected yet. */
export function identifyProcess(pid: number): ProcessIdentity | null {
  const stat = statOf(pid);
  if (stat === null) return processExists(pid) && process.platform !== 'linux' ? { pid, start: 0 } : null;
  return stat.state === 'Z' || stat.state === 'X' ? null : { pid, start: stat.start };
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.start === identity.start;
}

/** Signals exactly this process, if it still runs. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    // It ended in this moment.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

interface ProcessStat {
  readonly state: string;
  readonly start: number;
}

/** ATTACKER-CONTROLLED: the name of the program, in parentheses, may hold anything, parentheses too: fields are counted from the last one. */
function statOf(pid: number): ProcessStat | null {
  const text = readProcessFile(pid, 'stat');
  if (text === null) return null;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', start: Number(fields[19] ?? '0') };
}

/** Letter of the state of a process (proc(5)); null: there is none. */
export const stateOf = (pid: number): string | null => statOf(pid)?.state ?? null;

/** The descriptors of a process and what they lead to; null when it ended or is another user's. */
export function descriptorsOf(pid: number): readonly { readonly number: number; readonly target: string }[] | null {
  const folder = `/proc/${pid}/fd`;
  try {
    return readdirSync(folder).map((name) => ({ number: Number(name), target: readlinkSync(`${folder}/${name}`) }));
  } catch {
    // It ended, closed one meanwhile, or is not ours to look at.
    return null;
  }
}

/** A file of `/proc/PID`; null when the process or the file is gone, or not ours to read. */
export function readProcessFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // Processes end at any time: then there is nothing to say about them.
    return null;
  }
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
