import { SallyportError } from '../core/index.ts';
import { type Block, branch, encodeProgram, load } from './bpf.ts';
import { ALLOWED_CALLS } from './seccomp-allowed.ts';
import { ALLOW, CHECKED_CALLS, ENOSYS, EPERM, KILL_PROCESS } from './seccomp-checks.ts';
import { ABSENT_CALLS, REFUSED_CALLS } from './seccomp-refused.ts';

/** Architectures with a table of system calls; named as Node.js names them. */
type SeccompArchitecture = 'x64' | 'arm64';

interface Architecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number;
  /** Where its number stands in a row of the tables. */
  readonly column: 1 | 2;
}

const ARCHITECTURES: Readonly<Record<SeccompArchitecture, Architecture>> = {
  x64: { audit: 0xc000003e, column: 1 },
  arm64: { audit: 0xc00000b7, column: 2 },
};

/** Offsets in `struct seccomp_data`. */
const NUMBER = 0;
const AUDIT_ARCHITECTURE = 4;

/** Calls from `first` on are answered by this block. */
interface Interval {
  readonly first: number;
  readonly block: Block;
}

const isArchitecture = (name: string): name is SeccompArchitecture => Object.hasOwn(ARCHITECTURES, name);

/** Numbers of one architecture in a line of a table; calls that it does not have are left out. */
function numbersIn(line: string, column: 1 | 2): readonly number[] {
  const numbers = line.split('; ').map((row) => row.split(' ')[column]);
  return numbers.filter((number) => number !== undefined && number !== '-').map(Number);
}

/** What each number is answered with; numbers that no table names are left to the default. */
function answersOf(column: 1 | 2): ReadonlyMap<number, Block> {
  const rows = [
    ...ALLOWED_CALLS.map((line) => ({ line, block: ALLOW })),
    ...REFUSED_CALLS.flatMap(({ calls }) => calls.map((line) => ({ line, block: EPERM }))),
    ...ABSENT_CALLS.flatMap(({ calls }) => calls.map((line) => ({ line, block: ENOSYS }))),
    ...CHECKED_CALLS.map(({ call, check }) => ({ line: call, block: check })),
  ];
  return new Map(rows.flatMap(({ line, block }) => numbersIn(line, column).map((number) => [number, block] as const)));
}

/**
 * Neighbours with the same answer in one. INVARIANT: the last one is ENOSYS and has no end, so the numbers of x32 (bit 30
 * set) and those that are negative as signed numbers fall into it.
 */
function intervalsOf(answers: ReadonlyMap<number, Block>): readonly Interval[] {
  const count = Math.max(...answers.keys()) + 2;
  const all = Array.from({ length: count }, (_, first) => ({ first, block: answers.get(first) ?? ENOSYS }));
  return all.filter(({ block }, index) => index === 0 || block !== all[index - 1]?.block);
}

/** A binary search, so that each call costs a few steps and not the length of the table. */
function search(intervals: readonly Interval[]): Block {
  const middle = intervals[intervals.length >> 1];
  if (middle === undefined) return KILL_PROCESS;
  if (intervals.length === 1) return middle.block;
  const below = intervals.slice(0, intervals.length >> 1);
  const from = intervals.slice(intervals.length >> 1);
  return branch({ kind: 'atLeast', value: middle.first }, search(from), search(below));
}

/**
 * A seccomp filter for `bwrap --seccomp FD`: calls that are known to be needed pass, some of them with harmless arguments
 * only; everything else fails with EPERM or ENOSYS. A call by the numbers of another architecture (i386 by `int 0x80`)
 * kills the process.
 * @throws SallyportError ISOLATION_UNAVAILABLE: there is no table for this architecture
 */
export function seccompFilter(architecture: string): Buffer {
  if (!isArchitecture(architecture)) {
    throw new SallyportError(
      'ISOLATION_UNAVAILABLE',
      'no table of system calls for this architecture: x64 and arm64 have one',
    );
  }
  const { audit, column } = ARCHITECTURES[architecture];
  const calls = load(NUMBER, search(intervalsOf(answersOf(column))));
  return encodeProgram(load(AUDIT_ARCHITECTURE, branch({ kind: 'equal', value: audit }, calls, KILL_PROCESS)));
}
