import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  SANDBOX_HOME,
  type SandboxCommand,
  type SandboxEnd,
  type SandboxLimits,
  type SandboxProcess,
  type SandboxProfile,
  type StartOptions,
} from '../../src/sandbox/index.ts';

/** Whom sandboxes run as when the tests run as root. */
export const runAs: { readonly uid: number; readonly gid: number } | null =
  process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : null;

export const LIMITS: SandboxLimits = {
  ...{ wallMs: 60_000, memoryBytes: 1_073_741_824, processes: 128, fileBytes: 0 },
  ...{ openFiles: 256, outputBytes: 67_108_864, diskBytes: 268_435_456 },
};

type Start = (profile: SandboxProfile, command: SandboxCommand, options: StartOptions) => Promise<SandboxProcess>;

/** A backend as its users get it. `missing`: why it cannot be tried here; empty when it can. */
export interface OpenedLevel {
  readonly missing: string;
  readonly start: Start;
  /** What a sandbox may leave on the host, listed: the same before and after. */
  readonly traces: () => readonly string[];
  close(): Promise<void>;
}

export interface ContractTraits {
  /** `false` for the level none: nothing but time, output and the process group is held. */
  readonly isolates: boolean;
}

/** What a program printed, and how it ended. */
export interface Ran extends SandboxEnd {
  readonly out: string;
  readonly err: string;
}

/** A workspace that the user of the sandboxes owns. */
export function makeWorkspace(): string {
  const workspace = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-contract-')));
  chmodSync(workspace, 0o755);
  give(workspace);
  return workspace;
}

/** Hands a file or folder to the user whom sandboxes run as. */
export function give(path: string): void {
  if (runAs !== null) chownSync(path, runAs.uid, runAs.gid);
}

export function write(path: string, text: string): void {
  writeFileSync(path, text);
  give(path);
}

export function makeFolder(path: string): void {
  mkdirSync(path);
  give(path);
}

export const profileOf = (workspace: string, more: Partial<SandboxProfile> = {}): SandboxProfile => ({
  mounts: [{ path: workspace, access: 'write' }],
  ...{ covers: [], reserved: [], runtime: [], limits: LIMITS, egress: null },
  ...more,
});

export const shell = (workspace: string, line: string, more: Partial<SandboxCommand> = {}): SandboxCommand => ({
  argv: ['/bin/sh', '-c', line],
  ...{ env: { PATH: '/usr/bin:/bin' }, cwd: workspace, stdin: 'none' },
  ...more,
});

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

export async function finish(started: SandboxProcess): Promise<Ran> {
  const [out, err, end] = await Promise.all([textOf(started.stdout), textOf(started.stderr), started.ended]);
  return { ...end, out, err };
}

/** Waits until something holds, for at most ten seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 1_000 && !(await holds()); look += 1) await delay(10);
  expect(await holds()).toBe(true);
}

/** Whether any process of the machine has this word in its arguments. */
export const anyProcessWith = (word: string): boolean =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
      } catch {
        // It ended while we looked.
        return false;
      }
    });

