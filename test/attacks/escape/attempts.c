/*
 * Attempts that need a system call by number or by hand. Each prints BEGAN, then ESCAPED when it got through, else why it did not.
 * Usage: attempts NAME [ARGUMENT]
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static const char *argument = "";

static int through(long result) {
  if (result >= 0) puts("ESCAPED");
  else printf("blocked: %s\n", strerror(errno));
  return 0;
}

static int mode_of(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 ? (int)(found.st_mode & 07777) : 0;
}

static int set_id(const char *path) {
  if (mode_of(path) & 06000) puts("ESCAPED");
  else printf("blocked: %s\n", strerror(errno));
  return 0;
}

static int make(const char *path) { return open(path, O_CREAT | O_RDWR, 0600); }

/* namespaces */
static int unshare_user(void) { return through(unshare(CLONE_NEWUSER)); }
static int unshare_mount(void) { return through(unshare(CLONE_NEWUSER | CLONE_NEWNS)); }
static int clone_user(void) {
  long child = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  return through(child);
}
static int clone3_user(void) {
  unsigned long long arguments[11] = {CLONE_NEWUSER};
  arguments[4] = SIGCHLD;
  long child = syscall(435, arguments, sizeof arguments);
  if (child == 0) _exit(0);
  return through(child);
}
static int set_namespace(void) { return through(setns(open("/proc/1/ns/net", O_RDONLY), 0)); }

/* mounts */
static int mount_tmpfs(void) { return through(mount("none", "/tmp", "tmpfs", 0, "")); }
static int mount_proc(void) { return through(mount("proc", "/proc", "proc", 0, "")); }
static int mount_remount(void) { return through(mount("none", "/usr", NULL, MS_REMOUNT | MS_BIND, "")); }
static int unmount_cover(void) { return through(umount2(argument, MNT_DETACH)); }
static int pivot(void) { return through(syscall(SYS_pivot_root, ".", ".")); }
static int change_root(void) { return through(chroot("/tmp")); }
static int new_mounts(void) { return through(syscall(430, "tmpfs", 0)); }
static int clone_tree(void) { return through(syscall(428, AT_FDCWD, "/", 1 | O_CLOEXEC)); }
static int mount_attributes(void) {
  unsigned long long attributes[4] = {0, 1, 0, 0};
  return through(syscall(442, AT_FDCWD, "/usr", 0, attributes, sizeof attributes));
}

/* parts of the kernel */
static int bpf_program(void) {
  char attributes[128] = {0};
  long result = syscall(SYS_bpf, 0, attributes, sizeof attributes);
  return through(result < 0 && errno == EINVAL ? 0 : result);
}
static int perf_event(void) {
  char attributes[128] = {0};
  ((unsigned *)attributes)[0] = 1;
  ((unsigned *)attributes)[1] = sizeof attributes;
  return through(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
}
static int io_uring(void) {
  char parameters[120] = {0};
  return through(syscall(425, 4, parameters));
}
static int user_fault(void) { return through(syscall(SYS_userfaultfd, 1 | O_CLOEXEC)); }
static int keyring(void) { return through(syscall(SYS_add_key, "user", "sallyport-attempt", "x", 1, -3)); }
static int keyring_read(void) { return through(syscall(SYS_keyctl, 0, -4, 1)); }
static int memory_secret(void) { return through(syscall(447, 0)); }
static int fanotify(void) { return through(syscall(SYS_fanotify_init, 0x200, O_RDONLY)); }
static int kernel_log(void) {
  static char text[4096];
  return through(syscall(SYS_syslog, 3, text, sizeof text));
}
static int handle_of_file(void) {
  struct { struct file_handle handle; char rest[128]; } found;
  int mount_id;
  found.handle.handle_bytes = 128;
  return through(name_to_handle_at(AT_FDCWD, "/usr", &found.handle, &mount_id, 0));
}
static int persona(void) { return through(personality(0x0040000)); }
static int set_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return through(clock_settime(CLOCK_REALTIME, &now));
}
static int host_name(void) { return through(sethostname("attempt", 7)); }
static int ports(void) { return through(syscall(SYS_ioperm, 0x80, 1, 1)); }
static int descriptor_table(void) {
  unsigned entry[4] = {0, 0, 0, 0};
  return through(syscall(SYS_modify_ldt, 1, entry, sizeof entry));
}
static int old_calls(void) {
#ifdef __x86_64__
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
  errno = (int)-result;
  return through(result);
#else
  errno = ENOSYS;
  return through(-1);
#endif
}
static int old_mount(void) {
#ifdef __x86_64__
  static const char *const path = "/";
  long result;
  /* i386 socketcall would need addresses of 32 bits: i386 unshare(CLONE_NEWUSER) is 310 and needs none. */
  (void)path;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(310L), "b"(0x10000000L) : "memory");
  errno = (int)-result;
  return through(result);
