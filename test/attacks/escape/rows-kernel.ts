import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './row.ts';
import type { EscapeWorld } from './world.ts';

const c = (name: string, entry: string, more: Omit<Row, 'name' | 'attempt'> = {}, argument?: string): Row => ({
  ...{ name, attempt: { c: argument === undefined ? [entry] : [entry, argument] } },
  ...more,
});
const always = { control: 'always' } as const;
/** Inside gVisor these belong to its own kernel. */
const virtual = { ...always, virtual: ['gvisor'] } as const;

const hasSetId =
  (name: string) =>
  (world: EscapeWorld): boolean => {
    const path = join(world.work, name);
    return existsSync(path) && (lstatSync(path).mode & 0o6000) !== 0;
  };
/** On the host is where the bit would help; what a sandbox of its own kernel shows inside does not count. */
const setId = (name: string, entry: string, file: string): Row =>
  c(name, entry, { ...virtual, seenOnHost: hasSetId(file) });

/** System calls that reach what is shared with every other program of the machine: its kernel. */
export const KERNEL_ROWS: readonly Row[] = [
  c('unshare into a new user namespace', 'unshare_user', virtual),
  c('unshare into new user and mount namespaces', 'unshare_mount', virtual),
  c('clone into a new user namespace', 'clone_user', virtual),
  c('clone3 into a new user namespace', 'clone3_user', virtual),
  c('enter the network of pid 1', 'set_namespace', { virtual: ['gvisor'] }),
  c('mount a tmpfs', 'mount_tmpfs'),
  c('mount a /proc', 'mount_proc'),
  c('make /usr writable', 'mount_remount'),
  c('pivot the root', 'pivot'),
  c('change the root', 'change_root'),
  c('open a file system by the new calls', 'new_mounts'),
  c('copy a tree of mounts', 'clone_tree'),
  c('change the attributes of a mount', 'mount_attributes'),
  c('load a BPF program', 'bpf_program', { control: 'always' }),
  c('open a performance event', 'perf_event'),
  c('set up io_uring', 'io_uring', always),
  c('handle page faults', 'user_fault', always),
  c('add a key to the keyring', 'keyring', always),
  c('read a keyring', 'keyring_read', always),
  c('take memory that the kernel does not see', 'memory_secret'),
  c('watch the whole system by fanotify', 'fanotify', always),
  c('read the log of the kernel', 'kernel_log', { virtual: ['gvisor'] }),
  c('name a file by a handle', 'handle_of_file', always),
  c('switch off the randomisation of memory', 'persona', virtual),
  c('set the clock', 'set_clock'),
  c('set the name of the host', 'host_name', { virtual: ['gvisor'] }),
  c('open an input and output port', 'ports'),
  c('change the table of descriptors of segments', 'descriptor_table', { virtual: ['gvisor'] }),
  c('call by the numbers of i386', 'old_calls', { virtual: ['gvisor'] }),
  c('unshare by the numbers of i386', 'old_mount', { virtual: ['gvisor'] }),
  c('call by the numbers of x32', 'x32_calls'),
  c('unshare by the numbers of x32', 'x32_unshare'),
  setId('set the user ID bit by chmod', 'set_id_chmod', 's1'),
  setId('set both bits by fchmodat2', 'set_id_fchmodat2', 's2'),
  setId('set the bit when a file is opened', 'set_id_open', 's3'),
  setId('set the group ID bit by creat', 'set_id_creat', 's4'),
  setId('set both bits by mknod', 'set_id_mknod', 's5'),
  setId('set the bit with rubbish in the high half', 'set_id_high_bits', 's6'),
  setId('set the bit on a nameless file and link it', 'set_id_tmpfile', 's7'),
  setId('set the bit by openat2', 'set_id_openat2', 's8'),
  c('make a block device', 'device', { seenOnHost: ({ work }) => existsSync(join(work, 'disk')) }),
  c('make a white-out', 'white_out', { seenOnHost: ({ work }) => existsSync(join(work, 'hole')) }),
  c('give a file capabilities', 'file_capability'),
  c('hold a capability', 'all_capabilities', always),
  c('gain privileges by a set-user-ID program', 'can_gain_privileges', always),
  {
    name: 'run a set-user-ID program of the system',
    attempt: {
      sh: '(sleep 1 | passwd) >/dev/null 2>&1 & sleep 0.4; grep -h "^Uid:" /proc/[0-9]*/status 2>/dev/null | awk "\\$2 != \\$3" | grep -q . && echo ESCAPED',
    },
    control: 'user',
  },
  c('type into the own terminal', 'type_into_terminal', virtual),
  c('open the controlling terminal', 'controlling_terminal'),
  c('raise a limit', 'raise_limits'),
  c('run in real time', 'real_time'),
  c('open a vsock', 'vsock', always),
  c('open a packet socket', 'packet'),
  c('open a socket of the crypto interface', 'crypto'),
  c('open a raw socket', 'raw_socket'),
  c('open a multipath socket', 'mptcp', always),
  c('listen to the audit log', 'audit_netlink', virtual),
  c('listen to kernel events', 'uevent_netlink', virtual),
  c('hide a family behind the high half', 'high_family'),
  {
    name: 'see the release of the kernel of the host',
    attempt: { sh: 'test "$(uname -r)" = "$KERNEL" && echo ESCAPED' },
    control: 'always',
    open: { bubblewrap: 'it is the kernel of the host' },
  },
];