/** What every level of isolation promises, with real programs. */
export function runSandboxContract(open: () => Promise<OpenedLevel>, traits: ContractTraits): void {
  let level: OpenedLevel;
  let workspace: string;
  let before: readonly string[];
  beforeAll(async () => {
    level = await open();
  });
  afterAll(() => level.close());
  beforeEach(() => {
    workspace = makeWorkspace();
    before = level.traces();
  });
  afterEach(() => {
    expect(level.traces()).toEqual(before);
    rmSync(workspace, { recursive: true, force: true });
  });

  const start = (
    line: string,
    profile: Partial<SandboxProfile> = {},
    command: Partial<SandboxCommand> = {},
    options: Partial<StartOptions> = {},
  ) => level.start(profileOf(workspace, profile), shell(workspace, line, command), { owner: null, ...options });
  const run = async (...parts: Parameters<typeof start>): Promise<Ran> => finish(await start(...parts));
  const limited = (limits: Partial<SandboxLimits>): Partial<SandboxProfile> => ({ limits: { ...LIMITS, ...limits } });

  describe('a program', () => {
    test.each([0, 1, 2, 42, 126, 255])('tells its exit status %i', async (status) => {
      expect(await run(`exit ${status}`)).toMatchObject({ status, signal: null, killedBy: null });
    });

    test('tells the signal that ended it', async () => {
      expect(await run('kill -TERM $$')).toMatchObject({ status: null, signal: 'SIGTERM', killedBy: null });
    });

    test('that is not there runs nothing', async () => {
      const outcome = await start('', {}, { argv: ['/usr/bin/no-such-program'] }).then(finish, (error) => error);
      expect(outcome.code === 'PROGRAM_UNAVAILABLE' || outcome.status === 127).toBe(true);
    });

    test('is looked up on PATH, gets its arguments as they are and the name it is to have', async () => {
      const ran = await run('', {}, { argv: ['printf', '%s|', 'two words', "it's", '$HOME', '-x', 'ünïcode', ''] });
      expect(ran).toMatchObject({ status: 0, out: "two words|it's|$HOME|-x|ünïcode||" });
      const named = await run('', {}, { argv: ['/bin/sh', '-c', 'echo $0; cat /proc/$$/cmdline'], argv0: 'other' });
      expect(named.out.split('\n')[1]?.startsWith('other\0')).toBe(true);
    });

    test('gets exactly the environment of the caller', async () => {
      process.env['SALLYPORT_TEST_CANARY'] = 'canary';
      const ran = await run(
        '',
        {},
        { argv: ['/usr/bin/env', '-0'], env: { PATH: '/usr/bin:/bin', A: 'x\ny', B: 'ü' } },
      );
      delete process.env['SALLYPORT_TEST_CANARY'];
      const names = ran.out.split('\0').map((line) => line.split('=')[0]);
      const set = ['HOME', 'TMPDIR', 'PWD', ''];
      expect(names.filter((name) => !set.includes(name ?? '')).sort()).toEqual(['A', 'B', 'PATH']);
      expect(ran.out).toContain('A=x\ny\0');
    });

    test('starts in its folder, and reads and writes it under any name', async () => {
      makeFolder(join(workspace, 'späte ordner'));
      const ran = await run(
        'pwd; echo hello > "naïve 文.txt"; cat "naïve 文.txt"',
        {},
        { cwd: join(workspace, 'späte ordner') },
      );
      expect(ran.out).toBe(`${join(workspace, 'späte ordner')}\nhello\n`);
      expect(readFileSync(join(workspace, 'späte ordner', 'naïve 文.txt'), 'utf8')).toBe('hello\n');
    });

    test('reads what the caller writes, to its end; without a pipe it reads the end at once', async () => {
      const started = await start('cat', {}, { stdin: 'pipe' });
      const text = 'x'.repeat(300_000);
      started.stdin?.end(text);
      expect((await finish(started)).out).toBe(text);
      const none = await start('cat; echo done');
      expect(none.stdin).toBeNull();
      expect((await finish(none)).out).toBe('done\n');
    });

    test('is slowed down by a reader that does not read', async () => {
      const started = await start(
        'i=0; while [ $i -lt 4000 ]; do printf "%1024s" x; echo $i > progress; i=$((i+1)); done',
      );
      await until(() => existsSync(join(workspace, 'progress')));
      await delay(1_000);
      const reached = Number(readFileSync(join(workspace, 'progress'), 'utf8'));
      expect(reached).toBeLessThan(3_999);
      expect((await finish(started)).out).toHaveLength(4_000 * 1_024);
    });

    test('leaves nothing behind in the background', async () => {
      const ran = await run('sleep 987.125 & echo started');
      expect(ran).toMatchObject({ status: 0, out: 'started\n' });
      expect(anyProcessWith('987.125')).toBe(false);
    });

    test('has pipes, a temporary folder and a home', async () => {
      const line = 'echo a | tr a b; f=$(mktemp) && echo t > $f && cat $f; cd && echo h > h && cat h && rm h';
      expect((await run(line)).out).toBe('b\nt\nh\n');
    });
  });

  describe('an end from outside', () => {
    test('at the limit of time kills the whole tree', async () => {
      const ran = await run('sleep 986.125 & sleep 986.25', limited({ wallMs: 1_500 }));
      expect(ran).toMatchObject({ killedBy: 'timeout' });
      expect(anyProcessWith('986.')).toBe(false);
    });

    test('at the limit of output kills it, and no byte more is delivered', async () => {
      const ran = await run('yes', limited({ outputBytes: 100_000 }));
      expect(ran).toMatchObject({ killedBy: 'output' });
      expect(ran.out).toHaveLength(100_000);
    });

    test('by stop asks first, and may be asked for twice', async () => {
      const started = await start('trap "echo asked; exit 7" TERM; echo ready; while :; do sleep 0.05; done');
      const ran = finish(started);
      await until(async () => existsSync(join(workspace, 'never')) || (await ready(started)));
      await Promise.all([started.stop(10_000), started.stop(10_000)]);
      expect(await ran).toMatchObject({ status: 7, killedBy: 'stopped' });
      await started.stop();
    });

    test('by stop kills what does not listen', async () => {
      const started = await start('trap "" TERM; echo ready; while :; do sleep 985.125; done');
      const ran = finish(started);
      // Not by its process: a kernel of the sandbox's own shows none to this machine.
      await until(() => ready(started));
      await started.stop(200);
      expect((await ran).killedBy).toBe('stopped');
      expect(anyProcessWith('985.125')).toBe(false);
    });

    test('by the signal of the caller, also before it began', async () => {
      const control = new AbortController();
      const started = await start('sleep 984.125', {}, {}, { signal: control.signal });
      control.abort();
      expect((await finish(started)).killedBy).toBe('stopped');
      await expect(start('touch ran', {}, {}, { signal: control.signal })).rejects.toThrow();
      expect(existsSync(join(workspace, 'ran'))).toBe(false);
    });
  });

  test('what cannot be started as it stands is refused before anything runs', async () => {
    await expect(start('', {}, { argv: ['/bin/sh', '-c', 'a\0b'] })).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
    await expect(start('', {}, { env: { 'A=B': '' } })).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  });

  test('many starts at once leave nothing behind', async () => {
    const all = Array.from({ length: traits.isolates ? 24 : 100 }, (_, index) =>
      run(`echo ${index}; exit ${index % 7}`),
    );
    const ends = await Promise.all(all);
    expect(ends.map(({ out, status }) => [out, status])).toEqual(ends.map((_, index) => [`${index}\n`, index % 7]));
  });

  if (traits.isolates) runIsolation({ start, run, limited, folder: () => workspace });
}

