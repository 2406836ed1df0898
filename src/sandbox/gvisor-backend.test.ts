import { existsSync, lstatSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { collect, type GvisorStand, LIMITS, needGvisor, openGvisorStand, SKIPPED } from '../../test/support/gvisor.ts';
import { until } from '../../test/support/sandbox-contract.ts';

let stand: GvisorStand;
beforeAll(async () => {
  stand = await openGvisorStand();
});
afterAll(() => stand.close());

/** Processes of the machine whose command line has a word in it. */
const processesWith = (word: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      // It ended while we looked.
      return false;
    }
  });

/** The containers for one command each that are in a warm sandbox. */
const spares = (): readonly string[] =>
  processesWith(`${stand.base}/`).filter((pid) => processesWith('/box-').includes(pid));

/** Runs a command of an owner, and waits until a warm sandbox has a container for the next one. */
async function warmUp(owner: string, profile = stand.profile()): Promise<void> {
  await stand.run('true', { owner, profile });
  await until(() => spares().length > 0);
}

describe(`a program in gVisor ${SKIPPED}`, () => {
  needGvisor('sees a kernel that is not this machine’s, and the report says what was proven', async () => {
    const { out } = await stand.run('uname -r; cat /proc/version; dmesg | head -1');
    expect(out).not.toContain(release());
    expect(out).toContain('Starting gVisor');
    const report = await stand.backend.report();
    expect(report).toMatchObject({ level: 'gvisor', available: true, reasons: [], probe: { leaked: [] } });
    expect(report.backend).toMatch(/^runsc \d{8}/);
  });

  needGvisor('has its words, its name, its environment and its folder exactly', async () => {
    const argv = ['/bin/sh', '-c', 'printf "%s|" "$0" "$@"; pwd; env | sort', 'näme', '', 'a b', 'c\'\n"$d'] as const;
    const command = {
      argv,
      argv0: 'other',
      env: { A: 'é\n=1', 'x.y/z': '1' },
      cwd: stand.work,
      stdin: 'none',
    } as const;
    const { out } = await collect(await stand.backend.start(stand.profile(), command, { owner: null }));
    expect(out).toContain(`näme||a b|c'\n"$d|${stand.work}\n`);
    const named = {
      ...command,
      argv: ['/usr/bin/perl', '-e', 'print join "|", map { "$_=$ENV{$_}" } sort keys %ENV'],
    } as const;
    const { out: env } = await collect(await stand.backend.start(stand.profile(), named, { owner: null }));
    expect(env).toBe('A=é\n=1|HOME=/home/agent|PATH=/usr/local/bin:/usr/bin:/bin|TMPDIR=/tmp|x.y/z=1');
  });

  needGvisor('reads its input and ends as it ends', async () => {
    expect(await stand.run('cat; exit 3', { input: 'äöü\n' })).toMatchObject({ out: 'äöü\n', status: 3, signal: null });
    expect(await stand.run('cat', {})).toMatchObject({ out: '', status: 0 });
    expect(await stand.run('kill -TERM $$')).toMatchObject({ status: null, signal: 'SIGTERM', killedBy: null });
    expect(await stand.run('exit 128')).toMatchObject({ status: 128, signal: null });
  });

  needGvisor('is refused when its program or folder is not there, and nothing is left', async () => {
    const start = (program: string, cwd: string): Promise<unknown> =>
      stand.backend.start(stand.profile(), { argv: [program], env: {}, cwd, stdin: 'none' }, { owner: null });
    await expect(start('no-such-program', stand.work)).rejects.toMatchObject({ code: 'PROGRAM_UNAVAILABLE' });
    await expect(start('true', '/no/such/folder')).rejects.toMatchObject({ code: 'SANDBOX_FAILED' });
  });

  needGvisor('cannot open, change, move or replace what is covered', async () => {
    const folder = stand.folder('config');
    const hidden = stand.put('config/.env', 'SECRET=1');
    const fixed = stand.put('fixed.txt', 'as it is');
    const reserved = join(stand.work, '.mcp.json');
    const profile = stand.profile({
      covers: [
        { path: hidden, kind: 'hidden' },
        { path: fixed, kind: 'read-only' },
      ],
      reserved: [reserved],
    });
    const tries = [
      ...['cat config/.env', 'echo x > config/.env', 'rm -f config/.env', 'mv config/.env e', 'chmod 644 config/.env'],
      ...['mv config config2', 'ln config/.env e', 'echo x >> fixed.txt', 'mv fixed.txt f', 'echo x > .mcp.json'],
      ...['rmdir .mcp.json', 'mv .mcp.json m', 'touch .mcp.json/x', 'ls .mcp.json', 'rm -rf config'],
    ];
    const script = `${tries.map((line, index) => `(${line}) 2>/dev/null && echo through ${index}`).join('\n')}\ncat fixed.txt`;
    const { out } = await stand.run(script, { profile });
    expect(out).toBe('as it is');
    expect([readFileSync(hidden, 'utf8'), existsSync(reserved), readdirSync(folder)]).toEqual([
      'SECRET=1',
      false,
      ['.env'],
    ]);
    rmSync(folder, { recursive: true });
    rmSync(fixed);
  });

  needGvisor('leaves no set-user-id bit on the host', async () => {
    const bits = ['chmod 4755 s', 'chmod u+s s', 'chmod 2755 s', 'perl -e \'chmod 06777, "s"\'', 'install -m 4755 s t'];
    await stand.run(
      `touch s; ${bits.join('; ')}; perl -e 'use Fcntl; sysopen(F,"u",O_CREAT|O_RDWR,06755); mkdir "v", 06777'`,
    );
    for (const name of readdirSync(stand.work)) expect(lstatSync(join(stand.work, name)).mode & 0o6000).toBe(0);
  });

  needGvisor('is held to each limit', async () => {
    const limited = (change: Partial<typeof LIMITS>) => ({
      profile: stand.profile({ limits: { ...LIMITS, ...change } }),
    });
    expect(await stand.run('sleep 100', limited({ wallMs: 300 }))).toMatchObject({ killedBy: 'timeout' });
    expect(await stand.run('yes', limited({ outputBytes: 100_000 }))).toMatchObject({ killedBy: 'output' });
    const hoard = `perl -e '$x = "a" x 400_000_000; sleep 20'`;
    expect(await stand.run(hoard, limited({ memoryBytes: 100_000_000 }))).toMatchObject({ killedBy: 'memory' });
    const large = await stand.run('head -c 3000000 /dev/zero > large; echo $?', limited({ fileBytes: 1_000_000 }));
    expect(large.out).not.toBe('0\n');
    expect(lstatSync(join(stand.work, 'large')).size).toBeLessThanOrEqual(1_000_000);
    const forks = await stand.run(
      'i=0; while [ $i -lt 60 ]; do sleep 9 & i=$((i+1)); done',
      limited({ processes: 30 }),
    );
    expect(forks.err).toContain('fork');
    const temporary = await stand.run(
      'head -c 9000000 /dev/zero > /tmp/x || echo full',
      limited({ diskBytes: 1_000_000 }),
    );
    expect(temporary.out).toBe('full\n');
  });

  needGvisor('leaves no System V memory to the next one', async () => {
    const line = `perl -e 'print defined(shmget(1, 4096, 01600)) ? "made" : "refused: $!"'`;
    expect((await stand.run(line)).out).toBe('refused: Operation not permitted');
  });

  needGvisor('is ended by stop, by its signal and by close', async () => {
    const start = (script: string, signal?: AbortSignal) =>
      stand.backend.start(
        stand.profile(),
        { argv: ['/bin/sh', '-c', script], env: {}, cwd: stand.work, stdin: 'none' },
        { owner: null, ...(signal === undefined ? {} : { signal }) },
      );
    const polite = await start('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done');
    await new Promise((resolve) => polite.stdout.once('readable', resolve));
    await polite.stop(5_000);
    expect(await collect(polite)).toMatchObject({ out: 'up\nbye\n', status: 0, killedBy: 'stopped' });
    const stubborn = await start('trap "" TERM; while :; do sleep 1; done');
    await stubborn.stop(200);
    expect(await stubborn.ended).toMatchObject({ killedBy: 'stopped' });
    const controller = new AbortController();
    const aborted = await start('sleep 100', controller.signal);
    controller.abort();
    expect(await aborted.ended).toMatchObject({ killedBy: 'stopped' });
  });
});

