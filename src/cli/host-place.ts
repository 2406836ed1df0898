import { isAbsolute, join } from 'node:path';
import { quoteForMessage, SallyportError } from '../core/index.ts';
import { HOSTS, type Host, type HostFolders } from './host-table.ts';

/** The machine and the person that a file of a host is looked for under. */
export interface HostSurroundings {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The host of that name. @throws SallyportError CONNECT_HOST */
export function hostNamed(name: string): Host {
  const host = HOSTS.find((candidate) => candidate.name === name);
  if (host !== undefined) return host;
  const known = HOSTS.map((candidate) => candidate.name).join(', ');
  throw new SallyportError('CONNECT_HOST', `there is no host ${quoteForMessage(name)}; known are ${known}`);
}

/** Absolute path of the file of a user. @throws SallyportError CONNECT_HOST when the host does not run on this platform */
export function userPlace(host: Host, { platform, home, environment }: HostSurroundings): string {
  const place = host.user[platform === 'darwin' || platform === 'win32' ? platform : 'linux'];
  if (place === null) throw new SallyportError('CONNECT_HOST', `${host.title} has no file on this platform`);
  const moved = host.user.variable === undefined ? undefined : environment[host.user.variable];
  const [folder, path] = place;
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (moved !== undefined && isAbsolute(moved)) return join(moved, name);
  return join(foldersOf(home, environment)[folder], path);
}

/** Absolute path of the file of a project. @throws SallyportError CONNECT_HOST when the host has none */
export function projectPlace(host: Host, project: string): string {
  if (host.project !== null) return join(project, host.project);
  throw new SallyportError('CONNECT_HOST', `${host.title} reads no file of a project; leave --project out`);
}

function foldersOf(home: string, environment: HostSurroundings['environment']): HostFolders {
  const absolute = (name: string, otherwise: string): string => {
    const value = environment[name];
    return value !== undefined && isAbsolute(value) ? value : otherwise;
  };
  return {
    home,
    config: absolute('XDG_CONFIG_HOME', join(home, '.config')),
    support: join(home, 'Library', 'Application Support'),
    roaming: absolute('APPDATA', join(home, 'AppData', 'Roaming')),
  };
}
