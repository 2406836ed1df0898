import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runFilter } from '../../test/support/bpf.ts';
import { seccompFilter } from './seccomp.ts';
import { ALLOWED_CALLS } from './seccomp-allowed.ts';
import { CHECKED_CALLS } from './seccomp-checks.ts';
import { ABSENT_CALLS, REFUSED_CALLS } from './seccomp-refused.ts';

const X64 = 0xc000003e;
const ARM64 = 0xc00000b7;
const I386 = 0x40000003;
const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const EPERM = 0x00050001;
const ENOSYS = 0x00050026;
const EPROTONOSUPPORT = 0x0005005d;
const EAFNOSUPPORT = 0x00050061;

const x64 = seccompFilter('x64');
const arm64 = seccompFilter('arm64');
const ask = (number: number, ...values: (number | bigint)[]): number =>
  runFilter(x64, { arch: X64, number, arguments: values.map(BigInt) });
const askArm = (number: number, ...values: (number | bigint)[]): number =>
  runFilter(arm64, { arch: ARM64, number, arguments: values.map(BigInt) });

const rows = [
  ...ALLOWED_CALLS,
  ...REFUSED_CALLS.flatMap(({ calls }) => calls),
  ...ABSENT_CALLS.flatMap(({ calls }) => calls),
  ...CHECKED_CALLS.map(({ call }) => call),
].flatMap((line) => line.split('; '));

