import { readdirSync, readlinkSync } from 'node:fs';
import { identifyProcess, readProcessFile, signalProcess } from './process-identity.ts';

/**
 * Kills what a dead process left half built. bubblewrap's child waits for its parent without dying with it, so a death in that moment
 * leaves a process that waits for ever, with a file of the runtime folder open. INVARIANT: nothing else is killed: only who started
 * as bubblewrap with our options and holds a file below the folder of that name.
 */
export function killHolders(folderName: string): void {
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isSafeInteger(pid) || !isHalfBuilt(pid) || !holdsFileBelow(pid, folderName)) continue;
    const identity = identifyProcess(pid);
    if (identity !== null) signalProcess(identity, 'SIGKILL');
  }
}

const isHalfBuilt = (pid: number): boolean =>
  (readProcessFile(pid, 'cmdline') ?? '').split('\0').slice(1, 5).join(' ') === '--args 3 -- /start';

function holdsFileBelow(pid: number, folderName: string): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((descriptor) => readlinkSync(`${folder}/${descriptor}`).includes(`${folderName}/`));
  } catch {
    // It ended, or is another user's.
    return false;
  }
}
