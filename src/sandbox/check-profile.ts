import { lstatSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, normalize } from 'node:path';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import type { Cover, Mount, SandboxCommand, SandboxProfile } from './contract.ts';
import { freezeProfile } from './profile-digest.ts';

/** Paths that one profile may name, all lists together. */
const MOST_PATHS = 4_096;
const MOST_PATH_BYTES = 4_096;
const MOST_COMMAND_BYTES = 1_048_576;
/** Folders of the system that no profile may show: they would be the machine, not a part of it. */
const NEVER_SHOWN = ['/proc', '/sys', '/dev', '/newroot', '/oldroot'];

export interface ProfileSurroundings {
  /** Folders of the runtime, of every process: nothing of them may be shown. */
  readonly withheld: readonly string[];
  /** Whether a path is a placeholder that another sandbox put there: it counts as absent. */
  readonly isPlaceholder: (path: string) => boolean;
}

/**
 * A frozen copy of a profile whose every path is what the contract says, at this moment: absolute, real (no link anywhere in
 * it), there (reserved ones: not there), never the whole machine, the kernel's folders or what sandboxes need on the host.
 * A backend that shows a path later makes sure that it still is the same object.
 *
 * @throws SallyportError SANDBOX_FAILED
 */
export function checkProfile(profile: SandboxProfile, around: ProfileSurroundings): SandboxProfile {
  const { mounts, covers, reserved, runtime } = profile;
  if (mounts.length + covers.length + reserved.length + runtime.length > MOST_PATHS) {
    throw refused(`a profile names at most ${MOST_PATHS} paths`);
  }
  for (const { path } of mounts) checkShown(path, around);
  for (const path of runtime) checkShown(path, around);
  for (const cover of covers) checkCover(cover, mounts);
  for (const path of reserved) checkReserved(path, profile, around);
  checkOrder(mounts);
  for (const [name, limit] of Object.entries(profile.limits)) {
    if (!Number.isSafeInteger(limit) || limit < 0) throw refused(`the limit ${name} is not a whole number`);
  }
  return freezeProfile(profile);
}

/**
 * That a command can be started as it is: no NUL, not too long, an absolute working folder.
 * @throws SallyportError SANDBOX_FAILED
 */
export function checkCommand(command: SandboxCommand): void {
  const { argv, argv0 = '', env, cwd } = command;
  const names = Object.keys(env);
  const words = [...argv, argv0, ...names, ...Object.values(env), cwd];
  if (argv[0] === '') throw refused('the program has no name');
  if (words.some((word) => word.includes('\0'))) throw refused('a NUL stands in the command or its environment');
  if (names.some((name) => name === '' || name.includes('='))) throw refused('a variable has no usable name');
  const bytes = words.reduce((sum, word) => sum + Buffer.byteLength(word), 0);
  if (bytes > MOST_COMMAND_BYTES) throw refused(`the command is longer than ${MOST_COMMAND_BYTES} bytes`);
  checkText(cwd);
}

function checkShown(path: string, { withheld }: ProfileSurroundings): void {
  checkReal(path);
  if (path === '/') throw refused('the whole machine cannot be shown in a sandbox');
  for (const folder of NEVER_SHOWN) {
    if (isInside(path, folder)) throw refused(`${quoteForMessage(path)} is the kernel's and cannot be shown`);
  }
  for (const folder of withheld) {
    if (isInside(path, folder) || isInside(folder, path)) {
      throw refused(`${quoteForMessage(path)} would show the runtime folder of sandboxes`);
    }
  }
}

function checkCover({ path }: Cover, mounts: readonly Mount[]): void {
  checkReal(path);
  // A cover on a mount's own path is the mount with another access; it is taken as it says.
  if (!mounts.some((mount) => isInside(path, mount.path))) {
    throw refused(`${quoteForMessage(path)} is covered, but nothing shows it`);
  }
}

function checkReserved(path: string, { mounts }: SandboxProfile, around: ProfileSurroundings): void {
  checkText(path);
  const parent = dirname(path);
  checkReal(parent);
  if (!lstatSync(parent).isDirectory()) throw refused(`${quoteForMessage(parent)} is not a folder`);
  if (mountOf(path, mounts)?.access !== 'write') {
    throw refused(`${quoteForMessage(path)} is reserved, but nothing could be made there`);
  }
  if (exists(path) && !around.isPlaceholder(path)) throw refused(`${quoteForMessage(path)} is reserved, but exists`);
}

/** The innermost mount that shows a path. */
function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  const around = mounts.filter((mount) => isInside(path, mount.path));
  return around.sort((left, right) => right.path.length - left.path.length)[0];
}

/** A parent that came after its child would hide it. */
function checkOrder(mounts: readonly Mount[]): void {
  for (const [index, { path }] of mounts.entries()) {
    const before = mounts.slice(0, index).find((mount) => isInside(mount.path, path));
    if (before !== undefined) throw refused(`${quoteForMessage(path)} comes after what lies in it`);
  }
}

function checkReal(path: string): void {
  checkText(path);
  let real: string;
  try {
    real = realpathSync(path);
  } catch (cause) {
    throw refused(`${quoteForMessage(path)} cannot be shown: it does not exist, or is out of reach`, cause);
  }
  if (real !== path) throw refused(`${quoteForMessage(path)} is not a real path: a link stands in it`);
}

function checkText(path: string): void {
  const isPlain = isAbsolute(path) && !path.includes('\0') && normalize(path) === path && !/.\/$/.test(path);
  if (!isPlain) throw refused(`${quoteForMessage(path)} is not a plain absolute path`);
  if (Buffer.byteLength(path) > MOST_PATH_BYTES) throw refused(`a path is longer than ${MOST_PATH_BYTES} bytes`);
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return false;
    throw refused(`${quoteForMessage(path)} cannot be looked at`, cause);
  }
}

/** Whether a path is a folder or lies below it, by their texts. */
export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder === '/' ? folder : `${folder}/`);

const refused = (message: string, cause?: unknown): SallyportError =>
  new SallyportError('SANDBOX_FAILED', message, cause === undefined ? {} : { cause });
