// The ways to start one command that bench/sandbox.mjs measures. Each opens once and then starts as often as it is asked to;
// one that cannot be had on this machine says why. A start is over when everything of it is gone.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync, realpathSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGate } from '../dist/index.js';
import { planCommand, planOptions } from '../dist/sandbox/bubblewrap-plan.js';
import { openSandboxes } from '../dist/sandbox/index.js';
import { mountPoints } from '../dist/sandbox/mount-points.js';
import { seccompFilter } from '../dist/sandbox/seccomp.js';
import { makeMasks, makeSystemParts } from '../dist/sandbox/system-parts.js';
import { shell } from '../dist/tools/index.js';

const isRoot = process.getuid() === 0;
/** Whom programs run as: nobody where we are root, else ourselves. */
export const USER = isRoot ? { uid: 65_534, gid: 65_534 } : { uid: process.getuid(), gid: process.getgid() };
const SETTINGS = isRoot ? { runAs: USER } : {};
const COMMAND_LINE = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const SANDBOX_RUNTIME = new URL('./node_modules/@anthropic-ai/sandbox-runtime/dist/', import.meta.url);
const NODE = realpathSync(process.execPath);
/** What is started: words for a program, a line for a shell tool, and what must be shown of the machine besides /usr. */
export const PROGRAMS = {
  true: { argv: ['/bin/true'], line: 'true', runtime: [] },
  'node zero.js': { argv: [NODE, 'zero.js'], line: 'node zero.js', runtime: NODE.startsWith('/usr/') ? [] : [NODE] },
};
const ENV = { PATH: '/usr/local/bin:/usr/bin:/bin' };
const LIMITS = {
  ...{ wallMs: 60_000, memoryBytes: 2_147_483_648, processes: 512, fileBytes: 1_073_741_824 },
  ...{ openFiles: 4_096, outputBytes: 67_108_864, diskBytes: 2_147_483_648 },
};
/** A door that nothing goes through here: what it costs is the proxy outside and the relay inside. */
const DOOR = {
  ...{ digest: 'bench', terminateTls: false, record: () => undefined, resolve: async () => [] },
  judge: async () => ({ allowed: false, rule: 'bench', reason: 'nothing is allowed' }),
  dial: async () => connect(9, '127.0.0.1'),
};

const profileOf = (work, { runtime }, egress = null) => ({
  ...{ mounts: [{ path: work, access: 'write' }], covers: [], reserved: [], runtime, limits: LIMITS, egress },
});

