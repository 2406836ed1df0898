import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { SandboxBackend, SandboxProcess, SandboxProfile } from '../../src/sandbox/index.ts';
import { seccompFilter } from '../../src/sandbox/seccomp.ts';

type Start = SandboxBackend['start'];

const NO_LIMITS = {
  ...{ wallMs: 'none', memoryBytes: 'none', processes: 'none', fileBytes: 'none' },
  ...{ openFiles: 'none', outputBytes: 'none', diskBytes: 'none' },
};

/** bubblewrap leaves an empty file where it mounted over a path that did not exist. */
function removePlaceholders(profile: SandboxProfile): void {
  for (const path of profile.reserved) {
    if (existsSync(path) && statSync(path).size === 0) rmSync(path);
  }
}

/** A child process as the contract has it, held by nothing but a timer. */
function asSandbox(child: ChildProcess, profile: SandboxProfile): SandboxProcess {
  const timer = setTimeout(() => child.kill('SIGKILL'), profile.limits.wallMs);
  const ended = new Promise<{ status: number | null; signal: string | null; killedBy: null }>((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal, killedBy: null }));
    child.once('error', () => resolve({ status: 127, signal: null, killedBy: null }));
  }).finally(() => {
    clearTimeout(timer);
    removePlaceholders(profile);
  });
  const evidence = { backend: 'raw', profile: '', probe: null, limits: NO_LIMITS } as const;
  return {
    ...{ pid: child.pid ?? 0, stdin: child.stdin, ended },
    ...{ stdout: child.stdout ?? Readable.from([]), stderr: child.stderr ?? Readable.from([]) },
    evidence: { ...evidence, level: 'none', network: 'none' },
    stop: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Starts what `line` makes of the command, with a clean environment unless another is named. */
export function rawStart(
  line: (profile: SandboxProfile, argv: readonly string[]) => readonly string[],
  options: SpawnOptions = {},
): Start {
  return async (profile, command) => {
    const [program = 'false', ...rest] = line(profile, command.argv);
    const spawned = spawn(program, rest, {
      ...{ cwd: command.cwd, env: { ...command.env } },
      ...options,
      stdio: options.stdio ?? [command.stdin === 'pipe' ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    return asSandbox(spawned, profile);
  };
}

/** A bubblewrap line as a careful person would write it; tests take flags out of it and add others. */
export function bwrapLine(profile: SandboxProfile, extra: readonly string[] = []): readonly string[] {
  const mounts = profile.mounts.flatMap(({ path, access }) => [
    access === 'write' ? '--bind' : '--ro-bind',
    path,
    path,
  ]);
  const covers = profile.covers.flatMap(({ path, kind }) => coverFlags(path, kind === 'hidden'));
  const reserved = profile.reserved.flatMap((path) => ['--ro-bind', '/dev/null', path]);
  return [
    ...'bwrap --unshare-user --unshare-all --disable-userns --die-with-parent --new-session --cap-drop ALL'.split(' '),
    ...'--ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64'.split(' '),
    ...extra,
    ...'--proc /proc --ro-bind /proc/sys /proc/sys --dev /dev --tmpfs /tmp'.split(' '),
    ...profile.runtime.flatMap((path) => ['--ro-bind', path, path]),
    ...[...mounts, ...covers, ...reserved, '--remount-ro', '/'],
  ];
}

const coverFlags = (path: string, hidden: boolean): readonly string[] => {
  if (!hidden) return ['--ro-bind', path, path];
  return statSync(path).isDirectory() ? ['--tmpfs', path, '--remount-ro', path] : ['--ro-bind', '/dev/null', path];
};

/** The filter in a file, to be handed on as descriptor 3. */
export function withFilter<Value>(run: (open: () => number) => Promise<Value>): Promise<Value> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-filter-'));
  writeFileSync(join(folder, 'filter'), seccompFilter(process.arch));
  const opened: number[] = [];
  const open = (): number => {
    const descriptor = openSync(join(folder, 'filter'), 'r');
    opened.push(descriptor);
    return descriptor;
  };
  return run(open).finally(() => {
    for (const descriptor of opened) closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  });
}
