import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { isSallyportError } from '../../src/core/index.ts';
import {
  type ChosenLevel,
  openSandboxes,
  type Sandboxes,
  type SandboxOptions,
  type SandboxProfile,
} from '../../src/sandbox/index.ts';
import { openRuntimeFolder } from '../../src/sandbox/runtime-folder.ts';
import {
  anyProcessWith,
  finish,
  give,
  LIMITS,
  makeFolder,
  makeWorkspace,
  profileOf,
  runAs,
  shell,
  until,
  write,
} from '../support/sandbox-contract.ts';
import { sandboxTraces } from '../support/sandbox-traces.ts';

const OPTIONS: SandboxOptions = runAs === null ? {} : { runAs };
const isRoot = process.getuid?.() === 0;

let sandboxes: Sandboxes;
let chosen: ChosenLevel;
let workspace: string;
beforeAll(async () => {
  sandboxes = openSandboxes(OPTIONS);
  chosen = await sandboxes.choose(['bubblewrap']);
});
afterAll(() => sandboxes.close());
beforeEach(() => {
  workspace = makeWorkspace();
});
afterEach(() => rmSync(workspace, { recursive: true, force: true }));

const start = (line: string, profile: Partial<SandboxProfile> = {}) =>
  sandboxes.start(chosen, profileOf(workspace, profile), shell(workspace, line), { owner: null });

/** What the refusal of the level bubblewrap says with other settings. */
async function reportWith(options: SandboxOptions) {
  const other = openSandboxes(options);
  const error = await other.choose(['bubblewrap']).catch((cause: unknown) => cause);
  await other.close();
  if (!isSallyportError(error)) throw new Error('it is available');
  expect(error.code).toBe('ISOLATION_UNAVAILABLE');
  const { levels } = error.detail as { levels: readonly { reasons: readonly string[]; remedy: string }[] };
  return levels[0];
}

/** A program that is not bubblewrap, under its name. */
function fake(script: string): SandboxOptions {
  const path = join(workspace, 'bwrap');
  writeFileSync(path, `#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.8.0 && exit 0\n${script}\n`, {
    mode: 0o755,
  });
  return { ...OPTIONS, bubblewrapPath: path };
}

describe('bubblewrap is not available', () => {
  test('when it is not there', async () => {
    const report = await reportWith({ ...OPTIONS, bubblewrapPath: join(workspace, 'bwrap') });
    expect(report).toMatchObject({ reasons: ['there is no program bwrap'] });
    expect(report?.remedy).toContain('install bubblewrap');
  });

  test('when it is too old, or tells no version', async () => {
    const path = join(workspace, 'bwrap');
    for (const [said, reason] of [
      ['bubblewrap 0.7.9', 'bubblewrap 0.7.9 is too old'],
      ['x', 'bwrap does not tell its version'],
    ] as const) {
      writeFileSync(path, `#!/bin/sh\necho "${said}"\n`, { mode: 0o755 });
      expect(await reportWith({ ...OPTIONS, bubblewrapPath: path })).toMatchObject({ reasons: [reason] });
    }
  });

  test.each([
    ['runs the program as it is', 'while [ "$1" != -- ]; do shift; done; shift; exec /bin/sh "$@"'],
    [
      'tells a process and lets the program go',
      'echo "{ \\"child-pid\\": $$ }" >&4; exec 4>&- 5>&-; while [ "$1" != -- ]; do shift; done; shift 2; exec /bin/sh "$@"',
    ],
    [
      'builds a sandbox that holds nothing',
      'cat <&3 >/dev/null; exec bwrap --json-status-fd 4 --bind / / --symlink /bin/sh /start "$@" 2>/dev/null',
    ],
  ])('when a program of its name %s', async (_, script) => {
    const report = await reportWith(fake(script));
    expect(report?.reasons.length).toBeGreaterThan(0);
  });

  test('where there are no user namespaces', async () => {
    const report = await reportWith(
      fake(`exec unshare -Ur sh -c 'echo 0 > /proc/sys/user/max_user_namespaces; exec bwrap "$@"' sh "$@"`),
    );
    expect(report?.reasons.join()).toMatch(/namespace|No space/);
    expect(report?.remedy).toContain('max_user_namespaces');
  });

  test.skipIf(!isRoot)(
    `to root, unless programs run as somebody else${isRoot ? '' : ' (SKIPPED: we are not root)'}`,
    async () => {
      for (const options of [{}, { runAs: { uid: 0, gid: 65534 } }, { runAs: { uid: 65534, gid: 0 } }]) {
        const report = await reportWith(options);
        expect(report?.remedy).toContain('runAs');
      }
    },
  );
});

