import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { type Policy, reachableFolders } from '../policy/index.ts';

/** Where installed servers lie: `$XDG_DATA_HOME/sallyport/servers` (XDG Base Directory Specification). */
export function defaultServersFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const base = environment['XDG_DATA_HOME'];
  // The specification: a relative path is invalid and ignored.
  return join(
    base !== undefined && isAbsolute(base) ? base : join(homedir(), '.local', 'share'),
    'sallyport',
    'servers',
  );
}

/** Name of a folder under that of a server: the digest of what is in it. */
export const treeName = (digest: string): string => digest.replace(/^sha256:/, '');

/** Where a tree of a server lies: a real path. `folder`: that of all servers. */
export const treePath = (folder: string, server: string, digest: string): string =>
  join(realOf(resolve(folder)), server, treeName(digest));

/**
 * Makes the folder of a server (0755: what is in it is no secret) and checks it as {@link checkPlace} does.
 * @returns its real path
 * @throws SallyportError PACKAGE_PLACE
 */
export function openServerFolder(folder: string, server: string): string {
  const wanted = join(resolve(folder), server);
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o755 });
  } catch (cause) {
    throw new SallyportError('PACKAGE_PLACE', `cannot make the folder ${wanted}`, { cause });
  }
  const real = realpathSync(wanted);
  for (const path of [realpathSync(folder), real]) checkPlace(path);
  return real;
}

/**
 * That a folder is one, and that nobody else may change what is in it.
 * @throws SallyportError PACKAGE_PLACE
 */
export function checkPlace(path: string): void {
  const stats = lstatSync(path);
  const own = process.getuid?.() ?? stats.uid;
  if (!stats.isDirectory()) throw new SallyportError('PACKAGE_PLACE', `${path} is not a folder`);
  if (stats.uid !== own && stats.uid !== 0)
    throw new SallyportError('PACKAGE_PLACE', `the folder ${path} belongs to another user`);
  if ((stats.mode & 0o022) !== 0) throw new SallyportError('PACKAGE_PLACE', `other users may write to ${path}`);
}

/**
 * That no tool reaches the folder of installed servers.
 * @throws SallyportError PACKAGE_PLACE
 */
export function checkOutOfReach(folder: string, policy: Policy, root: string): void {
  const place = realOf(resolve(folder));
  const isInside = (path: string, other: string): boolean => path === other || path.startsWith(`${other}/`);
  const found = reachableFolders(policy, root).find(
    (one) => one === '/' || isInside(place, one) || isInside(one, place),
  );
  if (found === undefined) return;
  throw new SallyportError('PACKAGE_PLACE', `tools can reach ${found}, and installed servers would lie in ${place}`);
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = resolve(path, '..');
    return parent === path ? path : join(realOf(parent), path.slice(parent.length));
  }
}