describe('the tables', () => {
  it('have rows of a name and two numbers, each name and each number once', () => {
    for (const row of rows) expect(row).toMatch(/^[a-z0-9_]+ (\d+|-) (\d+|-)$/);
    for (const column of [0, 1, 2]) {
      const cells = rows.map((row) => row.split(' ')[column]).filter((cell) => cell !== '-');
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  const headers = [
    { file: '/usr/include/x86_64-linux-gnu/asm/unistd_64.h', column: 1 },
    { file: '/usr/include/asm-generic/unistd.h', column: 2 },
  ];
  for (const { file, column } of headers) {
    it.skipIf(!existsSync(file))(`agree with ${file} (skipped where it is not installed)`, () => {
      const defined = readFileSync(file, 'utf8').matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm);
      const numbers = new Map([...defined].map(([, name, number]) => [name, number]));
      if (column === 2) numbers.set('newfstatat', numbers.get('fstatat')).set('fadvise64', numbers.get('fadvise64'));
      const differing = rows.filter((row) => {
        const [name, ...cells] = row.split(' ');
        const known = numbers.get(name);
        const cell = cells[column - 1];
        // A call newer than the headers is not in them.
        return known === undefined ? cell !== '-' && Number(cell) < 451 : known !== cell;
      });
      expect(differing).toEqual([]);
    });
  }
});

describe('seccompFilter', () => {
  it('is an array of struct sock_filter that the kernel takes', () => {
    expect(x64.length % 8).toBe(0);
    expect(x64.length / 8).toBeLessThan(4096);
    for (let number = 0; number < 1024; number++) expect(ask(number)).toBeGreaterThan(0);
  });

  it('throws ISOLATION_UNAVAILABLE for an architecture without a table', () => {
    for (const name of ['ia32', 'riscv64', '', '__proto__', 'toString']) {
      expect(() => seccompFilter(name)).toThrow(expect.objectContaining({ code: 'ISOLATION_UNAVAILABLE' }));
    }
  });

  it('kills what calls by the numbers of another architecture', () => {
    for (const arch of [I386, ARM64, 0, X64 - 1, X64 + 1]) {
      expect(runFilter(x64, { arch, number: 1, arguments: [] })).toBe(KILL);
    }
    expect(runFilter(arm64, { arch: X64, number: 1, arguments: [] })).toBe(KILL);
  });

  it('knows no number of x32, no negative one and none beyond its tables', () => {
    for (const number of [0x40000000, 0x40000001, 0x40000000 + 521, 0x7fffffff, 0x80000000, 0xffffffff, 467, 600]) {
      expect(ask(number)).toBe(ENOSYS);
    }
  });

  it('answers every call of each table as the table says, on both architectures', () => {
    const tables = [
      { lines: ALLOWED_CALLS, expected: ALLOW },
      { lines: REFUSED_CALLS.flatMap(({ calls }) => calls), expected: EPERM },
      { lines: ABSENT_CALLS.flatMap(({ calls }) => calls), expected: ENOSYS },
    ];
    for (const { lines, expected } of tables) {
      for (const row of lines.flatMap((line) => line.split('; '))) {
        const [, first, second] = row.split(' ');
        if (first !== '-') expect(ask(Number(first)), row).toBe(expected);
        if (second !== '-') expect(askArm(Number(second)), row).toBe(expected);
      }
    }
  });

  it('refuses by literal number what would end the confinement', () => {
    // mount umount2 pivot_root chroot unshare setns ptrace process_vm_readv bpf perf_event_open userfaultfd keyctl
    for (const number of [165, 166, 155, 161, 272, 308, 101, 310, 321, 298, 323, 250]) expect(ask(number)).toBe(EPERM);
    // open_by_handle_at init_module kexec_load fsopen move_mount open_tree mount_setattr pidfd_getfd memfd_secret
    for (const number of [304, 175, 246, 430, 429, 428, 442, 438, 447]) expect(ask(number)).toBe(EPERM);
    // io_uring_setup io_uring_enter io_uring_register clone3 openat2 memfd_create
    for (const number of [425, 426, 427, 435, 437, 319]) expect(ask(number)).toBe(ENOSYS);
  });
});

const NAMESPACES = [0x20000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000];
const HIGH = 1n << 32n;

describe('arguments', () => {
  it('clone makes processes and threads and no namespace', () => {
    expect([ask(56, 17), ask(56, 0x3d0f00), ask(56, 0x01200011), ask(56, 0x80000000)]).toEqual(Array(4).fill(ALLOW));
    for (const flag of NAMESPACES) {
      expect(ask(56, flag)).toBe(EPERM);
      expect(ask(56, HIGH | BigInt(flag) | 17n)).toBe(EPERM);
      expect(askArm(220, flag)).toBe(EPERM);
    }
  });

  it.each([
    ['chmod', 90, 1],
    ['fchmod', 91, 1],
    ['fchmodat', 268, 2],
    ['fchmodat2', 452, 2],
    ['creat', 85, 1],
    ['mknod', 133, 1],
    ['mknodat', 259, 2],
  ])('%s sets no set-ID bit', (_, number, index) => {
    const withMode = (mode: number | bigint): number => ask(number, ...Array(index).fill(0), mode);
    for (const mode of [0, 0o644, 0o777, 0o1777, 0o100755]) expect(withMode(mode)).toBe(ALLOW);
    for (const mode of [0o4000, 0o2000, 0o6000, 0o4755, 0o2755, 0o7777, 0o104755]) {
      expect(withMode(mode)).toBe(EPERM);
      // The kernel drops the high half of a mode, so it must not hide the low one.
      expect(withMode(HIGH | BigInt(mode))).toBe(EPERM);
      expect(withMode(0xffffffff00000000n | BigInt(mode))).toBe(EPERM);
    }
  });

  it.each([
    ['open', 2, 1],
    ['openat', 257, 2],
  ])('%s makes no file with a set-ID bit', (_, number, index) => {
    const open = (flags: number, mode: number): number => ask(number, ...Array(index).fill(0), flags, mode);
    expect([open(0, 0o4755), open(2, 0o7777), open(0x40, 0o644), open(0x410000 | 2, 0o600)]).toEqual(
      Array(4).fill(ALLOW),
    );
    expect([open(0x40, 0o4755), open(0x41, 0o2000), open(0x410002, 0o6755), open(0x400000, 0o4000)]).toEqual(
      Array(4).fill(EPERM),
    );
  });

  it('mknod makes pipes, sockets and files and no device', () => {
    for (const type of [0, 0o100000, 0o010000, 0o140000]) expect(ask(133, 0, type | 0o600)).toBe(ALLOW);
    for (const type of [0o020000, 0o060000]) {
      expect([ask(133, 0, type | 0o600), ask(259, 0, 0, type)]).toEqual([EPERM, EPERM]);
      expect(askArm(33, 0, 0, type)).toBe(EPERM);
    }
  });

  it('ioctl types nothing into a terminal', () => {
    expect([ask(16, 0, 0x5401), ask(16, 0, 0x5413), ask(16, 0, 0x541b), ask(16, 0, 0x5421)]).toEqual(
      Array(4).fill(ALLOW),
    );
    for (const request of [0x5412, 0x541c, 0x5423, 0x541d]) {
      expect([ask(16, 0, request), ask(16, 0, HIGH | BigInt(request)), askArm(29, 0, request)]).toEqual(
        Array(3).fill(EPERM),
      );
    }
  });

  it('socket opens Unix, Internet and route sockets of plain types and protocols', () => {
    for (const [family, type, protocol] of [
      [1, 1, 0],
      [1, 5, 0],
      [2, 1, 0],
      [2, 1, 6],
      [10, 2, 17],
      [2, 0x80801, 0],
      [16, 3, 0],
    ] as const) {
      expect(ask(41, family, type, protocol)).toBe(ALLOW);
    }
    // AX25 … VSOCK, PACKET, ALG, BLUETOOTH, KCM, XDP, SMC, CAN, and a family hidden behind the high half
    for (const family of [0, 3, 4, 9, 17, 21, 29, 31, 38, 40, 41, 43, 44, 0xffffffff]) {
      expect([ask(41, family, 1, 0), ask(41, HIGH | BigInt(family), 1, 0)]).toEqual([EAFNOSUPPORT, EAFNOSUPPORT]);
    }
    // raw, packet, DCCP, sequenced
    for (const type of [3, 10, 6, 5, 0]) expect(ask(41, 2, type, 0)).toBe(EPERM);
    // MPTCP, ICMP, SCTP, UDP-Lite, SMC, netlink beside route
    for (const protocol of [262, 1, 132, 136, 256, 255]) expect(ask(41, 2, 1, protocol)).toBe(EPROTONOSUPPORT);
    for (const protocol of [2, 4, 9, 12, 15, 16]) expect(ask(41, 16, 3, protocol)).toBe(EPROTONOSUPPORT);
    expect([ask(53, 1, 1, 0), ask(53, 2, 1, 0), ask(53, 30, 1, 0)]).toEqual([ALLOW, EAFNOSUPPORT, EAFNOSUPPORT]);
  });

  it('personality asks which one is in force and makes memory no easier to attack', () => {
    for (const persona of [0, 8, 0x20000, 0x20008, 0xffffffff]) expect(ask(135, persona)).toBe(ALLOW);
    for (const persona of [0x0040000, 0x0400000, 0x0100000, 1, 6]) expect(ask(135, persona)).toBe(EPERM);
  });

  it('shmget makes small segments only', () => {
    for (const size of [0, 1, 65_536]) expect(ask(29, 0, size, 0o1600)).toBe(ALLOW);
    for (const size of [65_537, 0xffffffff, HIGH, HIGH | 1n, -1n]) expect(ask(29, 0, size, 0o1600)).toBe(EPERM);
  });

  it('renameat2 exchanges and does not replace, and leaves no white-out', () => {
    expect([ask(316, 0, 0, 0, 0, 0), ask(316, 0, 0, 0, 0, 1), ask(316, 0, 0, 0, 0, 2)]).toEqual(Array(3).fill(ALLOW));
    expect(ask(316, 0, 0, 0, 0, 4)).toBe(EPERM);
  });
});