describe('a parent that is killed', () => {
  let base: string;
  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-base-')));
    if (runAs !== null) give(base);
    spawnSync('chmod', ['755', base]);
    if (isRoot) spawnSync('chown', ['0:0', base]);
  });
  afterEach(() => rmSync(base, { recursive: true, force: true }));

  function parent(line: string, profile: Partial<SandboxProfile>): ChildProcess {
    const plan = { options: OPTIONS, profile: profileOf(workspace, profile), command: shell(workspace, line), base };
    const script = new URL('./sandbox-process.mjs', import.meta.url).pathname;
    return spawn(process.execPath, [script, JSON.stringify(plan)], { stdio: ['ignore', 'pipe', 'inherit'] });
  }

  async function said(child: ChildProcess, word: string): Promise<void> {
    let text = '';
    for await (const chunk of child.stdout ?? []) {
      text += String(chunk);
      if (text.includes(word)) return;
    }
    throw new Error(`it ended and said ${text}`);
  }

  test('takes everything with it, and the next process removes what it had to leave', async () => {
    const reserved = [join(workspace, '.mcp.json')];
    const child = parent('sleep 983.125 & sleep 983.25', { reserved });
    await said(child, 'started');
    await until(() => anyProcessWith('983.25'));
    child.kill('SIGKILL');
    await once(child, 'exit');
    await until(() => !anyProcessWith('983.'));
    expect(readdirSync(workspace)).toEqual(['.mcp.json']);
    const runtime = await openRuntimeFolder({ base });
    expect(readdirSync(workspace)).toEqual([]);
    expect(readdirSync(runtime.shared).sort()).toEqual([runtime.path.split('/').at(-1), 'placeholders'].sort());
    await runtime.close();
  });

  test('at any moment of a start leaves no program running', async () => {
    for (let round = 0; round < 8; round += 1) {
      const child = parent('echo ran >> ran; sleep 982.125', {});
      await said(child, 'chosen');
      await delay(round * 3);
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    // What stood half built when its parent died never ran anything, and the next process ends it.
    await (await openRuntimeFolder({ base })).close();
    await until(() => !anyProcessWith('982.125'));
  });
});

