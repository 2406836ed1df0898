import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CallResult, type Gate, openGate } from '../../src/gate/index.ts';
import { openSandboxes, type Sandboxes } from '../../src/sandbox/index.ts';
import { shell } from '../../src/tools/index.ts';
import { isHere, runAs, SANDBOX, whyNot } from '../support/levels.ts';
import { anyProcessWith } from '../support/sandbox-contract.ts';
import { runtimeFolders, sandboxTraces } from '../support/sandbox-traces.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const LEVELS = ['bubblewrap', 'gvisor'] as const;
type Level = (typeof LEVELS)[number];
const isRoot = process.getuid?.() === 0;

let workspace: Workspace;
let gate: Gate | null = null;
beforeEach(() => {
  workspace = makeWorkspace('version: 1', { 'out/.keep': '', '.env': 'SECRET' });
  for (const folder of [workspace.base, workspace.root]) chmodSync(folder, 0o755);
  if (runAs !== null) chownSync(join(workspace.root, 'out'), runAs.uid, runAs.gid);
});
afterEach(async () => {
  await close();
  workspace.remove();
});

const policyOf = (level: Level): string =>
  JSON.stringify({
    version: 1,
    sandbox: SANDBOX,
    tools: {
      file_read: { allowedPaths: ['.'], deniedPaths: ['.env'] },
      file_write: { allowedPaths: ['out/'] },
      shell: {
        allowedCommands: ['bash', 'echo', 'sleep', 'head', 'true'],
        isolation: level,
        limits: { timeout: '120s' },
      },
    },
  });

async function open(level: Level, sandboxes?: Sandboxes): Promise<void> {
  workspace.write({ 'sallyport.yaml': policyOf(level) });
  const { policyFile: policy, state } = workspace;
  gate = await openGate({ policy, state, tools: [shell()], ...(sandboxes === undefined ? {} : { sandboxes }) });
}

async function close(): Promise<void> {
  await gate?.close();
  gate = null;
}

const run = (command: string): Promise<CallResult> => {
  if (gate === null) throw new Error('there is no gate');
  return gate.call('shell', { command });
};

const list = (folder: string): readonly string[] => readdirSync(folder, { recursive: true }).map(String);

/** Everything in the workspace, however deep. */
const files = (): readonly string[] => list(workspace.root).toSorted();

/** The files that commands wrote, each named by a number. */
const written = (): readonly string[] => files().filter((path) => /^out\/\d+$/.test(path));

/** Mounts of the machine that show something of the workspace, or lie in a runtime folder of a process. */
const mountsOf = (pid: number): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(workspace.root) || line.includes(`/p-${pid}-`));

/** All that the sandboxes of a process could leave; `runsc` is started with its folder among its words, which has its state, too. */
const leftBy = (pid: number): readonly string[] => [
  ...[...sandboxTraces(pid), ...runtimeFolders(pid), ...mountsOf(pid)],
  ...(anyProcessWith(`/p-${pid}-`) ? ['a process of a sandbox'] : []),
];

