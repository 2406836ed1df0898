import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where a system keeps its programs, best first. `PATH` is not asked: what can write there would choose what we run. */
const FOLDERS: readonly string[] = ['/usr/local/bin', '/usr/local/sbin', '/usr/bin', '/usr/sbin', '/bin', '/sbin'];

/**
 * A program of the system, as a real path; null if there is none. INVARIANT: it and its folder belong to root and nobody else may
 * write them, so that no tool, and nothing in a sandbox, can put its own program in this place.
 */
export function systemProgram(name: string, folders: readonly string[] = FOLDERS): string | null {
  for (const folder of folders) {
    const path = realProgram(join(folder, name));
    if (path !== null && isRootsAlone(path) && isRootsAlone(dirname(path))) return path;
  }
  return null;
}

/** The real path of a file that can be started; null for anything else. */
export function realProgram(path: string): string | null {
  try {
    accessSync(path, constants.X_OK);
    const real = realpathSync(path);
    return statSync(real).isFile() ? real : null;
  } catch {
    // Not there, or not ours to run.
    return null;
  }
}

const OTHERS_WRITE = 0o022;

function isRootsAlone(path: string): boolean {
  const { uid, mode } = statSync(path);
  return uid === 0 && (mode & OTHERS_WRITE) === 0;
}