describe('a sandbox', () => {
  test('gets no descriptor that our parent left open', async () => {
    const secret = join(workspace, '..', `${workspace.split('/').at(-1)}-secret`);
    writeFileSync(secret, 'TOP-SECRET');
    const open = openSync(secret, 'r');
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-base-')));
    spawnSync('chmod', ['755', base]);
    const command = shell(
      workspace,
      'for n in 3 9 20 40; do cat /proc/self/fd/$n 2>/dev/null; readlink /proc/self/fd/$n; done; :',
    );
    const plan = { options: OPTIONS, profile: profileOf(workspace), command, base };
    const script = new URL('./sandbox-process.mjs', import.meta.url).pathname;
    const holes = (count: number): 'ignore'[] => Array.from({ length: count }, () => 'ignore');
    const { stdout } = spawnSync(process.execPath, [script, JSON.stringify(plan)], {
      stdio: ['ignore', 'pipe', 'inherit', ...holes(6), open, ...holes(10), open, ...holes(19), open],
      encoding: 'utf8',
    });
    closeSync(open);
    for (const path of [secret, base]) rmSync(path, { recursive: true });
    expect(stdout).toContain('started');
    expect(stdout).not.toContain('SECRET');
    expect(stdout).not.toContain('-secret');
  });

  test('that fills the disk is killed', async () => {
    const profile = { limits: { ...LIMITS, diskBytes: 67_108_864 } };
    const ran = await finish(await start('head -c 400000000 /dev/zero > big; sync big; sleep 20', profile));
    expect(ran.killedBy).toBe('disk');
  });

  test.skipIf(!isRoot)(
    `on a full disk fails and leaves nothing behind${isRoot ? '' : ' (SKIPPED: only root can mount)'}`,
    async () => {
      const small = join(workspace, 'small');
      mkdirSync(small);
      expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k,mode=777', 'tmpfs', small]).status).toBe(0);
      try {
        const line = `cd ${small}; head -c 1000000 /dev/zero > big || echo full`;
        const ran = await finish(
          await start(line, { mounts: [{ path: small, access: 'write' }] }).catch(() => start(line)),
        );
        expect(ran.out).toBe('full\n');
        expect(sandboxTraces()).toEqual([]);
        const reserved = { reserved: [join(small, '.mcp.json')] };
        expect((await finish(await start('true', reserved))).status).toBe(0);
      } finally {
        expect(spawnSync('umount', [small]).status).toBe(0);
      }
    },
  );

  test('ends when a cover is taken off from outside', async () => {
    write(join(workspace, '.env'), 'OLD-SECRET');
    write(join(workspace, 'new'), 'NEW-SECRET');
    const covers = [{ path: join(workspace, '.env'), kind: 'hidden' as const }];
    const started = await start('sleep 60; cat .env', { covers });
    renameSync(join(workspace, 'new'), join(workspace, '.env'));
    const ran = await finish(started);
    expect(ran).toMatchObject({ out: '', killedBy: 'stopped' });
  });

  test('that is built while its folders are swapped for links shows nothing else, or does not start', async () => {
    const outside = makeWorkspace();
    write(join(outside, '.env'), 'TOP-SECRET');
    makeFolder(join(workspace, 'a'));
    write(join(workspace, 'a', '.env'), 'TOP-SECRET');
    symlinkSync(outside, join(workspace, 'link'));
    const swapper = spawn('python3', ['-c', SWAP, workspace], { stdio: 'ignore' });
    const covers = [{ path: join(workspace, 'a', '.env'), kind: 'hidden' as const }];
    let through = 0;
    for (let round = 0; round < 40; round += 1) {
      const ran = await start('cat a/.env; echo x > a/planted; echo ran', { covers }).then(finish, (error) => error);
      if (ran.out !== undefined) through += Number(ran.out.includes('SECRET'));
      else expect(ran.code).toBe('SANDBOX_FAILED');
    }
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
    expect(through).toBe(0);
    expect(readdirSync(outside)).toEqual(['.env']);
    expect(readFileSync(join(outside, '.env'), 'utf8')).toBe('TOP-SECRET');
    rmSync(outside, { recursive: true });
  });

  test('a hundred starts at once leave nothing behind', async () => {
    const reserved = [join(workspace, '.mcp.json')];
    const all = Array.from({ length: 100 }, async (_, index) => finish(await start(`echo ${index}`, { reserved })));
    expect((await Promise.all(all)).map(({ out }) => out)).toEqual(all.map((_, index) => `${index}\n`));
    expect(readdirSync(workspace)).toEqual([]);
    expect(sandboxTraces()).toEqual([]);
    expect(existsSync(join(workspace, '.mcp.json'))).toBe(false);
  });
});

/** Exchanges the folder `a` and the link `link`, again and again, for at most a minute. */
const SWAP = `
import os, sys, time
os.chdir(sys.argv[1])
end = time.time() + 60
while time.time() < end:
    try:
        os.rename('a', 'b'); os.rename('link', 'a'); time.sleep(0.002)
        os.rename('a', 'link'); os.rename('b', 'a'); time.sleep(0.004)
    except OSError:
        time.sleep(0.001)
`;