#else
  errno = ENOSYS;
  return through(-1);
#endif
}
static int x32_calls(void) { return through(syscall(0x40000000L | 39)); }
static int x32_unshare(void) { return through(syscall(0x40000000L | 272, 0x10000000)); }

/* set-user-ID and others */
static int set_id_chmod(void) {
  close(make("s1"));
  chmod("s1", 04755);
  return set_id("s1");
}
static int set_id_fchmodat2(void) {
  close(make("s2"));
  syscall(452, AT_FDCWD, "s2", 06755, 0);
  return set_id("s2");
}
static int set_id_open(void) {
  umask(0);
  open("s3", O_CREAT | O_RDWR, 04755);
  return set_id("s3");
}
static int set_id_creat(void) {
  umask(0);
  creat("s4", 02755);
  return set_id("s4");
}
static int set_id_mknod(void) {
  umask(0);
  mknod("s5", S_IFREG | 06755, 0);
  return set_id("s5");
}
static int set_id_high_bits(void) {
  close(make("s6"));
  syscall(SYS_chmod, "s6", 0xffffffff00000000UL | 04755);
  return set_id("s6");
}
static int set_id_tmpfile(void) {
  umask(0);
  int file = open(".", O_TMPFILE | O_RDWR, 04755);
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", file);
  linkat(AT_FDCWD, path, AT_FDCWD, "s7", AT_SYMLINK_FOLLOW);
  return set_id("s7");
}
static int set_id_openat2(void) {
  unsigned long long how[3] = {O_CREAT | O_RDWR, 04755, 0};
  umask(0);
  syscall(437, AT_FDCWD, "s8", how, sizeof how);
  return set_id("s8");
}
static int device(void) { return through(mknod("disk", S_IFBLK | 0600, 254 << 8)); }
static int white_out(void) { return through(mknod("hole", S_IFCHR | 0600, 0)); }
static int file_capability(void) {
  close(make("capable"));
  unsigned value[5] = {0x02000001, 0xffffffff, 0, 0, 0};
  return through(setxattr("capable", "security.capability", value, sizeof value, 0));
}
static int all_capabilities(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  unsigned long long effective = 0, bounding = 0;
  while (status && fgets(line, sizeof line, status)) {
    sscanf(line, "CapEff: %llx", &effective);
    sscanf(line, "CapBnd: %llx", &bounding);
  }
  if (effective | bounding) puts("ESCAPED");
  return 0;
}
static int can_gain_privileges(void) {
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0) puts("ESCAPED");
  return 0;
}

/* terminals */
static int type_into_terminal(void) {
  int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(terminal);
  unlockpt(terminal);
  setsid();
  char *name = ptsname(terminal);
  int slave = open(name == NULL ? "/dev/null" : name, O_RDWR);
  ioctl(slave, TIOCSCTTY, 0);
  char letter = 'x';
  long typed = ioctl(slave, TIOCSTI, &letter);
  long high = syscall(SYS_ioctl, slave, 0xffffffff00000000UL | TIOCSTI, &letter);
  return through(typed >= 0 || high >= 0 ? 0 : -1);
}
static int controlling_terminal(void) { return through(open("/dev/tty", O_RDWR)); }

/* other processes */
static int signal_host(void) { return through(kill(atoi(argument), 0)); }
static int trace_host(void) { return through(ptrace(PTRACE_ATTACH, atoi(argument), 0, 0)); }
static int memory_of_host(void) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%s/mem", argument);
  return through(open(path, O_RDONLY));
}
static int trace_first(void) { return through(ptrace(PTRACE_SEIZE, 1, 0, 0)); }
static int read_first(void) {
  char buffer[8];
  struct iovec local = {buffer, 8}, remote = {(void *)0x400000, 8};
  long result = syscall(SYS_process_vm_readv, 1, &local, 1, &remote, 1, 0);
  return through(result < 0 && errno == EFAULT ? 0 : result);
}
static int read_child(void) {
  static char text[8] = "private";
  char buffer[8];
  struct iovec local = {buffer, 8}, remote = {text, 8};
  int child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  long result = syscall(SYS_process_vm_readv, child, &local, 1, &remote, 1, 0);
  through(result);
  kill(child, SIGKILL);
  return 0;
}
static int take_descriptor(void) {
  int parent = (int)syscall(434, getppid(), 0);
  return through(syscall(438, parent, 1, 0));
}
static int pid_of_host(void) { return through(syscall(434, atoi(argument), 0)); }
static int raise_limits(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_max += 1;
  return through(setrlimit(RLIMIT_NOFILE, &limit));
}
static int real_time(void) {
  struct sched_param parameter = {1};
  return through(sched_setscheduler(0, SCHED_FIFO, &parameter));
}

