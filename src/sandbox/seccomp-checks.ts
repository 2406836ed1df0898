import { answer, type Block, branch, load, mask, oneOf } from './bpf.ts';

/** Answers of a filter (linux/seccomp.h): an error number goes in the low 16 bits. */
export const ALLOW: Block = answer(0x7fff0000);
export const KILL_PROCESS: Block = answer(0x80000000);
const refuse = (errno: number): Block => answer(0x00050000 | errno);
export const EPERM: Block = refuse(1);
export const ENOSYS: Block = refuse(38);
const EPROTONOSUPPORT = refuse(93);
const EAFNOSUPPORT = refuse(97);

/**
 * Offset of the low half of an argument in `struct seccomp_data`, little-endian. Where nothing else is said it is an `int`, an
 * `unsigned int`, a mode or, with clone, flags of 32 bits: the kernel itself drops the high half, so a filter that read it
 * would only be a way to differ from the kernel.
 */
const argument = (index: number): number => 16 + 8 * index;

/** Allowed unless one of the bits is set. */
const withoutBits = (index: number, bits: number): Block =>
  load(argument(index), branch({ kind: 'anyBit', value: bits }, EPERM, ALLOW));

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET; NEWTIME cannot be asked of clone. */
const NAMESPACE_FLAGS = 0x7e020000;

/** set-user-ID and set-group-ID: such a file in a workspace would run with the rights of its owner on the host. */
const SET_ID_BITS = 0o6000;
/** O_CREAT and the bit of O_TMPFILE that makes a file: only then does the kernel read the mode. */
const CREATING_FLAGS = 0x40 | 0x400000;
const openCheck = (flagsIndex: number): Block =>
  load(
    argument(flagsIndex),
    branch({ kind: 'anyBit', value: CREATING_FLAGS }, withoutBits(flagsIndex + 1, SET_ID_BITS), ALLOW),
  );

const FILE_TYPE = 0o170000;
const DEVICE_TYPES = [0o020000, 0o060000];
const nodeCheck = (modeIndex: number): Block =>
  load(argument(modeIndex), mask(FILE_TYPE, oneOf(DEVICE_TYPES, EPERM, withoutBits(modeIndex, SET_ID_BITS))));

/** TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS: type into a terminal, paste into one, give it another driver, take the console. */
const TERMINAL_REQUESTS = [0x5412, 0x541c, 0x5423, 0x541d];

/** PER_LINUX, PER_LINUX32, both with UNAME26, and the question which one is in force. */
const PERSONALITIES = [0, 8, 0x20000, 0x20008, 0xffffffff];

/**
 * A segment of System V belongs to no process, so nothing but its size holds it where no control group counts: enough for a
 * lock (databases), and all that an IPC namespace may have (4,096) is 256 MiB. The size is a `size_t`, so both halves count.
 */
const SEGMENT_BYTES = 65_536;
const segmentCheck: Block = load(
  argument(1) + 4,
  branch(
    { kind: 'equal', value: 0 },
    load(argument(1), branch({ kind: 'atLeast', value: SEGMENT_BYTES + 1 }, EPERM, ALLOW)),
    EPERM,
  ),
);

const RENAME_WHITEOUT = 4;

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;
const SOCKET_TYPE = 0xf;
const STREAM_AND_DATAGRAM = [1, 2];
/** The default of the type, TCP, UDP. Not MPTCP, SCTP, SMC and others: each is another stack with holes of its own. */
const PROTOCOLS = [0, 6, 17];
const internetSocket = load(
  argument(1),
  mask(SOCKET_TYPE, oneOf(STREAM_AND_DATAGRAM, load(argument(2), oneOf(PROTOCOLS, ALLOW, EPROTONOSUPPORT)), EPERM)),
);
/** NETLINK_ROUTE (0) is how libraries list interfaces; nothing can be changed through it without a capability. */
const netlinkSocket = load(argument(2), branch({ kind: 'equal', value: 0 }, ALLOW, EPROTONOSUPPORT));
const socketCheck = load(
  argument(0),
  branch(
    { kind: 'equal', value: AF_UNIX },
    ALLOW,
    branch(
      { kind: 'equal', value: AF_NETLINK },
      netlinkSocket,
      oneOf([AF_INET, AF_INET6], internetSocket, EAFNOSUPPORT),
    ),
  ),
);
const socketPairCheck = load(argument(0), branch({ kind: 'equal', value: AF_UNIX }, ALLOW, EAFNOSUPPORT));

/** System calls that are allowed with some arguments only, written as in the table of allowed ones. */
export const CHECKED_CALLS: readonly { readonly call: string; readonly check: Block }[] = [
  { call: 'clone 56 220', check: withoutBits(0, NAMESPACE_FLAGS) },
  { call: 'socket 41 198', check: socketCheck },
  { call: 'socketpair 53 199', check: socketPairCheck },
  { call: 'ioctl 16 29', check: load(argument(1), oneOf(TERMINAL_REQUESTS, EPERM, ALLOW)) },
  { call: 'personality 135 92', check: load(argument(0), oneOf(PERSONALITIES, ALLOW, EPERM)) },
  { call: 'chmod 90 -', check: withoutBits(1, SET_ID_BITS) },
  { call: 'fchmod 91 52', check: withoutBits(1, SET_ID_BITS) },
  { call: 'fchmodat 268 53', check: withoutBits(2, SET_ID_BITS) },
  { call: 'fchmodat2 452 452', check: withoutBits(2, SET_ID_BITS) },
  { call: 'creat 85 -', check: withoutBits(1, SET_ID_BITS) },
  { call: 'open 2 -', check: openCheck(1) },
  { call: 'openat 257 56', check: openCheck(2) },
  { call: 'mknod 133 -', check: nodeCheck(1) },
  { call: 'mknodat 259 33', check: nodeCheck(2) },
  { call: 'shmget 29 194', check: segmentCheck },
  { call: 'renameat2 316 276', check: withoutBits(4, RENAME_WHITEOUT) },
];
