import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, open, readdir, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type CanonicalUrl, isUrlTrouble, readUrl, SallyportError } from '../core/index.ts';
import type { Policy, ServerPackage, ServerRule } from '../policy/index.ts';
import { type Lock, readLockToApprove, writeLock } from './lock.ts';
import { integrityIn } from './npm-lock.ts';
import type { LockedPackage } from './package-entry.ts';
import { type FetchPlan, fetchPackage, type RunNpm, writeProject } from './package-fetch.ts';
import { checkOutOfReach, openServerFolder, treeName } from './package-places.ts';
import { programOf } from './package-program.ts';
import { copyTree, removeTree, treeDigest } from './package-tree.ts';

export interface InstallOptions {
  readonly policy: Policy;
  readonly root: string;
  readonly lockPath: string;
  /** Where servers are installed: `defaultServersFolder()`. */
  readonly serversFolder: string;
  readonly run: RunNpm;
  readonly now?: Date;
}

/** What will be done for one server: shown before consent, carried out after it. */
export interface InstallPlan extends FetchPlan {
  readonly rule: ServerRule;
  /** What its tarball must be; null: nobody said yet. */
  readonly expected: string | null;
  /** Digest of the tree that must come of it; null: it was not installed before. */
  readonly tree: string | null;
  /** What the lock has for this server now. */
  readonly before: LockedPackage | null;
}

export interface Installed {
  readonly entry: LockedPackage;
  /** Absolute path of what the server is started from. */
  readonly tree: string;
  readonly program: string;
  /** The isolation that npm ran in. */
  readonly level: string;
}

/**
 * Reads the address of a registry: `https://`, or `http://` of this machine.
 * @throws SallyportError USAGE
 */
export function readRegistry(text: string): CanonicalUrl {
  const url = readUrl(text.endsWith('/') ? text : `${text}/`);
  if (isUrlTrouble(url)) throw new SallyportError('USAGE', `the registry cannot be used: ${url.detail}`);
  const isHere = ['127.0.0.1', '::1', 'localhost'].includes(url.host);
  if (url.query !== '' || (url.scheme === 'http' && !isHere))
    throw new SallyportError('USAGE', 'a registry is https://HOST/PATH, or http:// of this machine');
  return url;
}

/**
 * What installing the package of a rule means. It comes from the registry that an operator named, else from where it came before,
 * else from the one that npm is set to; where that alone says so its address must be public.
 *
 * @throws SallyportError PACKAGE_INTEGRITY when policy and lock pin different ones, USAGE
 */
export function planInstall(
  rule: ServerRule & { readonly package: ServerPackage },
  lock: Lock,
  registry: { readonly named: string | null; readonly ofNpm: string },
): InstallPlan {
  const before = lock.packages.get(rule.name) ?? null;
  const { name, version, integrity } = rule.package;
  const same = before?.name === name && before.version === version ? before : null;
  if (integrity !== null && same !== null && same.integrity !== integrity)
    throw new SallyportError('PACKAGE_INTEGRITY', `${rule.name}: the policy and sallyport.lock pin different tarballs`);
  const wanted = readRegistry(registry.named ?? same?.registry ?? registry.ofNpm);
  const internal = registry.named !== null || wanted.text !== readRegistry(registry.ofNpm).text;
  return {
    ...{ rule, package: rule.package, before, registry: wanted, internal },
    ...{ npmLock: same?.npmLock ?? null, expected: integrity ?? same?.integrity ?? null, tree: same?.tree ?? null },
  };
}

/**
 * Fetches a package in a sandbox, holds it to what is pinned, puts a read-only copy in its place and writes the lock. What
 * fails leaves everything as it was.
 *
 * @throws SallyportError PACKAGE_INSTALL, PACKAGE_INTEGRITY, PACKAGE_CHANGED, PACKAGE_REFUSED, PACKAGE_PLACE, LOCK_INVALID, ISOLATION_UNAVAILABLE, SANDBOX_FAILED
 */
