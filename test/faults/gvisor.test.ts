import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { openRuntimeFolder } from '../../src/sandbox/runtime-folder.ts';
import { needGvisor, openGvisorStand, SKIPPED } from '../support/gvisor.ts';

const removed: string[] = [];
const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  for (const path of removed.splice(0)) rmSync(path, { recursive: true, force: true });
});

const temporary = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'sallyport-fake-'));
  removed.push(path);
  return path;
};

/** A program that answers some questions of ours as it is told, and does with the others what `rest` says. */
function fakeRunsc(version: string, flags: string, rest: string): string {
  const path = join(temporary(), 'runsc');
  const lines = [
    '#!/bin/sh',
    `case "$*" in`,
    `--version) echo "${version}";;`,
    `flags) cat <<'END'`,
    flags,
    'END',
    ';;',
  ];
  writeFileSync(path, [...lines, `*) ${rest};;`, 'esac', ''].join('\n'));
  chmodSync(path, 0o755);
  return path;
}

const FLAGS = [
  ...['platform', 'network', 'oci-seccomp', 'ignore-cgroups', 'overlay2', 'host-fifo', 'file-access'],
  ...['file-access-mounts', 'host-uds', 'rootless', 'root'],
]
  .map((name) => `  -${name} value`)
  .join('\n');
const VERSION = 'runsc version release-20240729.0';

async function reportOf(options: Parameters<typeof openGvisorStand>[0]): Promise<readonly string[]> {
  const stand = await openGvisorStand(options);
  try {
    const report = await stand.backend.report();
    expect(report).toMatchObject({ level: 'gvisor', available: false });
    expect(report.remedy).not.toBe('');
    await expect(stand.run('echo ran > ran')).rejects.toMatchObject({ code: 'ISOLATION_UNAVAILABLE' });
    expect(existsSync(join(stand.work, 'ran'))).toBe(false);
    return report.reasons;
  } finally {
    await stand.close();
  }
}

describe('a runsc that cannot be trusted', () => {
  it('is refused when it is not there', async () => {
    expect(await reportOf({ runscPath: '/no/such/runsc' })).toEqual([expect.stringContaining('not a program')]);
  });

  it('is refused when it does not tell a version, and only the text is told', async () => {
    const path = fakeRunsc('\x1b[31mrunsc', FLAGS, 'exit 1');
    const [reason = ''] = await reportOf({ runscPath: path });
    expect(reason).not.toContain('\x1b');
  });

  it('is refused when it lacks a flag that holds something', async () => {
    const path = fakeRunsc(VERSION, FLAGS.replace('  -oci-seccomp value\n', ''), 'exit 1');
    expect(await reportOf({ runscPath: path })).toEqual([expect.stringContaining('--oci-seccomp')]);
  });

  it('is refused when it is older than the operator wants', async () => {
    const path = fakeRunsc(VERSION, FLAGS, 'exit 1');
    expect(await reportOf({ runscPath: path, minRunscVersion: '20250101' })).toEqual([
      expect.stringContaining('older'),
    ]);
  });

  it('is refused when it fails, or only runs what it is given on this machine’s kernel', async () => {
    const silent = fakeRunsc(VERSION, FLAGS, 'echo no >&2; exit 1');
    expect(await reportOf({ runscPath: silent })).toEqual([expect.stringContaining('did not start')]);
    const plain = fakeRunsc(VERSION, FLAGS, `exec /usr/bin/perl -e '${RUN_ON_HOST}' -- "$@"`);
    expect(await reportOf({ runscPath: plain })).toEqual([expect.stringContaining('not gVisor')]);
  });
});

/** Takes the launcher out of the bundle and runs it, as a runtime without isolation would. */
const RUN_ON_HOST = String.raw`
  my ($i) = grep { $ARGV[$_] eq "--bundle" } 0..$#ARGV; exit 0 unless defined $i;
  open(F, "<", "$ARGV[$i+1]/config.json"); local $/; my $c = <F>;
  $c =~ /"-e","((?:[^"\\]|\\.)*)"/; my $p = $1; $p =~ s/\\n/\n/g; $p =~ s/\\(.)/$1/g;
  mkdir "/tmp/no-home"; exec "/usr/bin/perl", "-e", "chdir q(/); " . ($p =~ s/chdir \$cwd/1/r);
`.replaceAll('\n', ' ');

const processesWith = (word: string): readonly string[] =>
  readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(word);
    } catch {
      // It ended while we looked.
      return false;
    }
  });

describe(`a process that is killed while programs run in gVisor ${SKIPPED}`, () => {
  needGvisor('leaves no process, and the next one removes its files', async () => {
    const stand = await openGvisorStand();
    const script = resolve(import.meta.dirname, 'gvisor-until-killed.mjs');
    const built = resolve(import.meta.dirname, '../../dist');
    const child = spawn(process.execPath, [script, built, stand.base, stand.work], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    await new Promise<void>((done, fail) => {
      child.stdout.once('data', () => done());
      child.once('exit', () => fail(new Error('it ended by itself')));
    });
    expect(processesWith(`${stand.base}/`).length).toBeGreaterThan(4);
    child.kill('SIGKILL');
    for (let look = 0; look < 200 && processesWith(`${stand.base}/`).length > 0; look += 1) await delay(25);
    expect(processesWith(`${stand.base}/`)).toEqual([]);
    const next = await openRuntimeFolder({ base: stand.base });
    expect(readdirSync(stand.work)).toEqual([]);
    expect(readdirSync(next.shared).filter((name) => name.includes(String(child.pid)))).toEqual([]);
    await next.close();
    await stand.close();
  });
});
