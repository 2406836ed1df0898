import { existsSync, realpathSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { SallyportError } from '../core/index.ts';
import { runtimeFor } from './program-runtime.ts';

/** The npm of this machine: Node.js, npm's program, and what both need to be read. */
export interface NpmProgram {
  readonly node: string;
  readonly npm: string;
  /** Absolute real paths. */
  readonly runtime: readonly string[];
}

/**
 * Finds npm beside the Node.js that runs this, else on `PATH`.
 * @throws SallyportError PACKAGE_INSTALL
 */
export function findNpm(path: string = process.env['PATH'] ?? ''): NpmProgram {
  const { program: node, runtime } = runtimeFor(process.execPath);
  const prefix = dirname(dirname(realpathSync(process.execPath)));
  const beside = [join(prefix, 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')];
  const onPath = path.split(delimiter).filter(isAbsolute);
  const found = [...beside, ...onPath.map((folder) => join(folder, 'npm'))].find(isNpm);
  if (found === undefined) throw new SallyportError('PACKAGE_INSTALL', 'npm is not installed here');
  const npm = realpathSync(found);
  const folder = dirname(dirname(npm));
  const isShown = ['/usr/', ...runtime.map((one) => `${one}/`)].some((shown) => npm.startsWith(shown));
  return { node, npm, runtime: isShown ? runtime : [...runtime, folder] };
}

/** Not a launcher of some version manager: those run whatever they find. */
const isNpm = (path: string): boolean => existsSync(path) && realpathSync(path).endsWith('/npm/bin/npm-cli.js');