export async function installPackage(plan: InstallPlan, options: InstallOptions): Promise<Installed> {
  const { policy, root, serversFolder, lockPath } = options;
  checkOutOfReach(serversFolder, policy, root);
  const folder = openServerFolder(serversFolder, plan.rule.name);
  await sweep(folder);
  const staging = await makeStaging(folder, plan, policy);
  try {
    const { npmLock, level } = await fetchPackage(plan, staging, options.run);
    const integrity = integrityIn(npmLock, plan.package);
    if (plan.expected !== null && integrity !== plan.expected) throw mismatch(plan, integrity);
    const copy = await keepCopy(join(staging, 'project', 'node_modules'), folder);
    const { tree, digest, program } = await putInPlace(copy, folder, plan);
    const { name, version } = plan.package;
    const installedAt = (options.now ?? new Date()).toISOString();
    const entry = { name, version, integrity, registry: plan.registry.text, tree: digest, npmLock, installedAt };
    await writeEntry(lockPath, plan.rule.name, entry);
    return { entry, tree, program, level };
  } finally {
    await removeTree(staging);
  }
}

function mismatch({ expected }: InstallPlan, found: string): SallyportError {
  const message = `the tarball has another integrity than was pinned: ${found} instead of ${expected ?? ''}`;
  return new SallyportError('PACKAGE_INTEGRITY', message);
}

/** A folder that the one whom programs run as may write, and that nobody else may read, with what npm starts from. */
async function makeStaging(folder: string, plan: FetchPlan, { sandbox }: Policy): Promise<string> {
  const staging = await mkdtemp(join(folder, STAGING));
  try {
    const [project, home] = [join(staging, 'project'), join(staging, 'home')];
    for (const path of [project, home]) await mkdir(path, { mode: 0o700 });
    const files = await writeProject(plan, project);
    if (sandbox.runAs !== undefined && process.getuid?.() === 0)
      for (const path of [staging, project, home, ...files]) await chown(path, sandbox.runAs.uid, sandbox.runAs.gid);
    return staging;
  } catch (error) {
    await removeTree(staging);
    throw error;
  }
}

const STAGING = '.staging-';
const COPY = '.copy-';
const LEFT_AFTER_MS = 3_600_000;

/** What a process left behind that was killed. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(STAGING) && !name.startsWith(COPY)) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > LEFT_AFTER_MS) await removeTree(join(folder, name));
  }
}

/** npm's own note, which differs between its versions. */
const NOTES = ['.package-lock.json'];

/** A copy of what was fetched that nothing of what fetched it can write to. */
async function keepCopy(from: string, folder: string): Promise<string> {
  const copy = await mkdtemp(join(folder, COPY));
  try {
    await copyTree(from, join(copy, 'node_modules'), NOTES);
    await chmod(copy, 0o555);
    return copy;
  } catch (error) {
    await removeTree(copy);
    throw error;
  }
}

interface Placed {
  readonly tree: string;
  readonly digest: string;
  readonly program: string;
}

async function putInPlace(copy: string, folder: string, plan: InstallPlan): Promise<Placed> {
  try {
    const digest = await treeDigest(copy);
    if (plan.tree !== null && digest !== plan.tree)
      throw new SallyportError('PACKAGE_CHANGED', 'what the registry has now is not what was pinned');
    const found = await programOf(copy, plan.package);
    const tree = join(folder, treeName(digest));
    await replaceTree(copy, tree);
    return { tree, digest, program: join(tree, found.slice(copy.length)) };
  } catch (error) {
    await removeTree(copy);
    throw error;
  }
}

/** A tree of this name that is there already is put aside first: it may be damaged. */
async function replaceTree(copy: string, tree: string): Promise<void> {
  const aside = `${copy}-old`;
  const isThere = await moveAside(tree, aside);
  await rename(copy, tree);
  const folder = await open(join(tree, '..'));
  await folder.sync().finally(() => folder.close());
  if (isThere) await removeTree(aside);
}

async function moveAside(tree: string, aside: string): Promise<boolean> {
  try {
    await rename(tree, aside);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function writeEntry(lockPath: string, server: string, entry: LockedPackage): Promise<void> {
  const lock = await readLockToApprove(lockPath);
  await writeLock(lockPath, { ...lock, packages: new Map([...lock.packages, [server, entry]]) });
}

/** Trees of a server other than the one that is kept (its digest). Absolute paths. */
export async function strayTrees(
  serversFolder: string,
  server: string,
  kept: string | null,
): Promise<readonly string[]> {
  const folder = join(serversFolder, server);
  const names = existsSync(folder) ? await readdir(folder) : [];
  const isStray = (name: string): boolean => /^[0-9a-f]{64}$/.test(name) && (kept === null || name !== treeName(kept));
  return names.filter(isStray).map((name) => join(folder, name));
}