describe(`a warm sandbox ${SKIPPED}`, () => {
  needGvisor('gives each command its own processes, temporary files and home, and keeps nothing of it', async () => {
    await warmUp('warm-owner');
    const left =
      '(setsid sh -c "sleep 1000 & exec sleep 1001" &); echo x > /tmp/left; echo x > ~/left; echo x > /dev/shm/left';
    await stand.run(`${left}; echo done`, { owner: 'warm-owner' });
    const { out } = await stand.run(
      'ls /tmp ~ /dev/shm; ps ax | grep -c "[s]leep 100"; cat /proc/*/cmdline | tr "\\0" " "',
      {
        owner: 'warm-owner',
      },
    );
    expect(out).not.toContain('left');
    expect(out).not.toContain('sleep 1000');
    await stand.backend.release('warm-owner');
    expect(processesWith(`${stand.base}/`)).toEqual([]);
  });

  needGvisor('ends what it runs when its owner is released', async () => {
    await warmUp('released');
    const argv = ['/bin/sleep', '1000'] as const;
    const running = await stand.backend.start(
      stand.profile(),
      { argv, env: {}, cwd: stand.work, stdin: 'none' },
      { owner: 'released' },
    );
    await stand.backend.release('released');
    const end = await running.ended;
    // Not its own limit of time.
    expect(end.killedBy).toBe(null);
    expect(end.status).not.toBe(0);
    expect(processesWith(`${stand.base}/`)).toEqual([]);
  });

  needGvisor('shows nothing of a path that was replaced since', async () => {
    const hidden = stand.put('key', 'SECRET');
    const profile = stand.profile({ covers: [{ path: hidden, kind: 'hidden' }] });
    await warmUp('replaced', profile);
    stand.put('key.new', 'NEW SECRET');
    renameSync(join(stand.work, 'key.new'), hidden);
    const { out, err } = await stand.run('cat key', { owner: 'replaced', profile });
    expect(out).toBe('');
    expect(err).toContain('Permission denied');
    await stand.backend.release(null);
  });
});

describe(`the gVisor backend ${SKIPPED}`, () => {
  needGvisor('leaves neither processes nor files, also of many starts at once', async () => {
    const runs = Array.from({ length: 12 }, (_, index) => stand.run(`echo ${index}`));
    expect((await Promise.all(runs)).map(({ out }) => out.trim())).toEqual(runs.map((_, index) => String(index)));
    expect(processesWith(`${stand.base}/`)).toEqual([]);
  });
});
