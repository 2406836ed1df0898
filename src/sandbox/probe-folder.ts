import {
  accessSync,
  chmodSync,
  chownSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256Hex } from '../core/index.ts';
import type { SandboxProfile } from './contract.ts';
import { PROBE_LIMITS } from './probe-attempts.ts';
import { PROBE_PROGRAM } from './probe-program.ts';

/** Who programs run as, where it is not who we are. */
export interface ProbeUser {
  readonly uid: number;
  readonly gid: number;
}

/** The files of one run of the probe: a workspace that is shown inside, and a folder beside it that is not. */
export interface ProbeFolder {
  readonly work: string;
  readonly outside: string;
  /** Inode of the canary outside. */
  readonly inode: number;
  /** What the program is told. */
  writePlan(plan: Readonly<Record<string, unknown>>): void;
  /** Whether it ran to the end of its attempts, in this workspace. */
  ran(): boolean;
  /** Attempts that left a trace on the host. */
  traces(): readonly string[];
  remove(): void;
}

/** Outside of the folder that every sandbox hides anyway (`/tmp`), where there is one: it would prove little. */
function probeRoot(): string {
  try {
    accessSync('/var/tmp', constants.W_OK);
    return realpathSync('/var/tmp');
  } catch {
    return realpathSync(tmpdir());
  }
}

/** Files that say which machine this is and who uses it; a sandbox shows none, or made-up ones. */
const MACHINE_FILES = ['/etc/passwd', '/etc/group', '/etc/machine-id', '/etc/fstab'];

/** What the host has in them, told to the program as digests only. */
export function machineFiles(): readonly { readonly file: string; readonly digest: string }[] {
  return MACHINE_FILES.flatMap((file) => {
    const text = textOf(file);
    return text === null || text.trim() === '' ? [] : [{ file, digest: sha256Hex(text) }];
  });
}

const HIDDEN = 'hidden.txt';
const READ_ONLY = 'read-only.txt';
const READ_ONLY_FOLDER = 'read-only-folder';
const KEPT = 'read-only-folder/kept.txt';
const SET_ID_BITS = 0o6000;

const textOf = (file: string): string | null => (existsSync(file) ? readFileSync(file, 'utf8') : null);

/** The files that the attempts go for; `canary` is in each, followed by what a write would take away. */
function fill(work: string, outside: string, canary: string): void {
  mkdirSync(work);
  mkdirSync(outside);
  mkdirSync(join(work, 'hidden-folder'));
  mkdirSync(join(work, READ_ONLY_FOLDER));
  writeFileSync(join(outside, 'canary.txt'), canary);
  for (const name of [HIDDEN, READ_ONLY, KEPT, 'hidden-folder/canary.txt'])
    writeFileSync(join(work, name), `${canary} untouched`);
  writeFileSync(join(work, 'program.cjs'), PROBE_PROGRAM);
  symlinkSync('../outside/canary.txt', join(work, 'link'));
  symlinkSync('../outside', join(work, 'folder-link'));
}

/** Gives everything to whom the program runs as, so that nothing but the sandbox keeps it away. */
function giveTo(user: ProbeUser, paths: readonly string[]): void {
  for (const path of paths) chownSync(path, user.uid, user.gid);
}

function tracesIn(work: string, outside: string, canary: string): readonly string[] {
  const large = join(work, 'large.bin');
  const setId = join(work, 'set-id');
  const found: Readonly<Record<string, boolean>> = {
    'write-outside': existsSync(join(outside, 'written')),
    'write-through-link': existsSync(join(outside, 'written-through-link')),
    'hard-link': existsSync(join(work, 'hard-link')),
    'write-hidden': textOf(join(work, HIDDEN)) !== `${canary} untouched`,
    'write-read-only': textOf(join(work, READ_ONLY)) !== `${canary} untouched`,
    // A kernel may refuse to write and yet have cut the file off.
    'write-read-only-folder': textOf(join(work, KEPT)) !== `${canary} untouched`,
    'add-to-read-only-folder': existsSync(join(work, READ_ONLY_FOLDER, 'added.txt')),
    'make-reserved': existsSync(join(work, 'reserved.txt')),
    'set-user-id': existsSync(setId) && (lstatSync(setId).mode & SET_ID_BITS) !== 0,
    'file-size': existsSync(large) && lstatSync(large).size > PROBE_LIMITS.fileBytes,
  };
  return Object.keys(found).filter((name) => found[name] === true);
}

/** Makes the folder. @throws Error where the disk does not let us */
export function makeProbeFolder(canary: string, user: ProbeUser | null): ProbeFolder {
  const base = mkdtempSync(join(probeRoot(), 'sallyport-probe-'));
  chmodSync(base, 0o755);
  const [work, outside] = [join(base, 'work'), join(base, 'outside')];
  fill(work, outside, canary);
  const inside = [HIDDEN, READ_ONLY, READ_ONLY_FOLDER, KEPT, 'hidden-folder', 'hidden-folder/canary.txt'].map((name) =>
    join(work, name),
  );
  if (user !== null) giveTo(user, [work, outside, join(outside, 'canary.txt'), ...inside]);
  return {
    ...{ work, outside, inode: lstatSync(join(outside, 'canary.txt')).ino },
    writePlan: (plan) => writeFileSync(join(work, 'plan.json'), JSON.stringify(plan)),
    ran: () => textOf(join(work, 'ran.txt')) === canary,
    traces: () => tracesIn(work, outside, canary),
    remove: () => rmSync(base, { recursive: true, force: true }),
  };
}

/** What the probe asks a backend for: the workspace with covers in it, Node.js, and no network. */
export function probeProfile(work: string, node: string): SandboxProfile {
  return {
    mounts: [{ path: work, access: 'write' }],
    covers: [
      { path: join(work, HIDDEN), kind: 'hidden' },
      { path: join(work, 'hidden-folder'), kind: 'hidden' },
      { path: join(work, READ_ONLY), kind: 'read-only' },
      { path: join(work, READ_ONLY_FOLDER), kind: 'read-only' },
    ],
    reserved: [join(work, 'reserved.txt')],
    // Under /usr it is part of every sandbox.
    runtime: node.startsWith('/usr/') ? [] : [node],
    limits: PROBE_LIMITS,
    egress: null,
  };
}
