import { existsSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SallyportError } from '../core/index.ts';
import { loadPolicy } from '../gate/index.ts';
import { openStateFolder } from '../keeper/index.ts';
import { reachableFolders } from '../policy/index.ts';
import { shownFolders } from '../sandbox/index.ts';
import type { StdioTarget } from './host-entry.ts';
import type { HostSurroundings } from './host-place.ts';
import { type CommonFlags, settingsOf } from './settings.ts';

/** What a connection leads to, checked: absolute paths of programs that no tool under this policy can rewrite. */
export interface ConnectTarget extends StdioTarget {
  /** Absolute real paths that tools can reach; no token may be written there. */
  readonly reachable: readonly string[];
}

/** Where hosts are looked for: this machine and this person. */
export const surroundings = (): HostSurroundings => ({
  platform: process.platform,
  home: homedir(),
  environment: process.env,
});

/** @throws SallyportError USAGE without a policy of one's own, CONNECT_PROGRAM, and the errors of loading policy and state */
export async function connectTarget(flags: CommonFlags & { readonly dryRun?: boolean }): Promise<ConnectTarget> {
  const settings = settingsOf(flags);
  if (settings.embedded) {
    throw new SallyportError(
      'USAGE',
      'a host needs a policy of its own: make a sallyport.yaml here or name one with --policy',
    );
  }
  const policyFile = plainPath(realpathOrSame(settings.policyFile));
  const { policy, root } = await loadPolicy({ policy: policyFile });
  const reachable = reachableFolders(policy, root);
  const workspaces = [...reachable, dirname(policyFile)];
  const node = programOutside(process.execPath, workspaces);
  const program = programOutside(fileURLToPath(new URL('./main.js', import.meta.url)), workspaces);
  const unmade = flags.dryRun === true && !existsSync(settings.state);
  const state = plainPath(unmade ? settings.state : openStateFolder(settings.state, [...reachable, ...shownFolders()]));
  return { node, program, policy: policyFile, state, reachable };
}

function programOutside(path: string, workspaces: readonly string[]): string {
  if (!existsSync(path)) throw new SallyportError('CONNECT_PROGRAM', `${path} does not exist; build Sallyport first`);
  const real = plainPath(realpathSync(path));
  // A package that a project installed belongs to that project, also where the workspace is only a part of it.
  const installed = real.slice(0, Math.max(0, real.indexOf(`${sep}node_modules${sep}`)));
  const folder = workspaces.find((one) => isInside(real, one) || (installed !== '' && isInside(one, installed)));
  if (folder !== undefined) {
    throw new SallyportError('CONNECT_PROGRAM', `${real} lies inside ${folder}, where an agent could rewrite it`);
  }
  if (real.split(sep).includes('_npx')) {
    throw new SallyportError('CONNECT_PROGRAM', `${real} is a copy that npx throws away`);
  }
  return real;
}

/** Hosts fill `${…}` in and show what they start: a path with such characters would not mean the same to them. */
function plainPath(path: string): string {
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}$%]/u.test(path)) {
    throw new SallyportError('USAGE', `a path has a control character, $ or %: ${resolve(path)}`);
  }
  return path;
}

/** A folder is inside itself. */
export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);

const realpathOrSame = (path: string): string => (existsSync(path) ? realpathSync(path) : path);
