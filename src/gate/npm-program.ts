import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { SallyportError } from '../core/index.ts';
import { systemProgram } from '../sandbox/index.ts';
import { runtimeFor } from './program-runtime.ts';

/** The npm of this machine: Node.js, npm's program, and what both need to be read. */
export interface NpmProgram {
  readonly node: string;
  readonly npm: string;
  /** Absolute real paths. */
  readonly runtime: readonly string[];
}

/**
 * Finds npm beside the Node.js that runs this, else in the folders of the system. `PATH` is not asked: what can write there would
 * choose what runs.
 *
 * @throws SallyportError PACKAGE_INSTALL
 */
export function findNpm(): NpmProgram {
  const { program: node, runtime } = runtimeFor(process.execPath);
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const beside = [join(prefix, 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')];
  const ofSystem = systemProgram('npm');
  const found = [...beside, ...(ofSystem === null ? [] : [ofSystem])].find(isNpm);
  if (found === undefined) throw new SallyportError('PACKAGE_INSTALL', 'npm is not installed here');
  const npm = realpathSync(found);
  const folder = dirname(dirname(npm));
  const isShown = ['/usr/', ...runtime.map((one) => `${one}/`)].some((shown) => npm.startsWith(shown));
  return { node, npm, runtime: isShown ? runtime : [...runtime, folder] };
}

/** Not a launcher of some version manager: those run whatever they find. */
const isNpm = (path: string): boolean => existsSync(path) && realpathSync(path).endsWith('/npm/bin/npm-cli.js');

const run = promisify(execFile);
const ASK_MS = 20_000;

/**
 * The registry that npm is set to for this user. It is asked where no project has a configuration, so that no workspace can
 * choose; `home`: whose settings count.
 *
 * @throws SallyportError PACKAGE_INSTALL
 */
export async function registryOfNpm(home: string = homedir()): Promise<string> {
  const { node, npm } = findNpm();
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home };
  try {
    const { stdout } = await run(node, [npm, 'config', 'get', 'registry'], { cwd: '/', env, timeout: ASK_MS });
    return stdout.trim();
  } catch (cause) {
    throw new SallyportError('PACKAGE_INSTALL', 'npm does not say which registry it is set to: name one (--registry)', {
      cause,
    });
  }
}
