import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bwrapLine, rawStart, withFilter } from '../../test/support/raw-sandbox.ts';
import type { SandboxBackend } from './contract.ts';
import { type ProbeOptions, type ProbeResult, proveBackend } from './probe.ts';
import { PROBE_ATTEMPTS } from './probe-attempts.ts';

const isRoot = process.getuid?.() === 0;
/** Never as real root: bubblewrap would not keep it in. */
const user = isRoot ? { uid: 65534, gid: 65534 } : null;
const identity = user === null ? {} : user;
const limits = {
  ...{ wallMs: 'none', memoryBytes: 'none', processes: 'none', fileBytes: 'none' },
  ...{ openFiles: 'none', outputBytes: 'none', diskBytes: 'none' },
};
const options: ProbeOptions = { level: 'bubblewrap', limits, user, ownKernel: false };
const needBwrap = spawnSync('bwrap', ['--version']).status === 0 ? it : it.skip;
const skippedTitle = '(skipped where bubblewrap is not installed)';

/** Proves the careful line after taking flags out and adding others. */
function proveLine(leaveOut: string, add: readonly string[] = [], env?: NodeJS.ProcessEnv): Promise<ProbeResult> {
  return withFilter((open) =>
    proveBackend((profile, command, startOptions) => {
      const line = bwrapLine(profile, add).join('\n').replace(leaveOut.replaceAll(' ', '\n'), '').split('\n');
      const flags = line.filter((flag) => flag !== '');
      const start = rawStart(() => [...flags, '--seccomp', '3', '--', ...command.argv], {
        ...{ stdio: ['ignore', 'pipe', 'pipe', open()], ...identity },
        ...(env === undefined ? {} : { env }),
      });
      return start(profile, command, startOptions);
    }, options),
  );
}

describe('proveBackend', () => {
  needBwrap(`finds nothing to say against a careful bubblewrap line ${skippedTitle}`, async () => {
    const result = await proveLine('');
    expect(result).toMatchObject({ leaked: [], reasons: [] });
    expect(result.attempts).toBeGreaterThanOrEqual(PROBE_ATTEMPTS.filter(({ sure, limit }) => sure && !limit).length);
    expect(result.digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('rejects a backend that only runs the program, naming every attempt', async () => {
    const result = await proveBackend(
      rawStart((_, argv) => argv, { ...identity, env: process.env }),
      options,
    );
    const expected = PROBE_ATTEMPTS.filter(({ name, sure, limit }) => sure && !limit && name !== 'descriptor');
    for (const { name } of expected) expect(result.leaked).toContain(name);
    expect(result.reasons).toEqual([expect.stringContaining('got through')]);
  });

  it('tries the limits that are said to be held at once', async () => {
    const claims = { ...limits, openFiles: 'rlimit', processes: 'cgroup', fileBytes: 'rlimit' };
    const result = await proveBackend(
      rawStart((_, argv) => argv, { ...identity }),
      { ...options, limits: claims },
    );
    for (const name of ['open-files', 'processes', 'file-size']) expect(result.leaked).toContain(name);
    const watched = await proveBackend(
      rawStart((_, argv) => argv, { ...identity }),
      { ...options, limits: { ...claims, processes: 'watchdog' } },
    );
    expect(watched.leaked).not.toContain('processes');
  });

  needBwrap.each([
    ['the network', '', ['--share-net'], ['tcp', 'udp', 'unix-abstract']],
    ['the list of processes', '--unshare-all', ['--unshare-net'], ['host-process']],
    [
      'every file, to read',
      '',
      ['--ro-bind', '/', '/'],
      ['machine-files', 'read-outside', 'read-through-link', 'unix-path'],
    ],
    [
      'a folder with its files',
      '',
      ['--bind', '/var/tmp', '/var/tmp'],
      ['read-outside', 'write-outside', 'write-through-link'],
    ],
  ] as const)(`sees that %s is shared ${skippedTitle}`, async (_, leaveOut, add, leaked) => {
    const result = await proveLine(leaveOut, add);
    expect(result.leaked).toEqual(expect.arrayContaining([...leaked]));
    expect(result.leaked).not.toContain('read-hidden');
    expect(result.reasons).toEqual([expect.stringContaining('got through')]);
  });

  needBwrap(`sees our environment through pid 1 in spite of --clearenv ${skippedTitle}`, async () => {
    const start: SandboxBackend['start'] = (profile, command, startOptions) =>
      rawStart(() => [...bwrapLine(profile), '--clearenv', '--', ...command.argv], { ...identity, env: process.env })(
        profile,
        command,
        startOptions,
      );
    const result = await proveBackend(start, options);
    expect(result.leaked).toEqual(['environment', 'set-user-id']);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('no such program'))],
    ['runs nothing', rawStart(() => ['true'])],
    ['prints a made-up result', rawStart(() => ['echo', '{"tcp":"false","udp":"false","read-outside":"false"}'])],
    ['prints something else', rawStart(() => ['echo', '{"tcp":'])],
  ] as [string, SandboxBackend['start']][])('does not take a backend for safe that %s', async (_, start) => {
    const result = await proveBackend(start, options);
    expect(result.reasons).toEqual([expect.stringContaining('did not run inside')]);
  });

  it('removes what a killed process of ours left behind, and nothing newer', async () => {
    const [old, fresh] = ['sallyport-probe-old', 'sallyport-probe-fresh'].map((name) =>
      mkdtempSync(`/var/tmp/${name}`),
    );
    if (old === undefined || fresh === undefined) throw new Error('no folders');
    utimesSync(old, 1, 1);
    await proveBackend(
      rawStart((_, argv) => argv),
      options,
    );
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
    rmSync(fresh, { recursive: true });
  });

  it('leaves no folder and no variable behind', async () => {
    const seen: string[] = [];
    const plain = rawStart((_, argv) => argv);
    await proveBackend((profile, command, startOptions) => {
      seen.push(...profile.mounts.map(({ path }) => path));
      return plain(profile, command, startOptions);
    }, options);
    expect(seen.length).toBe(1);
    expect(seen.filter((path) => existsSync(dirname(path)))).toEqual([]);
    expect(Object.keys(process.env).filter((name) => name.startsWith('SALLYPORT_PROBE_'))).toEqual([]);
  });
});
