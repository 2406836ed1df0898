import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { killHolders } from './kill-holders.ts';

const hasBwrap = existsSync('/usr/bin/bwrap') || process.env['CI'] !== undefined;
const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};

describe.skipIf(!hasBwrap)(`killHolders${hasBwrap ? '' : ' (skipped: there is no bubblewrap)'}`, () => {
  let base: string;
  const children: ChildProcess[] = [];
  beforeEach(() => {
    base = realpathSync(mkdtempSync(join(tmpdir(), 'sallyport-holders-')));
    chmodSync(base, 0o755);
    for (const name of ['p-1-2-0', 'p-9-9-0']) mkdirSync(join(base, name, 'etc'), { recursive: true });
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    }
    rmSync(base, { recursive: true });
  });

  /** A sandbox as we start one, that runs already and holds nothing of a folder but a mount. */
  async function started(folder: string): Promise<ChildProcess> {
    const options = [
      '--unshare-all',
      '--ro-bind',
      '/usr',
      '/usr',
      '--symlink',
      'usr/bin',
      '/bin',
      '--symlink',
      'usr/lib',
    ];
    const more = ['/lib', '--symlink', 'usr/lib64', '/lib64', '--ro-bind', join(base, folder, 'etc'), '/etc'];
    const run = ['--', '/start', '-c', 'echo up; exec sleep 60'];
    const start = ['--symlink', 'usr/bin/sh', '/start'];
    const child = spawn('/usr/bin/bwrap', ['--args', '3', ...run], {
      ...{ stdio: ['ignore', 'pipe', 'inherit', 'pipe'], cwd: '/', ...user },
    });
    children.push(child);
    (child.stdio[3] as Writable).end([...options, ...more, ...start].map((one) => `${one}\0`).join(''));
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return child;
  }

  test('ends a sandbox that runs and holds only a mount of the folder, and no other', async () => {
    const [left, other] = [await started('p-1-2-0'), await started('p-9-9-0')];
    killHolders('p-1-2-0');
    await once(left, 'exit');
    expect([other.exitCode, other.signalCode]).toEqual([null, null]);
  });
});
