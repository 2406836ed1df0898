import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Which parts of the machine a program outside the system folders needs, and by which path it is started. */
export interface ProgramRuntime {
  readonly program: string;
  /** Absolute real paths outside the workspace's rules, to be read. */
  readonly runtime: readonly string[];
  /** Absolute real paths to be read but for what the policy withholds in them. */
  readonly reads: readonly string[];
}

/** What every sandbox shows anyway. */
export const SYSTEM: readonly string[] = ['/usr/', '/bin/', '/sbin/', '/lib/', '/lib64/'];

const isSystem = (path: string): boolean => SYSTEM.some((folder) => path.startsWith(folder));

/**
 * The runtime of a program: nothing for one of the system; else its own file and, of Node.js and Python, the libraries that
 * belong to it, so that no folder of a person is shown for the sake of a program in it. A virtual environment is shown, without
 * what the policy withholds.
 */
export function runtimeFor(program: string): ProgramRuntime {
  const real = program.startsWith('/') ? realOf(program) : null;
  if (real === null) return { program, runtime: [], reads: [] };
  const environment = dirname(dirname(program));
  if (existsSync(join(environment, 'pyvenv.cfg')) && realOf(environment) === environment) {
    return { program, runtime: librariesOf(real), reads: [environment] };
  }
  if (isSystem(real)) return { program: isSystem(program) ? program : real, runtime: [], reads: [] };
  return { program: real, runtime: [real, ...librariesOf(real)], reads: [] };
}

function realOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null; // the start says that it is not there
  }
}

function librariesOf(real: string): readonly string[] {
  if (isSystem(real)) return [];
  const prefix = dirname(dirname(real));
  const version = /^python([0-9]+\.[0-9]+)$/.exec(basename(real))?.[1];
  const wanted = [
    ...(basename(real) === 'node' ? [join(prefix, 'lib', 'node_modules')] : []),
    ...(version === undefined ? [] : [join(prefix, 'lib', `python${version}`), ...sharedOf(prefix, version)]),
  ];
  return wanted.filter((path) => realOf(path) === path);
}

const sharedOf = (prefix: string, version: string): string[] =>
  [`libpython${version}.so.1.0`, `libpython${version}.so`].map((name) => join(prefix, 'lib', name));

/**
 * Parts of an installed server: what an absolute path in its command belongs to, to be read. INVARIANT: a link adds nothing: what
 * may write where it stands could turn it to any file of the user.
 */
export function installFoldersOf(command: readonly string[]): readonly string[] {
  const found = command.slice(1).flatMap((argument) => {
    const real = argument.startsWith('/') && !isSystem(argument) ? realOf(argument) : null;
    return real !== argument || !statSync(real).isFile() ? [] : [installOf(real)];
  });
  return [...new Set(found)];
}

/** The outermost `node_modules` around a script, or the script alone: its package may be a whole workspace. */
function installOf(real: string): string {
  const at = real.indexOf('/node_modules/');
  return at < 0 ? real : real.slice(0, at + '/node_modules'.length);
}