describe('calls at once', () => {
  test.for(LEVELS)(
    'many through one gate at %s all end with their own result, and leave nothing',
    async (level, { skip }) => {
      skip(!isHere(level), whyNot(level));
      await open(level);
      const before = files();
      // A hundred at gVisor take some 20 s of both cores.
      const length = level === 'gvisor' ? 60 : 100;
      const results = await Promise.all(Array.from({ length }, (_, index) => run(`echo number-${index}-of-them`)));
      const wrong = results.filter(
        ({ kind, text }, index) => kind !== 'delivered' || !text.includes(`number-${index}-of-them`),
      );
      expect(wrong).toEqual([]);
      await close();
      expect(files()).toEqual(before);
      expect(leftBy(process.pid)).toEqual([]);
    },
  );

  test.for(LEVELS)('end when the gate is closed, also those at %s that wait to start', async (level, { skip }) => {
    skip(!isHere(level), whyNot(level));
    await open(level);
    expect((await run('true')).kind).toBe('delivered');
    const before = files();
    // More than what starts at once there: a sandbox of gVisor is the work of a third of a second.
    const length = level === 'gvisor' ? 40 : 100;
    const results = Array.from({ length }, (_, index) => run(`bash -c "echo > out/${index}; sleep 9714.25"`));
    await until(() => written().length > 3);
    await close();
    const ends = (await Promise.all(results)).map((one) => (one.kind === 'delivered' ? one.text : one.code));
    expect(ends.filter((end) => !/^(TOOL_CANCELLED|\nEnded by SIG(KILL|TERM)\.)$/.test(end))).toEqual([]);
    expect(ends).toContain('TOOL_CANCELLED');
    expect(anyProcessWith('9714.25')).toBe(false);
    expect(leftBy(process.pid)).toEqual([]);
    expect(files().filter((path) => !written().includes(path))).toEqual(before);
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let look = 0; look < 600 && !holds(); look += 1) await delay(50);
  expect(holds()).toBe(true);
}

describe('a gate that is killed while twenty commands run', () => {
  const COUNT = 20;
  function start(level: Level): ChildProcess {
    workspace.write({ 'sallyport.yaml': policyOf(level) });
    const plan = { policy: workspace.policyFile, state: workspace.state, count: COUNT };
    const script = new URL('./sandbox-chaos.mjs', import.meta.url).pathname;
    return spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['ignore', 'inherit', 'inherit'] });
  }

  test.for(LEVELS)('at %s takes every process with it, and the next one removes the rest', async (level, { skip }) => {
    skip(!isHere(level), whyNot(level));
    const before = files();
    const child = start(level);
    const { pid = 0 } = child;
    try {
      await until(() => written().length === COUNT);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    // At once: nothing runs, nothing is mounted. What is left is folders.
    await until(() => !anyProcessWith('9715.25') && !anyProcessWith(`/p-${pid}-`));
    expect(mountsOf(pid)).toEqual([]);
    expect(leftBy(pid)).not.toEqual([]);
    await open(level);
    expect(await run('echo after')).toMatchObject({ kind: 'delivered', text: expect.stringContaining('after') });
    expect(leftBy(pid)).toEqual([]);
    await close();
    expect(files().filter((path) => !written().includes(path))).toEqual(before);
  });
});

describe('a full disk', () => {
  const mounts: string[] = [];
  afterEach(() => {
    for (const path of mounts.splice(0)) expect(spawnSync('umount', ['-l', path]).status).toBe(0);
  });

  /** A folder that is a disk of its own, with this much room. */
  function mountSmall(path: string, kibibytes: number): void {
    mkdirSync(path, { recursive: true });
    const made = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k,mode=755`, 'tmpfs', path]);
    expect(made.status).toBe(0);
    mounts.push(path);
  }
  const fill = (path: string): void => {
    spawnSync('dd', ['if=/dev/zero', `of=${join(path, 'filler')}`, 'bs=1k'], { stdio: 'ignore' });
  };
  const COUNTED = [0, 1, 2, 3, 4];
  const skipReason = (level: Level): string => (isRoot ? whyNot(level) : ' (skipped: only root can mount)');

  test.for(LEVELS)('in the workspace is told to the command at %s, and later ones run', async (level, { skip }) => {
    skip(!isRoot || !isHere(level), skipReason(level));
    const out = join(workspace.root, 'out');
    mountSmall(out, 128);
    if (runAs !== null) chownSync(out, runAs.uid, runAs.gid);
    await open(level);
    workspace.write({ large: 'x'.repeat(1_000_000) });
    const first = await run('head -c 1000000 large > out/big');
    expect(first).toMatchObject({ kind: 'delivered', text: expect.stringContaining('No space left on device') });
    expect(await run('echo still')).toMatchObject({ kind: 'delivered', text: expect.stringContaining('still') });
    await close();
    expect(readdirSync(out)).toEqual(['big']);
    spawnSync('umount', [out]);
    mounts.length = 0;
    expect(leftBy(process.pid)).toEqual([]);
  });

  test.for(LEVELS)(
    'under the runtime folder fails calls at %s, and none once there is room',
    async (level, { skip }) => {
      skip(!isRoot || !isHere(level), skipReason(level));
      const base = join(workspace.base, 'runtime');
      const filler = join(base, 'filler');
      mountSmall(base, 2_048);
      const sandboxes = openSandboxes(SANDBOX, { runtime: { base } });
      try {
        await open(level, sandboxes);
        // Before the first sandbox, whose proof fails too, and then with all that is made only once.
        fill(base);
        expect(await run('echo never')).toMatchObject({
          code: 'ISOLATION_UNAVAILABLE',
          reason: expect.stringContaining('ENOSPC'),
        });
        rmSync(filler);
        expect(await run('true')).toMatchObject({ kind: 'delivered' });
        fill(base);
        const results = await Promise.all(COUNTED.map((name) => run(`bash -c "echo ran > out/${name}"`)));
        const failed = results.filter(({ kind }) => kind === 'failed');
        for (const one of failed)
          expect(one).toMatchObject({ code: 'SANDBOX_FAILED', reason: expect.stringContaining('ENOSPC') });
        // A container that was ready before, if there was one, has all that it needs.
        expect(failed.length).toBeGreaterThanOrEqual(COUNTED.length - 1);
        expect(written()).toHaveLength(COUNTED.length - failed.length);
        expect(list(base).filter((path) => path.includes('/notes/'))).toEqual([]);
        rmSync(filler);
        expect((await run('true')).text).toContain('Exit status 0.');
      } finally {
        await close();
        await sandboxes.close();
      }
      expect(list(base).filter((path) => path.includes(`p-${process.pid}`))).toEqual([]);
    },
  );
});
