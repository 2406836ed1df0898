import { lstat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isSallyportError, SallyportError } from '../core/index.ts';
import type { Policy, ServerPackage, ServerRule } from '../policy/index.ts';
import type { Lock } from './lock.ts';
import type { LockedPackage } from './package-entry.ts';
import { checkOutOfReach, checkPlace, defaultServersFolder, treePath } from './package-places.ts';
import { programOf } from './package-program.ts';
import { treeDigest, treeStamp } from './package-tree.ts';

/** What says which tools reach which folders. */
interface PackageSurroundings {
  readonly policy: Policy;
  readonly root: string;
}

/** The servers that are installed packages. */
export interface Packages {
  /**
   * A rule as it can be started: that of a package with the command of what was installed, any other as it is. What was installed
   * is compared with the lock before its first start, and again when anything in it was touched.
   *
   * @throws SallyportError PACKAGE_NOT_INSTALLED, PACKAGE_CHANGED, PACKAGE_INTEGRITY, PACKAGE_REFUSED, PACKAGE_PLACE
   */
  startable(rule: ServerRule, lock: Lock, around: PackageSurroundings): Promise<ServerRule>;
}

/** State: the stamp of each tree that was found to be what the lock says. */
export function openPackages(folder: string = defaultServersFolder()): Packages {
  const proven = new Map<string, string>();
  return {
    startable: async (rule, lock, { policy, root }) => {
      if (rule.package === null) return rule;
      const installed = installedFor(rule.name, rule.package, lock);
      checkOutOfReach(folder, policy, root);
      const tree = treePath(folder, rule.name, installed.tree);
      await checkTree(tree, installed, proven);
      const program = await programOf(tree, rule.package);
      return Object.freeze({ ...rule, command: Object.freeze([process.execPath, program, ...rule.package.args]) });
    },
  };
}

/** What the lock has for a package of the policy. @throws SallyportError PACKAGE_NOT_INSTALLED, PACKAGE_INTEGRITY */
function installedFor(server: string, { name, version, integrity }: ServerPackage, lock: Lock): LockedPackage {
  const installed = lock.packages.get(server);
  if (installed === undefined || installed.name !== name || installed.version !== version)
    throw notInstalled(server, 'is not installed');
  if (integrity === null || integrity === installed.integrity) return installed;
  throw new SallyportError(
    'PACKAGE_INTEGRITY',
    `what is installed for the server "${server}" does not have the integrity that the policy asks for`,
  );
}

const notInstalled = (server: string, how: string): SallyportError =>
  new SallyportError(
    'PACKAGE_NOT_INSTALLED',
    `the package of the server "${server}" ${how}: sallyport servers install ${server}`,
  );

/** INVARIANT: nothing of a tree is started that is not, byte for byte, what the lock says. */
async function checkTree(tree: string, { tree: digest }: LockedPackage, proven: Map<string, string>): Promise<void> {
  const server = dirname(tree).split('/').at(-1) ?? '';
  if (!(await exists(tree))) throw notInstalled(server, 'is not installed on this machine');
  for (const place of [dirname(dirname(tree)), dirname(tree), tree]) checkPlace(place);
  const known = proven.get(tree);
  const stamp = await stampOf(tree, server);
  if (known === stamp) return;
  proven.delete(tree);
  const found = await digestOf(tree, server);
  // What was written while it was read has another stamp afterwards.
  if (found !== digest || (await stampOf(tree, server)) !== stamp) throw changed(server);
  proven.set(tree, stamp);
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch {
    return false; // absent, or not to be looked at: in neither case anything to start
  }
}

const changed = (server: string, cause?: unknown): SallyportError =>
  new SallyportError(
    'PACKAGE_CHANGED',
    `what is installed for the server "${server}" is not what was pinned`,
    cause === undefined ? {} : { cause },
  );

const stampOf = (tree: string, server: string): Promise<string> => unchanged(server, () => treeStamp(tree));
const digestOf = (tree: string, server: string): Promise<string> => unchanged(server, () => treeDigest(tree));

/** What could not have been installed was put there afterwards. */
async function unchanged<T>(server: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if (isSallyportError(cause) || (cause instanceof Error && 'code' in cause)) throw changed(server, cause);
    throw cause;
  }
}

/** How what the lock has for a server stands on this machine. */
export async function packageState(
  { name, package: wanted }: ServerRule,
  lock: Lock,
  folder: string = defaultServersFolder(),
): Promise<'installed' | 'changed' | 'absent'> {
  if (wanted === null) return 'absent';
  try {
    const installed = installedFor(name, wanted, lock);
    await checkTree(treePath(folder, name, installed.tree), installed, new Map());
    return 'installed';
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return error.code === 'PACKAGE_NOT_INSTALLED' ? 'absent' : 'changed';
  }
}
