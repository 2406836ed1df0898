import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { EgressSession } from '../../src/sandbox/parts.ts';

const BWRAP = '/usr/bin/bwrap';
/** In CI it must be there: what needs it fails without. */
export const hasBwrap: boolean = existsSync(BWRAP) || process.env['CI'] !== undefined;
export const isRoot: boolean = process.getuid?.() === 0;
/** Sandboxes are never root: a user id without a name will do. */
export const OWNER: { readonly uid: number; readonly gid: number } = { uid: 65_534, gid: 65_534 };

export interface RanInside {
  readonly status: number | null;
  readonly signal: string | null;
  /** Standard output and error. */
  readonly out: string;
}

/** Runs a program in a network namespace of its own, with nothing but the folder of the proxy's socket to get out. */
export async function runInside(
  session: EgressSession,
  argv: readonly [string, ...string[]],
  more: { readonly env?: Record<string, string>; readonly shown?: readonly string[] } = {},
): Promise<RanInside> {
  const bind = (path: string): string[] => ['--ro-bind', path, path];
  const link = (name: string): string[] => ['--symlink', `usr/${name}`, `/${name}`];
  const bwrap = [
    ...['--unshare-all', '--unshare-user', '--die-with-parent', '--new-session', ...bind('/usr')],
    ...['--ro-bind-try', '/etc/alternatives', '/etc/alternatives', '--ro-bind-try', '/etc/ssl', '/etc/ssl'],
    ...[...link('bin'), ...link('lib'), ...link('lib64'), '--proc', '/proc', '--dev', '/dev'],
    ...['--tmpfs', '/tmp', '--tmpfs', '/home', '--setenv', 'HOME', '/home', '--chdir', '/home'],
    ...[session.folder, ...session.runtime, ...(more.shown ?? [])].flatMap(bind),
    ...['--', ...session.wrap(argv)],
  ];
  const dropped = ['setpriv', '--reuid', String(OWNER.uid), '--regid', String(OWNER.gid), '--clear-groups'];
  const [program = '', ...rest] = [...(isRoot ? dropped : []), BWRAP, ...bwrap];
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', ...session.env, ...more.env };
  const child = spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      out += String(chunk);
    });
  }
  const [status, signal] = await once(child, 'close');
  return { status, signal, out };
}