/* things that are shared beside files and the network */
static int shared_memory(void) { return through(shmget(atoi(argument), 4, 0)); }
/* Made on the host before, removed after. */
static int make_shared_memory(void) { return through(shmget(atoi(argument), 4096, IPC_CREAT | 0666)); }
static int remove_shared_memory(void) { return through(shmctl(shmget(atoi(argument), 4, 0), IPC_RMID, NULL)); }
static int make_message_queue(void) { return through(syscall(SYS_mq_open, argument, O_CREAT | O_RDWR, 0666, NULL)); }
static int remove_message_queue(void) { return through(syscall(SYS_mq_unlink, argument)); }
static int message_queue(void) { return through(syscall(SYS_mq_open, argument, O_RDWR, 0, 0)); }

/* sockets */
static int family(int number, int type, int protocol) { return through(socket(number, type, protocol)); }
static int vsock(void) { return family(40, SOCK_STREAM, 0); }
static int packet(void) { return family(17, SOCK_RAW, 0); }
static int crypto(void) { return family(38, SOCK_SEQPACKET, 0); }
static int raw_socket(void) { return family(AF_INET, SOCK_RAW, 1); }
static int mptcp(void) { return family(AF_INET, SOCK_STREAM, 262); }
static int audit_netlink(void) { return family(16, SOCK_RAW, 9); }
static int uevent_netlink(void) { return family(16, SOCK_DGRAM, 15); }
static int high_family(void) { return through(syscall(SYS_socket, 0xffffffff00000000UL | 38, SOCK_SEQPACKET, 0)); }

#define ENTRY(name) {#name, name}
static const struct {
  const char *name;
  int (*run)(void);
} ATTEMPTS[] = {
    ENTRY(unshare_user), ENTRY(unshare_mount), ENTRY(clone_user), ENTRY(clone3_user), ENTRY(set_namespace),
    ENTRY(mount_tmpfs), ENTRY(mount_proc), ENTRY(mount_remount), ENTRY(unmount_cover), ENTRY(pivot), ENTRY(change_root),
    ENTRY(new_mounts), ENTRY(clone_tree), ENTRY(mount_attributes), ENTRY(bpf_program), ENTRY(perf_event), ENTRY(io_uring),
    ENTRY(user_fault), ENTRY(keyring), ENTRY(keyring_read), ENTRY(memory_secret), ENTRY(fanotify), ENTRY(kernel_log),
    ENTRY(handle_of_file), ENTRY(persona), ENTRY(set_clock), ENTRY(host_name), ENTRY(ports), ENTRY(descriptor_table),
    ENTRY(old_calls), ENTRY(old_mount), ENTRY(x32_calls), ENTRY(x32_unshare), ENTRY(set_id_chmod), ENTRY(set_id_fchmodat2),
    ENTRY(set_id_open), ENTRY(set_id_creat), ENTRY(set_id_mknod), ENTRY(set_id_high_bits), ENTRY(set_id_tmpfile),
    ENTRY(set_id_openat2), ENTRY(device), ENTRY(white_out), ENTRY(file_capability), ENTRY(all_capabilities),
    ENTRY(can_gain_privileges), ENTRY(type_into_terminal), ENTRY(controlling_terminal), ENTRY(signal_host), ENTRY(trace_host),
    ENTRY(memory_of_host), ENTRY(trace_first), ENTRY(read_first), ENTRY(read_child), ENTRY(take_descriptor), ENTRY(pid_of_host),
    ENTRY(raise_limits), ENTRY(real_time), ENTRY(shared_memory), ENTRY(message_queue),
    ENTRY(make_shared_memory), ENTRY(remove_shared_memory), ENTRY(make_message_queue), ENTRY(remove_message_queue), ENTRY(vsock), ENTRY(packet),
    ENTRY(crypto), ENTRY(raw_socket), ENTRY(mptcp), ENTRY(audit_netlink), ENTRY(uevent_netlink), ENTRY(high_family),
};

int main(int count, char **words) {
  setvbuf(stdout, NULL, _IONBF, 0);
  puts("BEGAN");
  if (count > 2) argument = words[2];
  for (size_t index = 0; count > 1 && index < sizeof ATTEMPTS / sizeof *ATTEMPTS; index++) {
    if (strcmp(ATTEMPTS[index].name, words[1]) == 0) return ATTEMPTS[index].run();
  }
  fputs("no such attempt\n", stderr);
  return 64;
}
