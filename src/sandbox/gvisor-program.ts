import { execFile } from 'node:child_process';
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import { escapeForTerminal, quoteForMessage } from '../core/index.ts';
import { PERL } from './gvisor-launcher.ts';
import { setIdFilter } from './gvisor-seccomp.ts';
import type { SandboxOptions } from './parts.ts';
import { realProgram, systemProgram } from './system-program.ts';

/** A `runsc` that can be used, and what it was asked for. */
export interface Runsc {
  readonly path: string;
  /** Its release, such as `20240729.0`. */
  readonly version: string;
  /** The `setpriv` that makes it die with us. */
  readonly setpriv: string;
  /** Flags of every call of it, besides the folder of its state. */
  readonly flags: readonly string[];
}

const ASK_MS = 10_000;
const MOST_OUTPUT = 1_048_576;
/** What `runsc` itself is started with: nothing of ours. */
export const RUNSC_ENV: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
});

/**
 * Each flag with its value, whether or not it is the default of this build. `needed`: a build without it is too old to be held.
 * Never kvm: it hangs where /dev/kvm is there without the processor's help. Everything written goes where the mount says, so
 * there is no overlay. Descriptors of the host and of other sandboxes are not opened: no sockets, no pipes.
 */
const FLAGS: readonly { readonly name: string; readonly value: string; readonly needed: boolean }[] = [
  { name: 'platform', value: 'systrap', needed: true },
  { name: 'network', value: 'none', needed: true },
  { name: 'oci-seccomp', value: 'true', needed: true },
  { name: 'ignore-cgroups', value: 'true', needed: true },
  { name: 'overlay2', value: 'none', needed: true },
  { name: 'host-fifo', value: 'none', needed: true },
  // With it the kernel of gVisor truncates a file on the host before it refuses to open it below a read-only mount.
  { name: 'directfs', value: 'false', needed: false },
  { name: 'file-access', value: 'exclusive', needed: true },
  { name: 'file-access-mounts', value: 'shared', needed: true },
  { name: 'allow-flag-override', value: 'false', needed: false },
  { name: 'allow-suid', value: 'false', needed: false },
  { name: 'net-raw', value: 'false', needed: false },
  { name: 'cgroupfs', value: 'false', needed: false },
  { name: 'debug', value: 'false', needed: false },
  { name: 'strace', value: 'false', needed: false },
];
const ASKED_LATER = ['host-uds', 'rootless', 'root'];

/** Finds `runsc` and what it needs here. An array: why it cannot be used, a sentence each. */
export async function findRunsc(options: SandboxOptions, isRoot: boolean): Promise<Runsc | readonly string[]> {
  const given = options.runscPath;
  const path = given === undefined ? systemProgram('runsc') : isAbsolute(given) ? realProgram(given) : null;
  if (path === null && given !== undefined) return [`${quoteForMessage(given)} is not a program`];
  if (path === null) return ["runsc is not installed in a folder of the system, where it is root's alone"];
  const setpriv = systemProgram('setpriv');
  const missing = [
    ...(process.platform === 'linux' ? [] : ['gVisor runs on Linux only']),
    ...(setpriv === null
      ? ['setpriv (util-linux) is not installed: nothing would end a sandbox when we are killed']
      : []),
    ...(setIdFilter(process.arch) === null ? [`there is no filter for machines of the kind ${process.arch}`] : []),
    ...(realProgram(PERL) !== null ? [] : [`${PERL} is not installed: it starts the program inside`]),
  ];
  if (setpriv === null || missing.length > 0) return missing;
  const [version, known, dies] = await Promise.all([
    ask(path, ['--version']),
    ask(path, ['flags']),
    ask(setpriv, ['--pdeathsig', 'KILL', '--', setpriv, '--version']),
  ]);
  if (dies === null) return ['this setpriv does not know --pdeathsig: nothing would end a sandbox when we are killed'];
  return readRunsc({ path, setpriv, isRoot }, version ?? '', known ?? '', options.minRunscVersion);
}

function readRunsc(
  found: { readonly path: string; readonly setpriv: string; readonly isRoot: boolean },
  versionText: string,
  flagsText: string,
  oldest: string | undefined,
): Runsc | readonly string[] {
  // `release-20240729.0` as gVisor's own builds say it, `0.0~20240729.0` as Debian's do.
  const version = /^runsc version \S*?(\d{8}(?:\.\d+)?)\S*$/m.exec(versionText)?.[1];
  if (version === undefined) {
    return [
      `it does not tell its version as runsc does: ${quoteForMessage(escapeForTerminal(versionText.slice(0, 80)))}`,
    ];
  }
  if (oldest !== undefined && !isAtLeast(version, oldest)) return [`runsc ${version} is older than ${oldest}`];
  const known = new Set([...flagsText.matchAll(/^ {2}-([a-z0-9_-]+)/gim)].map(([, name = '']) => name));
  const lacking = [...FLAGS.filter(({ needed }) => needed).map(({ name }) => name), ...ASKED_LATER].filter(
    (name) => !known.has(name),
  );
  if (lacking.length > 0) return [`runsc ${version} has no --${lacking.join(', --')}: it is too old`];
  const flags = FLAGS.filter(({ name }) => known.has(name)).map(({ name, value }) => `--${name}=${value}`);
  return { path: found.path, setpriv: found.setpriv, version, flags: [...flags, `--rootless=${!found.isRoot}`] };
}

/** Compares the dates of two releases, then what follows. */
function isAtLeast(version: string, oldest: string): boolean {
  const parts = (text: string): readonly number[] =>
    (/\d{8}(?:\.\d+)?/.exec(text)?.[0] ?? '99999999').split('.').map(Number);
  const [[date = 0, minor = 0], [oldestDate = 0, oldestMinor = 0]] = [parts(version), parts(oldest)];
  return date > oldestDate || (date === oldestDate && minor >= oldestMinor);
}

const run = promisify(execFile);

/** What a program prints to either stream; null when it cannot be asked or fails. */
async function ask(program: string, args: readonly string[]): Promise<string | null> {
  try {
    const { stdout, stderr } = await run(program, [...args], {
      ...{ env: RUNSC_ENV, timeout: ASK_MS, killSignal: 'SIGKILL', maxBuffer: MOST_OUTPUT },
    });
    return `${stdout}${stderr}`;
  } catch {
    // It does not answer as it should: then it is not what we look for.
    return null;
  }
}
