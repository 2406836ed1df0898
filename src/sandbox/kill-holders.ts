import { readdirSync } from 'node:fs';
import { descriptorsOf, identifyProcess, readProcessFile, signalProcess } from './process-identity.ts';

/**
 * Kills the sandboxes that a dead process left. bubblewrap's child waits for its parent without dying with it while it is built, so a
 * death in that moment leaves a process that waits for ever, with a file or a mount of the runtime folder. INVARIANT: nothing else is
 * killed: only who started as bubblewrap with our options and holds something of the folder of that name.
 */
export function killHolders(folderName: string): void {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || !isOurs(pid) || !holds(pid, `${folderName}/`)) continue;
    const identity = identifyProcess(pid);
    if (identity !== null) signalProcess(identity, 'SIGKILL');
  }
}

const isOurs = (pid: number): boolean =>
  (readProcessFile(pid, 'cmdline') ?? '').split('\0').slice(1, 5).join(' ') === '--args 3 -- /start';

/** By a descriptor while it is built, by its mounts from then on. */
const holds = (pid: number, place: string): boolean =>
  descriptorsOf(pid)?.some(({ target }) => target.includes(place)) === true ||
  readProcessFile(pid, 'mountinfo')?.includes(place) === true;
