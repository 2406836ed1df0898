import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve, sep } from 'node:path';
import { SallyportError } from '../core/index.ts';

/** Where state lives unless somebody says otherwise: `$XDG_STATE_HOME/sallyport` (XDG Base Directory Specification). */
export function defaultStateFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_STATE_HOME'];
  // The specification: a relative path is invalid and ignored.
  return join(base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'state'), 'sallyport');
}

/**
 * Makes the state folder (0700) if it is missing and checks it: its real path, owned by this user, readable by nobody else,
 * and neither inside nor around a folder that tools can reach.
 *
 * @returns the real path
 * @throws SallyportError STATE_UNWRITABLE, STATE_PERMISSIONS, STATE_EXPOSED
 */
export function openStateFolder(folder: string, reachable: readonly string[]): string {
  const wanted = resolve(folder);
  // Before anything is made: a state folder must not appear in a workspace, not even for a moment.
  checkNotReachable(realOfNearest(wanted), reachable);
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new SallyportError('STATE_UNWRITABLE', `cannot make the state folder ${wanted}`, { cause });
  }
  const real = realpathSync(wanted);
  checkOwner(real);
  checkNotReachable(real, reachable);
  return real;
}

function realOfNearest(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realOfNearest(parent), path.slice(parent.length));
  }
}

function checkOwner(folder: string): void {
  const stat = statSync(folder);
  if (process.getuid === undefined) return;
  if (stat.uid !== process.getuid()) {
    throw new SallyportError('STATE_PERMISSIONS', `the state folder ${folder} belongs to another user`);
  }
  if ((stat.mode & 0o077) === 0) return;
  throw new SallyportError('STATE_PERMISSIONS', `the state folder ${folder} is open to other users`);
}

/** A folder is inside itself. */
const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

/**
 * That no tool can reach the state folder, by the texts of the paths: it may be another user's, or not there at all.
 * @throws SallyportError STATE_EXPOSED
 */
export function checkNotReachable(state: string, reachable: readonly string[]): void {
  for (const folder of reachable) {
    if (isInside(state, folder)) {
      throw new SallyportError(
        'STATE_EXPOSED',
        `the state folder ${state} lies inside ${folder}, which tools can reach`,
      );
    }
    if (isInside(folder, state)) {
      throw new SallyportError(
        'STATE_EXPOSED',
        `tools can reach ${folder}, which lies inside the state folder ${state}`,
      );
    }
  }
}
