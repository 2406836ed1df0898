import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { JsonObject } from '../core/index.ts';
import { isInside } from './check-profile.ts';
import type { SandboxProfile } from './contract.ts';
import { LAUNCHER } from './gvisor-launcher.ts';
import { setIdFilter } from './gvisor-seccomp.ts';
import { madeUpFiles, SANDBOX_HOME, SANDBOX_HOST, SANDBOX_PATH, SANDBOX_TMP } from './inside.ts';

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

/** Folders of programs and libraries; where they are links (merged /usr), the link is made anew. */
const SYSTEM_FOLDERS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/** Parts of /etc that programs cannot do without: folders are shown, files copied. */
const ETC_FOLDERS = ['/etc/ssl', '/etc/alternatives', '/etc/ca-certificates', '/etc/pki'];
const ETC_FILES = ['/etc/ld.so.cache', '/etc/localtime', '/etc/mime.types', '/etc/protocols', '/etc/services'];
/** The launcher is a process, too. */
const LAUNCHER_PROCESSES = 1;

/**
 * The root folder of a sandbox: nothing but places to mount on, links and the made-up files, owned by us, in a folder that is
 * there already. It is never written to by the sandbox.
 */
export function makeRoot(root: string, profile: SandboxProfile, user: InsideUser): void {
  mkdirSync(root, { mode: 0o755 });
  for (const path of ['/proc', '/sys', '/dev', SANDBOX_TMP, SANDBOX_HOME, '/etc', '/var', '/run'])
    makePlace(root, path, true);
  for (const path of SYSTEM_FOLDERS) {
    if (isLink(path)) symlinkSync(readlinkSync(path), join(root, path));
  }
  for (const [path, text] of madeUpFiles(user)) writeFileSync(join(root, path), text, { mode: 0o644 });
  for (const path of ETC_FILES) {
    if (existsSync(path)) copyFileSync(path, join(root, path));
  }
  const shown = [...systemBinds(), ...profile.runtime.map(readOnly), ...profile.mounts];
  for (const { path } of shown) {
    // What lies in a temporary folder of the sandbox, or in another mount, has its place there.
    const isElsewhere = [SANDBOX_TMP, SANDBOX_HOME].some((folder) => isInside(path, folder));
    if (!isElsewhere) makePlace(root, path, statSync(path).isDirectory());
  }
}

function makePlace(root: string, path: string, isFolder: boolean): void {
  const place = join(root, path);
  mkdirSync(isFolder ? place : dirname(place), { recursive: true, mode: 0o755 });
  if (!isFolder && !existsSync(place)) writeFileSync(place, '', { mode: 0o644 });
}

const isLink = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
const readOnly = (path: string): Bind => ({ source: path, path, access: 'read' });

function systemBinds(): readonly Bind[] {
  const folders = SYSTEM_FOLDERS.filter((path) => existsSync(path) && !isLink(path));
  return [...folders, ...ETC_FOLDERS.filter((path) => existsSync(path))].map(readOnly);
}

/** What is put where something is covered: each can be neither opened nor, being read-only, changed. */
export interface Blanks {
  readonly file: string;
  readonly folder: string;
}

/**
 * Every place of a profile in the order in which it is mounted, parents first. Folders above a cover are mounted on
 * themselves: a mount cannot be renamed, so nobody moves what is covered to where it is not.
 */
export function planBinds(profile: SandboxProfile, blanks: Blanks): readonly Bind[] {
  const mounts: readonly Bind[] = profile.mounts.map(({ path, access }) => ({ source: path, path, access }));
  const runtime = profile.runtime.filter((path) => !isInside(path, '/usr')).map(readOnly);
  const covers = profile.covers.map(({ path, kind }): Bind => {
    if (kind === 'read-only') return readOnly(path);
    return { source: statSync(path).isDirectory() ? blanks.folder : blanks.file, path, access: 'read' };
  });
  const reserved = profile.reserved.map((path): Bind => ({ source: blanks.folder, path, access: 'read' }));
  const over = [...covers, ...reserved];
  const pins = pinsAbove([...over, ...mounts.filter(({ access }) => access === 'read')], mounts);
  const lower = [...pins, ...over].sort((left, right) => left.path.length - right.path.length);
  return [...systemBinds(), ...runtime, ...mounts, ...lower];
}

/** The folders between a writable mount and what is covered in it, without those that are mounts or covers themselves. */
function pinsAbove(over: readonly Bind[], mounts: readonly Bind[]): readonly Bind[] {
  const taken = new Set([...over, ...mounts].map(({ path }) => path));
  const pins = new Map<string, Bind>();
  for (const { path } of over) {
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      const isBelow = mounts.some(
        (mount) => mount.access === 'write' && mount.path !== folder && isInside(folder, mount.path),
      );
      if (!isBelow || isUnderReadOnly(folder, [...over, ...mounts])) break;
      if (!taken.has(folder)) pins.set(folder, { source: folder, path: folder, access: 'write' });
    }
  }
  return [...pins.values()];
}

/** Whether the innermost of the places that show a folder is read-only: nothing in it can be renamed then. */
function isUnderReadOnly(folder: string, places: readonly Bind[]): boolean {
  const around = places.filter(({ path }) => path !== folder && isInside(folder, path));
  return around.sort((left, right) => right.path.length - left.path.length)[0]?.access === 'read';
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
