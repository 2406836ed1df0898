import type { JsonObject } from '../core/index.ts';

/** Calls that give a file its mode, and which argument says it (Linux, every architecture that has the call). */
const MODE_CALLS: readonly (readonly [name: string, argument: number])[] = [
  ['chmod', 1],
  ['fchmod', 1],
  ['fchmodat', 2],
  ['creat', 1],
  ['open', 2],
  ['openat', 3],
  ['mkdir', 1],
  ['mkdirat', 2],
  ['mknod', 1],
  ['mknodat', 2],
];

const SET_USER_ID = 0o4000;
const SET_GROUP_ID = 0o2000;
const EPERM = 1;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'SCMP_ARCH_X86_64', arm64: 'SCMP_ARCH_AARCH64' };

/** Of System V, what a program leaves would be there for the next one in a warm sandbox. */
const KEPT_BEYOND_PROGRAMS = ['shmget', 'semget', 'msgget'];

/**
 * A filter (OCI runtime specification, `linux.seccomp`) under which no file gets a set-user-id or set-group-id bit: such a
 * file would lie on the host, where gVisor cannot hold it; and System V memory, semaphores and queues are refused. Everything else is gVisor's own kernel's to refuse. The calls whose
 * mode a filter cannot see (openat2, fchmodat2) do not exist in it.
 */
export function setIdFilter(architecture: string): JsonObject | null {
  const arch = ARCHITECTURES[architecture];
  if (arch === undefined) return null;
  const rules = [SET_USER_ID, SET_GROUP_ID].flatMap((bit) =>
    MODE_CALLS.map(([name, index]) => ({
      ...{ names: [name], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
      args: [{ index, value: bit, valueTwo: bit, op: 'SCMP_CMP_MASKED_EQ' }],
    })),
  );
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: [arch],
    syscalls: [...rules, { names: KEPT_BEYOND_PROGRAMS, action: 'SCMP_ACT_ERRNO', errnoRet: EPERM }],
  };
}
