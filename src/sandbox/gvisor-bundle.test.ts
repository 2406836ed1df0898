import { describe, expect, it } from 'vitest';
import { bundleConfig, planBinds } from './gvisor-bundle.ts';
import { setIdFilter } from './gvisor-seccomp.ts';

const limits = {
  ...{ wallMs: 1, memoryBytes: 2, processes: 30, fileBytes: 4, openFiles: 5, outputBytes: 6, diskBytes: 7 },
};
const plan = { root: '/r', binds: [], limits, user: { uid: 1000, gid: 1000 }, place: { kind: 'alone' } } as const;

describe('bundleConfig', () => {
  it('gives no capability, no privileges, none of our variables, and a root that cannot be written', () => {
    expect(bundleConfig(plan)).toMatchObject({
      process: {
        user: { uid: 1000, gid: 1000 },
        env: ['PATH=/usr/local/bin:/usr/bin:/bin'],
        capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
        noNewPrivileges: true,
        rlimits: [
          { type: 'RLIMIT_NPROC', soft: 31, hard: 31 },
          { type: 'RLIMIT_FSIZE', soft: 4, hard: 4 },
          { type: 'RLIMIT_NOFILE', soft: 5, hard: 5 },
          { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
        ],
      },
      root: { path: '/r', readonly: true },
      linux: { seccomp: { defaultAction: 'SCMP_ACT_ALLOW' } },
      annotations: {},
    });
  });

  it('mounts what is private first, then the places in their order, read-only unless they say otherwise', () => {
    const binds = [
      { source: '/w', path: '/w', access: 'write' },
      { source: '/mask', path: '/w/.env', access: 'read' },
    ] as const;
    const { mounts } = bundleConfig({ ...plan, binds });
    const lines = Array.isArray(mounts) ? mounts.map((mount) => JSON.stringify(mount)) : [];
    expect(lines.map((line) => /"destination":"([^"]*)"/.exec(line)?.[1])).toEqual([
      ...['/proc', '/dev', '/dev/shm', '/tmp', '/home/agent', '/w', '/w/.env'],
    ]);
    expect(lines[5]).toContain('"rw"');
    expect(lines[6]).toContain('"ro"');
  });
});

describe('planBinds', () => {
  it('shows masks where something is hidden or reserved, and nothing twice that /usr shows', () => {
    const points = [
      { path: '/w', kind: 'write' },
      { path: '/usr/lib/node', kind: 'read' },
      { path: '/w/a', kind: 'pin' },
      { path: '/w/a/.env', kind: 'hidden-file' },
      { path: '/w/b', kind: 'reserved' },
    ] as const;
    const system = { links: [], binds: [{ source: '/usr', path: '/usr' }] };
    expect(planBinds(points, system, { file: '/m/f', folder: '/m/d' })).toEqual([
      { source: '/usr', path: '/usr', access: 'read' },
      { source: '/w', path: '/w', access: 'write' },
      { source: '/w/a', path: '/w/a', access: 'write' },
      { source: '/m/f', path: '/w/a/.env', access: 'read' },
      { source: '/m/d', path: '/w/b', access: 'read' },
    ]);
  });
});

describe('setIdFilter', () => {
  it('refuses both bits in every call that gives a mode', () => {
    const rules = setIdFilter('x64')?.['syscalls'];
    const text = JSON.stringify(rules);
    for (const call of [
      'chmod',
      'fchmod',
      'fchmodat',
      'creat',
      'open',
      'openat',
      'mkdir',
      'mkdirat',
      'mknod',
      'mknodat',
    ]) {
      expect(text.split(`["${call}"]`).length - 1).toBe(2);
    }
  });

  it('does not exist for a machine whose calls we do not know', () => {
    expect(setIdFilter('mips')).toBeNull();
  });
});