const ready = async (started: SandboxProcess): Promise<boolean> => {
  await delay(300);
  return started.pid > 0;
};

interface IsolationTools {
  start(line: string, profile?: Partial<SandboxProfile>, command?: Partial<SandboxCommand>): Promise<SandboxProcess>;
  run(line: string, profile?: Partial<SandboxProfile>, command?: Partial<SandboxCommand>): Promise<Ran>;
  limited(limits: Partial<SandboxLimits>): Partial<SandboxProfile>;
  folder(): string;
}

/** What only a level that isolates can promise. */
function runIsolation({ start, run, limited, folder }: IsolationTools): void {
  const at = (...names: string[]): string => join(folder(), ...names);

  describe('the view', () => {
    test('holds nothing of the machine but the runtime and the mounts', async () => {
      const ran = await run('ls /root /home /work /etc/shadow /var/lib 2>/dev/null; ls -A "$HOME" "$TMPDIR"; id -un');
      const own = folder().split('/')[2] ?? '';
      const lines = ran.out.split('\n').filter((line) => line !== '' && !line.endsWith(':'));
      expect(lines.filter((line) => line !== own && line !== 'agent')).toEqual([]);
    });

    test('of a read-only mount cannot be changed', async () => {
      write(at('file'), 'as it was');
      const line = 'cat file; echo x > file; rm file; touch other; mkdir d; chmod 777 file; mv file f; :';
      const ran = await run(line, { mounts: [{ path: folder(), access: 'read' }] });
      expect(ran.out).toBe('as it was');
      expect(readdirSync(folder())).toEqual(['file']);
      expect(readFileSync(at('file'), 'utf8')).toBe('as it was');
    });

    test('temporary folder and home are private, empty and gone afterwards', async () => {
      const first = await run('echo secret > "$TMPDIR/left"; echo secret > "$HOME/left"; echo $HOME $TMPDIR');
      expect(first.out).toBe(`${SANDBOX_HOME} /tmp\n`);
      expect((await run('ls -A "$HOME"; ls -A "$TMPDIR" | grep left; :')).out).toBe('');
    });
  });

  describe('covers', () => {
    const hidden = (): Partial<SandboxProfile> => ({
      covers: [
        { path: at('.env'), kind: 'hidden' },
        { path: at('deep', 'secrets'), kind: 'hidden' },
        { path: at('deep', 'hooks'), kind: 'read-only' },
      ],
    });
    const make = (): void => {
      write(at('.env'), 'TOP-SECRET');
      for (const name of ['deep', 'deep/secrets', 'deep/hooks']) makeFolder(at(name));
      write(at('deep', 'secrets', 'key'), 'TOP-SECRET');
      write(at('deep', 'hooks', 'pre-commit'), 'as it was');
    };

    test('what is hidden is there, and cannot be opened, written or listed', async () => {
      make();
      const attempts = [
        'cat .env',
        'echo x > .env',
        'echo x >> .env',
        'ls deep/secrets',
        'cat deep/secrets/key',
        'touch deep/secrets/new',
        'cp -r . /tmp/copy',
        'rm -f .env',
        'mv .env e',
        'ln .env e',
        'chmod 777 .env',
        'chmod 777 deep/secrets',
        ': > deep/secrets',
      ];
      const ran = await run(
        `${attempts.map((attempt) => `(${attempt}) && echo "THROUGH: ${attempt}"`).join('; ')}; test -e .env && echo there; grep -r TOP-SECRET . /tmp; :`,
        hidden(),
      );
      expect(ran.out).toBe('there\n');
      expect(ran.err).toMatch(/Permission denied|Operation not permitted/);
      expect(readFileSync(at('.env'), 'utf8')).toBe('TOP-SECRET');
      expect(readdirSync(at('deep', 'secrets'))).toEqual(['key']);
    });

    test('what is read-only can be read and not changed, nor moved away with its folder', async () => {
      make();
      const attempts = [
        'echo x > deep/hooks/pre-commit',
        'touch deep/hooks/new',
        'rm -rf deep/hooks',
        'mv deep/hooks h',
        'mv deep d',
        'rm -rf deep',
        'chmod 777 deep/hooks/pre-commit',
      ];
      const ran = await run(
        `cat deep/hooks/pre-commit; ${attempts.map((attempt) => `(${attempt}) 2>/dev/null && echo "THROUGH: ${attempt}"`).join('; ')}; :`,
        hidden(),
      );
      expect(ran.out).toBe('as it was');
      expect(readdirSync(at('deep')).sort()).toEqual(['hooks', 'secrets']);
      expect(readdirSync(at('deep', 'hooks'))).toEqual(['pre-commit']);
      expect(readFileSync(at('deep', 'hooks', 'pre-commit'), 'utf8')).toBe('as it was');
    });

    test('what is reserved cannot be made, by any way, and no trace of it stays', async () => {
      makeFolder(at('deep'));
      const reserved = [at('.mcp.json'), at('deep', '.mcp.json')];
      const attempts = [
        'echo x > .mcp.json',
        'mkdir .mcp.json',
        'rmdir .mcp.json',
        'ln -s /etc .mcp.json',
        'touch .mcp.json/x',
        'echo x > y; mv y .mcp.json',
        'mv .mcp.json z',
        'mv deep d',
        'ln -sfn /etc .mcp.json',
        'chmod 777 .mcp.json',
      ];
      const ran = await run(
        `${attempts.map((attempt) => `(${attempt}) 2>/dev/null && echo "THROUGH: ${attempt}"`).join('; ')}; rm -f y; :`,
        { reserved },
      );
      expect(ran.out).toBe('');
      expect(readdirSync(folder())).toEqual(['deep']);
      expect(readdirSync(at('deep'))).toEqual([]);
    });

    test('a reserved path stays reserved while another sandbox needs it', async () => {
      const reserved = { reserved: [at('.mcp.json')] };
      const long = await start('read x; touch .mcp.json/x; echo x > .mcp.json; :', reserved, { stdin: 'pipe' });
      expect((await run('touch .mcp.json/x; :', reserved)).status).toBe(0);
      long.stdin?.end('go\n');
      await finish(long);
      expect(readdirSync(folder())).toEqual([]);
    });

    test('a link, a missing path, a path that exists: a profile that is not true starts nothing', async () => {
      write(at('file'), '');
      const cases: Partial<SandboxProfile>[] = [
        { mounts: [{ path: at('missing'), access: 'read' }] },
        { mounts: [{ path: '/', access: 'read' }] },
        { mounts: [{ path: '/proc', access: 'read' }] },
        { mounts: [{ path: `${folder()}/../..`, access: 'read' }] },
        { covers: [{ path: at('missing'), kind: 'hidden' }] },
        { covers: [{ path: '/etc/passwd', kind: 'hidden' }] },
        { reserved: [at('file')] },
        { reserved: ['/etc/new'] },
        { runtime: ['relative'] },
      ];
      for (const profile of cases)
        await expect(start('touch ran', profile)).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
      expect(readdirSync(folder())).toEqual(['file']);
    });
  });

  describe('limits', () => {
    test('of memory', async () => {
      const line =
        'python3 -c "b = [bytearray(16 * 2**20) for _ in range(40)]; import time; time.sleep(30); print(len(b))"';
      const ran = await run(line, limited({ memoryBytes: 200 * 2 ** 20 }));
      expect(ran.out).toBe('');
      expect(ran.killedBy === 'memory' || ran.status !== 0).toBe(true);
    });

    test('of memory, also of a process whose first thread has ended', async () => {
      const grow = 'def grow(): time.sleep(0.3); kept = [bytearray(2**24) for _ in range(10)]; time.sleep(30)';
      const end = 'threading.Thread(target=grow).start(); ctypes.CDLL(None).pthread_exit(None)';
      const program = JSON.stringify(`import ctypes, threading, time\n${grow}\n${end}`);
      const ran = await run(
        `for i in 1 2 3; do python3 -c "exec(${program.replaceAll('"', "'")})" & done; sleep 20; echo survived`,
        limited({ memoryBytes: 200 * 2 ** 20 }),
      );
      expect(ran).toMatchObject({ killedBy: 'memory' });
    });

    test('of memory, in many processes', async () => {
      const child = 'import time; b = bytearray(60 * 2**20); time.sleep(30)';
      const ran = await run(
        `for i in 1 2 3 4 5 6; do python3 -c "${child}" & done; wait; echo survived`,
        limited({ memoryBytes: 200 * 2 ** 20 }),
      );
      expect(ran).toMatchObject({ killedBy: 'memory' });
    });

    test('of processes', async () => {
      const line = 'i=0; while [ $i -lt 100 ]; do sleep 5 & i=$((i+1)); done; echo all';
      const ran = await run(line, limited({ processes: 20, wallMs: 20_000 }));
      expect(ran.out).toBe('');
    });

    test('of the size of a file', async () => {
      await run('head -c 3000000 /dev/zero > big', limited({ fileBytes: 1_000_000 }));
      expect(readFileSync(at('big')).length).toBeLessThanOrEqual(1_000_000);
    });

    test('of open files', async () => {
      const line = 'python3 -c "f = [open(\'/dev/null\') for _ in range(200)]; print(len(f))"';
      expect((await run(line, limited({ openFiles: 64 }))).out).toBe('');
      expect((await run(line, limited({ openFiles: 256 }))).out).toBe('200\n');
    });

    test('of the private disk', async () => {
      const line = 'for f in "$TMPDIR" "$HOME"; do head -c 40000000 /dev/zero > $f/big && echo fits; done; :';
      expect((await run(line, limited({ diskBytes: 8 * 2 ** 20 }))).out).toBe('');
    });

    test('none of them, and the runtimes start', async () => {
      const none = {
        wallMs: 0,
        memoryBytes: 0,
        processes: 0,
        fileBytes: 0,
        openFiles: 0,
        outputBytes: 0,
        diskBytes: 0,
      };
      expect(
        (await run('python3 -c "print(1)"; node -e "console.log(2)"; git --version | cut -c1-3', limited(none))).out,
      ).toBe('1\n2\ngit\n');
      expect((await run('python3 -c "print(1)"; node -e "console.log(2)"')).out).toBe('1\n2\n');
    });
  });
}
