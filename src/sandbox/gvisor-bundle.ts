import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../core/index.ts';
import type { Masks, SystemParts } from './bubblewrap-plan.ts';
import { isInside } from './check-profile.ts';
import type { SandboxProfile } from './contract.ts';
import { LAUNCHER } from './gvisor-launcher.ts';
import { setIdFilter } from './gvisor-seccomp.ts';
import { SANDBOX_HOME, SANDBOX_HOST, SANDBOX_PATH, SANDBOX_TMP } from './inside.ts';
import type { MountPoint } from './mount-points.ts';

/** A file or folder of the host and where it is inside. */
export interface Bind {
  readonly source: string;
  readonly path: string;
  readonly access: 'read' | 'write';
}

/** A user of the container. */
export interface InsideUser {
  readonly uid: number;
  readonly gid: number;
}

/** Where a container stands: alone, as the sandbox that others are put into, or put into one. */
export type Place = { readonly kind: 'alone' | 'sandbox' } | { readonly kind: 'within'; readonly sandbox: string };

/** The launcher is a process, too. */
const LAUNCHER_PROCESSES = 1;
/** Folders that are there in every sandbox, besides those of the system. */
const OWN_FOLDERS = ['/proc', '/sys', '/dev', '/var', '/run', SANDBOX_TMP, SANDBOX_HOME];

/** Every place of a sandbox in the order in which it is mounted, parents first. */
export function planBinds(points: readonly MountPoint[], system: SystemParts, masks: Masks): readonly Bind[] {
  const shown = points.flatMap(({ path, kind }): readonly Bind[] => {
    if (kind === 'write' || kind === 'pin') return [{ source: path, path, access: 'write' }];
    if (kind === 'hidden-file') return [{ source: masks.file, path, access: 'read' }];
    if (kind !== 'read') return [{ source: masks.folder, path, access: 'read' }];
    return isShownAnyway(path, points) ? [] : [{ source: path, path, access: 'read' }];
  });
  return [...system.binds.map(({ source, path }): Bind => ({ source, path, access: 'read' })), ...shown];
}

/** A part of the runtime that lies in /usr, with nothing mounted over it, is there already. */
const isShownAnyway = (path: string, points: readonly MountPoint[]): boolean =>
  isInside(path, '/usr') && !points.some((point) => point.path !== path && isInside(path, point.path));

/**
 * The root folder of a sandbox, in a folder that is there already: nothing but links and places to mount on. It is shown
 * read-only. The kernel of the sandbox makes places in mounts that are memory by itself.
 */
export function makeRoot(root: string, places: readonly RootPlace[], { links }: SystemParts): void {
  mkdirSync(root, { mode: 0o755 });
  for (const path of OWN_FOLDERS) makePlace(root, path, true);
  for (const { path, target } of links) symlinkSync(target, join(root, path));
  for (const { path, isFolder } of places) makePlace(root, path, isFolder);
}

/** A place that a root folder has for a mount. */
export interface RootPlace {
  readonly path: string;
  readonly isFolder: boolean;
}

/** The places of binds that do not lie in another one of them, or in memory. */
export function placesOf(binds: readonly Bind[]): readonly RootPlace[] {
  const folders = [SANDBOX_TMP, SANDBOX_HOME, ...binds.map(({ path }) => path)];
  return binds
    .filter(({ path }) => !folders.some((folder) => folder !== path && isInside(path, folder)))
    .map(({ source, path }) => ({ path, isFolder: statSync(source).isDirectory() }));
}

function makePlace(root: string, path: string, isFolder: boolean): void {
  const place = join(root, path);
  mkdirSync(isFolder ? place : dirname(place), { recursive: true, mode: 0o755 });
  if (!isFolder && !existsSync(place)) writeFileSync(place, '', { mode: 0o644 });
}

/** What a bundle is made of. */
export interface BundlePlan {
  readonly root: string;
  readonly binds: readonly Bind[];
  readonly limits: SandboxProfile['limits'];
  readonly user: InsideUser;
  readonly place: Place;
}

/** The configuration of a container (OCI runtime specification 1.0.2): no capability, no new privileges, nothing of our environment. */
export function bundleConfig({ root, binds, limits, user, place }: BundlePlan): JsonObject {
  const seccomp = setIdFilter(process.arch);
  const namespaces = ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  return {
    ociVersion: '1.0.2',
    process: {
      user: { uid: user.uid, gid: user.gid },
      args: [...LAUNCHER],
      env: [`PATH=${SANDBOX_PATH}`],
      cwd: '/',
      capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
      noNewPrivileges: true,
      rlimits: resourceLimits(limits),
    },
    root: { path: root, readonly: true },
    hostname: SANDBOX_HOST,
    mounts: [...privateMounts(limits, user), ...binds.map(bindMount)],
    linux: seccomp === null ? { namespaces } : { namespaces, seccomp },
    annotations: annotationsOf(place),
  };
}

function resourceLimits({ processes, fileBytes, openFiles }: SandboxProfile['limits']): JsonObject[] {
  const all: readonly [string, number][] = [
    ['RLIMIT_NPROC', processes === 0 ? 0 : processes + LAUNCHER_PROCESSES],
    ['RLIMIT_FSIZE', fileBytes],
    ['RLIMIT_NOFILE', openFiles],
  ];
  const limits = all.filter(([, most]) => most > 0).map(([type, most]) => ({ type, soft: most, hard: most }));
  return [...limits, { type: 'RLIMIT_CORE', soft: 0, hard: 0 }];
}

function privateMounts({ diskBytes }: SandboxProfile['limits'], { uid, gid }: InsideUser): JsonObject[] {
  const size = diskBytes === 0 ? [] : [`size=${diskBytes}`];
  const memory = (path: string, more: readonly string[]): JsonObject => ({
    ...{ destination: path, type: 'tmpfs', source: 'tmpfs' },
    options: ['nosuid', 'nodev', ...more],
  });
  return [
    { destination: '/proc', type: 'proc', source: 'proc' },
    memory('/dev', ['mode=0755']),
    memory('/dev/shm', ['mode=1777', ...size]),
    memory(SANDBOX_TMP, ['mode=1777', ...size]),
    memory(SANDBOX_HOME, ['mode=0700', `uid=${uid}`, `gid=${gid}`, ...size]),
  ];
}

const bindMount = ({ source, path, access }: Bind): JsonObject => ({
  ...{ destination: path, type: 'bind', source },
  options: ['rbind', access === 'write' ? 'rw' : 'ro', 'nosuid', 'nodev'],
});

/** The names that containerd gives containers of a pod: `runsc` puts one into the sandbox of another by them. */
function annotationsOf(place: Place): JsonObject {
  const kind = 'io.kubernetes.cri.container-type';
  if (place.kind === 'alone') return {};
  if (place.kind !== 'within') return { [kind]: 'sandbox' };
  return { [kind]: 'container', 'io.kubernetes.cri.sandbox-id': place.sandbox };
}