async function finish(child, said) {
  child.stdout?.resume();
  let complaint = '';
  child.stderr?.on('data', (chunk) => {
    complaint = (complaint + chunk).slice(0, 200);
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${said} ended with ${code}: ${complaint.replaceAll('\n', ' ')}`);
}

/** A child process of ours, as the user whom sandboxes run as. */
export function plain({ work }) {
  return {
    start: async ({ argv: [program, ...rest] }) =>
      finish(spawn(program, rest, { cwd: work, env: ENV, ...USER, stdio: ['ignore', 'pipe', 'pipe'] }), program),
  };
}

/** `bwrap` with the flags that our own level gives it: what nobody can be faster than. */
export function rawBubblewrap({ folder, work }) {
  const made = join(folder, 'raw');
  mkdirSync(made, { mode: 0o755 });
  const [system, masks, filter] = [makeSystemParts(made, USER), makeMasks(made), join(made, 'filter')];
  writeFileSync(filter, seccompFilter(process.arch));
  return {
    start: async (program) => {
      const profile = profileOf(work, program);
      const command = { argv: program.argv, env: ENV, cwd: work, stdin: 'none' };
      const points = mountPoints(profile, []);
      const options = planOptions({ profile, points, system, masks, proxyEnv: {} }, command);
      const limited = planCommand(command, LIMITS, (argv) => argv);
      const line = [
        '--seccomp',
        '3',
        ...ownOptions(options),
        '--',
        ...limited.slice(limited.indexOf('/usr/bin/prlimit')),
      ];
      const descriptor = openSync(filter, 'r');
      const stdio = ['ignore', 'pipe', 'pipe', descriptor];
      await finish(spawn('bwrap', line, { cwd: '/', env: ENV, ...USER, stdio }), 'bwrap').finally(() =>
        closeSync(descriptor),
      );
    },
  };
}

/** Without what only our own start talks over: descriptors for its status, its filter and its word to go. */
function ownOptions(options) {
  const dropped = new Map([
    ['--json-status-fd', 2],
    ['--seccomp', 2],
    ['--file', 3],
    ['--clearenv', 1],
  ]);
  const kept = [];
  for (let at = 0; at < options.length; at += dropped.get(options[at]) ?? 1) {
    if (!dropped.has(options[at])) kept.push(options[at]);
  }
  return [
    '--clearenv',
    ...kept.filter((word, at) => !(word === '--perms' && kept[at + 1] === '0444') && word !== '0444'),
  ];
}

/** One of our levels as a library. `owner`: of a warm sandbox, where the level has such; null: cold. */
export async function library({ work }, level, { owner = null, egress = null } = {}) {
  const sandboxes = openSandboxes(SETTINGS);
  const chosen = await sandboxes.choose([level]).catch(async (error) => {
    await sandboxes.close();
    throw error;
  });
  return {
    start: async (program) => {
      const command = { argv: program.argv, env: ENV, cwd: work, stdin: 'none' };
      const options = { owner: owner === null ? null : `${owner} ${program.line}` };
      const started = await sandboxes.start(chosen, profileOf(work, program, egress), command, options);
      started.stdout.resume();
      started.stderr.resume();
      const { status } = await started.ended;
      if (status !== 0) throw new Error(`${level} ended with ${status}`);
    },
    close: () => sandboxes.close(),
  };
}

export const DOORS = { none: null, relay: DOOR };

const policyOf = (level) => ({
  version: 1,
  sandbox: SETTINGS,
  tools: {
    file_read: { allowedPaths: ['.'] },
    file_write: { allowedPaths: ['out/'] },
    shell: { allowedCommands: ['true', 'node'], isolation: level },
  },
});

/** The shell tool of a gate: decision, profile compiled from the disk, three durable records. */
export async function throughGate({ folder, work }, level) {
  const gate = await openGate({
    policy: policyOf(level),
    root: work,
    state: join(folder, `state-${level}`),
    tools: [shell()],
  });
  return {
    start: async ({ line }) => {
      const { kind, text } = await gate.call('shell', { command: line });
      if (kind !== 'delivered' || !text.includes('Exit status 0.')) throw new Error(text);
    },
    close: () => gate.close(),
  };
}

/** `sallyport run`, a whole process each time. */
export function commandLine({ folder, work }, level) {
  const policy = join(folder, `${level}.yaml`);
  writeFileSync(policy, JSON.stringify({ ...policyOf(level), root: work }));
  const flags = ['run', '--policy', policy, '--state', join(folder, `run-${level}`), '--'];
  return {
    start: async ({ line }) =>
      finish(
        spawn(process.execPath, [COMMAND_LINE, ...flags, ...line.split(' ')], {
          cwd: work,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
        'sallyport run',
      ),
  };
}

const RUNTIME_CONFIG = (work) => ({
  network: { allowedDomains: [], deniedDomains: [] },
  filesystem: { denyRead: [], allowWrite: [work], denyWrite: [] },
});

/** @anthropic-ai/sandbox-runtime in this process: its proxies are opened once. It runs programs as whoever starts it, in `own`. */
export async function runtimeLibrary({ own: work }) {
  const { SandboxManager } = await import(new URL('index.js', SANDBOX_RUNTIME));
  await SandboxManager.initialize(RUNTIME_CONFIG(work));
  return {
    start: async ({ argv }) => {
      const line = await SandboxManager.wrapWithSandbox(argv.join(' '));
      await finish(spawn(line, { shell: true, cwd: work, stdio: ['ignore', 'pipe', 'pipe'] }), 'sandbox-runtime');
      SandboxManager.cleanupAfterCommand();
    },
    close: () => SandboxManager.reset(),
  };
}

/** Its command line, a whole process each time. */
export function runtimeCommandLine({ folder, own: work }) {
  const settings = join(folder, 'srt-settings.json');
  writeFileSync(settings, JSON.stringify(RUNTIME_CONFIG(work)));
  const program = fileURLToPath(new URL('cli.js', SANDBOX_RUNTIME));
  return {
    start: async ({ argv }) =>
      finish(
        spawn(process.execPath, [program, '--settings', settings, '--', ...argv], {
          cwd: work,
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
        'srt',
      ),
  };
}
