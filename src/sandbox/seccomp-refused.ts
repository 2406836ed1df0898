/** System calls that a sandboxed program may not make, written as in the table of allowed ones, with the reason. */
export interface RefusedCalls {
  readonly why: string;
  readonly calls: readonly string[];
}

/** Answered with EPERM: the kernel has them, and the program may not. */
export const REFUSED_CALLS: readonly RefusedCalls[] = [
  {
    why: 'the view of files is fixed: nothing is mounted, unmounted or looked at as a mount',
    calls: [
      'mount 165 40; umount2 166 39; pivot_root 155 41; chroot 161 51; fsopen 430 430; fsmount 432 432',
      'fsconfig 431 431; fspick 433 433; move_mount 429 429; open_tree 428 428; mount_setattr 442 442',
      'statmount 457 457; listmount 458 458',
    ],
  },
  {
    why: 'no namespaces of its own: inside one it would have every capability towards the kernel',
    calls: ['unshare 272 97; setns 308 268'],
  },
  {
    why: 'no hand in other processes: a debugger is not worth the way to the memory of the relay or of pid 1',
    calls: [
      'ptrace 101 117; process_vm_readv 310 270; process_vm_writev 311 271; process_madvise 440 440',
      'process_mrelease 448 448; pidfd_getfd 438 438; kcmp 312 272',
    ],
  },
  {
    why: 'parts of the kernel with a long list of holes, or a help to use one',
    calls: [
      'bpf 321 280; perf_event_open 298 241; userfaultfd 323 282; vmsplice 278 75; modify_ldt 154 -',
      'memfd_secret 447 447; fanotify_init 300 262; fanotify_mark 301 263; lookup_dcookie 212 18; nfsservctl 180 42',
    ],
  },
  {
    why: 'keyrings are not part of any namespace',
    calls: ['keyctl 250 219; add_key 248 217; request_key 249 218'],
  },
  {
    why: 'a handle opens a file without its path',
    calls: ['open_by_handle_at 304 265; name_to_handle_at 303 264'],
  },
  {
    why: 'the machine belongs to the host: its kernel, clock, swap, quotas, ports and messages',
    calls: [
      'init_module 175 105; finit_module 313 273; delete_module 176 106; kexec_load 246 104',
      'kexec_file_load 320 294; reboot 169 142; swapon 167 224; swapoff 168 225; acct 163 89; quotactl 179 60',
      'quotactl_fd 443 443; iopl 172 -; ioperm 173 -; syslog 103 116; settimeofday 164 170; clock_settime 227 112',
      'adjtimex 159 171; clock_adjtime 305 266; vhangup 153 58; sethostname 170 161; setdomainname 171 162',
    ],
  },
  {
    why: 'where memory lies on the machine is for the host to say',
    calls: [
      'set_mempolicy 238 237; mbind 237 235; migrate_pages 256 238; move_pages 279 239',
      'set_mempolicy_home_node 450 450',
    ],
  },
];

/** Answered with ENOSYS, as is everything that no table names, so that libraries take their older way. */
export const ABSENT_CALLS: readonly RefusedCalls[] = [
  {
    why: 'its arguments lie in memory, where a filter cannot see them; programs fall back to clone and openat',
    calls: ['clone3 435 435; openat2 437 437'],
  },
  {
    why: 'does other calls by itself, past the filter',
    calls: ['io_uring_setup 425 425; io_uring_enter 426 426; io_uring_register 427 427'],
  },
  {
    why: 'memory that belongs to no process is not counted where no control group holds the limit; /dev/shm has a size',
    calls: ['memfd_create 319 279'],
  },
  {
    why: 'obsolete',
    calls: ['uselib 134 -; ustat 136 -; sysfs 139 -'],
  },
];
