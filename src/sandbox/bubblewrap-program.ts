import { execFile } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { SallyportError } from '../core/index.ts';
import type { SandboxOptions } from './parts.ts';
import { seccompFilter } from './seccomp.ts';
import { realProgram, systemProgram } from './system-program.ts';

/** Who sandboxed programs run as. */
export interface SandboxUser {
  readonly uid: number;
  readonly gid: number;
}

/** A bubblewrap that can be tried: nothing is proven yet. */
export interface BubblewrapProgram {
  readonly path: string;
  /** The shell through which it enters control groups; null: there is none that is root's alone. */
  readonly shell: string | null;
  /** `bubblewrap 0.8.0`. */
  readonly version: string;
  readonly user: SandboxUser;
  /** The filter of system calls for this architecture. */
  readonly filter: Buffer;
}

/** Why there is none, a sentence each, and what to do about it. */
export interface MissingProgram {
  readonly reasons: readonly string[];
  readonly remedy: string;
}

/** The first version with every option that is used (`--disable-userns`). */
const OLDEST: readonly [number, number] = [0, 8];
const VERSION_MS = 5_000;
const INSTALL = 'install bubblewrap 0.8 or newer (apt-get install bubblewrap)';

/** Looks for bubblewrap and for everything it needs before it can be tried. Never rejects. */
export async function findBubblewrap(options: SandboxOptions): Promise<BubblewrapProgram | MissingProgram> {
  if (process.platform !== 'linux') return missing('bubblewrap needs Linux', 'use a Linux machine or virtual machine');
  const user = userOf(options);
  if (user === null) {
    return missing(
      'bubblewrap is never started as root: one gap would be root on the machine',
      'name an ordinary user under sandbox: runAs, or run Sallyport as one',
    );
  }
  const filter = filterFor(process.arch);
  if (filter === null) return missing(`there is no filter of system calls for ${process.arch}`, 'use x64 or arm64');
  const lacking = ['/usr/bin/prlimit'].find((path) => realProgram(path) === null);
  if (lacking !== undefined) return missing(`${lacking} is missing`, 'install util-linux');
  const given = options.bubblewrapPath;
  const path = given === undefined ? systemProgram('bwrap') : isAbsolute(given) ? realProgram(given) : null;
  if (path === null) if (path === null && given !== undefined) return missing('there is no program bwrap', INSTALL);
  if (path === null)
    return missing("there is no program bwrap in a folder of the system, where it is root's alone", INSTALL);
  const version = await versionOf(path);
  if (version === null) return missing('bwrap does not tell its version', INSTALL);
  if (!isNewEnough(version)) return missing(`${version} is too old`, INSTALL);
  return { path, shell: systemProgram('sh'), version, user, filter };
}

const missing = (reason: string, remedy: string): MissingProgram => ({ reasons: [reason], remedy });

/** INVARIANT: never root, not even by the operator's own settings. */
function userOf({ runAs }: SandboxOptions): SandboxUser | null {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const isRoot = uid === 0 || process.getuid?.() === 0;
  if (!isRoot) return { uid, gid };
  return runAs === undefined || runAs.uid <= 0 || runAs.gid <= 0 ? null : runAs;
}

function filterFor(architecture: string): Buffer | null {
  try {
    return seccompFilter(architecture);
  } catch (error) {
    if (error instanceof SallyportError && error.code === 'ISOLATION_UNAVAILABLE') return null;
    throw error;
  }
}

/** ATTACKER-CONTROLLED by whoever could replace the program: only the expected form is taken. */
function versionOf(path: string): Promise<string | null> {
  const limits = { timeout: VERSION_MS, maxBuffer: 4_096, env: {} };
  return new Promise((resolve) => {
    execFile(path, ['--version'], limits, (error, stdout) => {
      const text = stdout.trim();
      resolve(error === null && /^bubblewrap \d{1,4}\.\d{1,4}(\.\d{1,4})?$/.test(text) ? text : null);
    });
  });
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.slice('bubblewrap '.length).split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
