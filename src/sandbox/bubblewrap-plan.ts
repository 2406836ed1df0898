import type { SandboxCommand, SandboxLimits, SandboxProfile } from './contract.ts';
import { SANDBOX_HOME, SANDBOX_HOST, SANDBOX_TMP } from './inside.ts';
import type { MountPoint } from './mount-points.ts';

/**
 * Numbers of the descriptors that bubblewrap gets besides the three of the program; what it starts gets only `word`, a socket on which
 * it says that it waits and hears that it may go, and closes it.
 */
export const DESCRIPTORS: Readonly<Record<'args' | 'status' | 'word' | 'seccomp', number>> = Object.freeze({
  args: 3,
  status: 4,
  word: 5,
  seccomp: 6,
});

/** Things of the system that every sandbox shows, as they are on this machine. */
export interface SystemParts {
  /** Links in the root folder, such as `/bin` to `usr/bin`. */
  readonly links: readonly { readonly path: string; readonly target: string }[];
  /** Read-only folders and files: what is on the host, and where it stands inside. */
  readonly binds: readonly { readonly source: string; readonly path: string }[];
}

/** What stands behind the masks, on the host. */
export interface Masks {
  /** An empty file that nobody may open. */
  readonly file: string;
  /** An empty folder that nobody may open. */
  readonly folder: string;
}

export interface PlanParts {
  readonly profile: SandboxProfile;
  readonly points: readonly MountPoint[];
  readonly system: SystemParts;
  readonly masks: Masks;
  /** Variables of the proxy; empty without a network. */
  readonly proxyEnv: Readonly<Record<string, string>>;
}

/** The program inside that sets the limits of a process and becomes the command. */
const LIMITER = '/usr/bin/prlimit';
/** A link to the shell that is made last: a sandbox whose options were cut off has no program to start. */
const START = '/start';
/**
 * A constant program: it says that it is there, waits for our word and becomes what follows. INVARIANT: the end of the pipe is not the word: when we die, or
 * give up, while a sandbox is built, its program never starts. (`--block-fd` goes on at the end of the file.)
 */
const WAIT = `echo >&${DESCRIPTORS.word} && read -r go <&${DESCRIPTORS.word} && [ "$go" = go ] && exec ${DESCRIPTORS.word}<&- && exec "$@"`;

const NAMESPACES = ['--unshare-user', '--unshare-all', '--unshare-cgroup', '--disable-userns'];
const KEPT_OUT = ['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--hostname', SANDBOX_HOST];

/**
 * The options of bubblewrap for a sandbox: data, passed over a descriptor, so that no variable shows in a list of processes and none
 * of them acts on bubblewrap itself.
 */
export function planOptions(parts: PlanParts, command: SandboxCommand): readonly string[] {
  const { profile, points, masks } = parts;
  const descriptors = [...['--json-status-fd', String(DESCRIPTORS.status), '--seccomp', String(DESCRIPTORS.seccomp)]];
  const env = { ...command.env, HOME: SANDBOX_HOME, TMPDIR: SANDBOX_TMP, ...parts.proxyEnv };
  return [
    ...[...NAMESPACES, ...KEPT_OUT, ...descriptors],
    ...systemOptions(parts.system),
    ...privateFolders(profile.limits),
    ...points.flatMap((point) => pointOptions(point, masks)),
    // A shell that bubblewrap was started through may have added some.
    '--clearenv',
    ...Object.entries(env).flatMap(([name, value]) => ['--setenv', name, value]),
    ...['--symlink', '/bin/sh', START],
    ...['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', command.cwd],
  ];
}

function systemOptions({ links, binds }: SystemParts): readonly string[] {
  return [
    ...links.flatMap(({ path, target }) => ['--symlink', target, path]),
    ...binds.flatMap(({ source, path }) => ['--ro-bind', source, path]),
    ...['--proc', '/proc', '--ro-bind', '/proc/sys', '/proc/sys', '--dev', '/dev'],
    ...['--dir', '/run', '--dir', '/var', '--symlink', '../run', '/var/run'],
  ];
}

const OPEN_FOLDERS: readonly string[] = [SANDBOX_TMP, '/var/tmp', '/dev/shm'];

/** Private, empty, in memory, and the only places besides mounts that can be written to. */
export const PRIVATE_FOLDERS: readonly string[] = [...OPEN_FOLDERS, SANDBOX_HOME];

const privateFolders = ({ diskBytes }: SandboxLimits): readonly string[] => [
  ...OPEN_FOLDERS.flatMap((path) => ['--perms', '1777', ...sizeOf(diskBytes), '--tmpfs', path]),
  ...['--perms', '0700', ...sizeOf(diskBytes), '--tmpfs', SANDBOX_HOME],
];

const sizeOf = (bytes: number): readonly string[] => (bytes === 0 ? [] : ['--size', String(bytes)]);

function pointOptions({ path, kind }: MountPoint, masks: Masks): readonly string[] {
  switch (kind) {
    case 'write':
    case 'pin':
      return ['--bind', path, path];
    case 'read':
      return ['--ro-bind', path, path];
    case 'hidden-file':
      return ['--ro-bind', masks.file, path];
    case 'hidden-folder':
    case 'reserved':
      return ['--ro-bind', masks.folder, path];
  }
}

/** A constant program: what perl becomes is its first argument, under the name that is its second. */
const RENAMER = ['-e', 'my $program = shift; exec { $program } @ARGV; exit 127', '--'];

/** The command line that bubblewrap starts inside. `wrap`: the relay of the proxy around the command. */
export function planCommand(
  command: SandboxCommand,
  limits: SandboxLimits,
  wrap: (argv: readonly [string, ...string[]]) => readonly string[],
): readonly string[] {
  const [program, ...rest] = command.argv;
  const isRenamed = command.argv0 !== undefined && command.argv0 !== program;
  const named: readonly [string, ...string[]] = isRenamed
    ? ['/usr/bin/perl', ...RENAMER, program, command.argv0 ?? program, ...rest]
    : command.argv;
  return ['--', START, '-c', WAIT, 'sandbox', LIMITER, ...limitOptions(limits), '--', ...wrap(named)];
}

/**
 * Limits of each process. INVARIANT: the number of processes is set inside: the kernel counts it for each user namespace, and here
 * that is this sandbox alone. Memory is held by others; here it only bounds how fast one process can take it.
 */
function limitOptions(limits: SandboxLimits): readonly string[] {
  const { fileBytes, openFiles, processes, memoryBytes } = limits;
  return [
    '--core=0',
    ...(fileBytes === 0 ? [] : [`--fsize=${fileBytes}`]),
    ...(openFiles === 0 ? [] : [`--nofile=${openFiles}`]),
    // The first process of the sandbox, which collects the dead, counts too.
    ...(processes === 0 ? [] : [`--nproc=${processes + 1}`]),
    ...(memoryBytes === 0 ? [] : [`--data=${memoryBytes + DATA_SLACK_BYTES}`]),
  ];
}

/** What programs reserve and never touch, such as the stacks of threads, counts as data as well. */
const DATA_SLACK_BYTES = 268_435_456;
