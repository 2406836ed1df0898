import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SECRET } from './matrix-user.ts';
import type { Row } from './row.ts';

const sees = (command: string): { sh: string } => ({
  sh: `{ ${command}; } 2>&1 | grep -q ${SECRET} && echo ESCAPED`,
});
const does = (command: string): { sh: string } => ({ sh: `${command} 2>/dev/null && echo ESCAPED` });

/** Reading and writing beside the workspace, and past what covers parts of it. */
export const FILE_ROWS: readonly Row[] = [
  { name: 'read an SSH key', attempt: sees('cat "$REAL_HOME/.ssh/id_rsa"'), control: 'always' },
  { name: 'read a file outside', attempt: sees('cat "$OUT/secret.txt"'), control: 'always' },
  { name: 'read the password file', attempt: does('grep -q : /etc/shadow') },
  { name: 'list the users of the host', attempt: does('grep -q "$HOST_USER" /etc/passwd'), control: 'always' },
  { name: 'read through a link that was there', attempt: sees('cat link'), control: 'always' },
  { name: 'read through a link made now', attempt: sees('ln -s "$OUT" d1; cat d1/secret.txt'), control: 'always' },
  {
    name: 'write through a link to a folder',
    attempt: does('ln -s "$OUT" d2; echo x > d2/planted'),
    control: 'always',
    seenOnHost: ({ out }) => existsSync(join(out, 'planted')),
  },
  { name: 'make a hard link to a file outside', attempt: does('ln "$OUT/secret.txt" hard'), control: 'always' },
  { name: 'read by dots', attempt: sees('cat ../outside/secret.txt'), control: 'always' },
  {
    name: 'read by the own working folder',
    attempt: sees('cat /proc/self/cwd/../outside/secret.txt'),
    control: 'always',
  },
  { name: 'read by the own root', attempt: sees('cat "/proc/self/root$OUT/secret.txt"'), control: 'always' },
  {
    name: 'read by the root of any process',
    attempt: sees('cat /proc/[0-9]*/root"$OUT/secret.txt"'),
    control: 'always',
  },
  {
    name: 'read by the working folder of any process',
    attempt: sees('cat /proc/[0-9]*/cwd/secret.txt'),
    control: 'always',
  },
  {
    name: 'read by the descriptors of any process',
    attempt: sees('cat /proc/[0-9]*/fd/[3-9] < /dev/null'),
    control: 'always',
  },
  { name: 'read by descriptors that were inherited', attempt: sees('for d in 3 4 5 6 7 8 9; do cat /dev/fd/$d; done') },
  {
    name: 'open outside as a place only',
    attempt: { python: "import os; f=os.open(os.environ['OUT'], os.O_PATH); print('ESCAPED')" },
    control: 'always',
  },
  {
    name: 'watch a folder outside',
    attempt: {
      python:
        "import ctypes,os; l=ctypes.CDLL(None); f=l.inotify_init1(0); print('ESCAPED' if l.inotify_add_watch(f, os.environ['OUT'].encode(), 0xfff) >= 0 else '')",
    },
    control: 'always',
  },
  {
    name: 'write a file outside',
    attempt: does('echo x > "$OUT/planted"'),
    control: 'always',
    seenOnHost: ({ out }) => existsSync(join(out, 'planted')),
  },
  { name: 'write to /etc', attempt: does('touch /etc/sallyport-attempt') },
  { name: 'write to /usr', attempt: does('touch /usr/bin/sallyport-attempt') },
  {
    name: 'append to a start file of the shell',
    attempt: does('echo planted >> "$REAL_HOME/.bashrc"'),
    control: 'always',
    seenOnHost: ({ home }) => readFileSync(join(home, '.bashrc'), 'utf8').includes('planted'),
  },
  {
    name: 'change the mode of a file outside',
    attempt: does('chmod 666 "$OUT/secret.txt"'),
    control: 'always',
    seenOnHost: ({ out }) => (statSync(join(out, 'secret.txt')).mode & 0o777) === 0o666,
  },
  {
    name: 'cut off a file outside',
    attempt: { python: "import os; os.truncate(os.environ['OUT'] + '/secret.txt', 0); print('ESCAPED')" },
    control: 'always',
    seenOnHost: ({ out }) => statSync(join(out, 'secret.txt')).size === 0,
  },
  {
    name: 'set the times of a file outside',
    attempt: does('touch -d 2001-01-01 "$OUT/secret.txt"'),
    control: 'always',
  },
  {
    name: 'write to a mount that is read-only',
    attempt: does('echo x > "$READ_ONLY/file.txt"'),
    control: 'always',
    seenOnHost: ({ readOnly }) => readFileSync(join(readOnly, 'file.txt'), 'utf8') !== 'original',
  },
  {
    name: 'write to a mount that is read-only by its descriptor',
    attempt: does('exec 7< "$READ_ONLY/file.txt"; echo x > /proc/self/fd/7'),
    control: 'always',
  },
  { name: 'read a hidden file', attempt: sees('cat .env'), control: 'always' },
  { name: 'read a hidden file by its own root', attempt: sees('cat "/proc/self/root$WORK/.env"'), control: 'always' },
  { name: 'read a hidden file by the root of pid 1', attempt: sees('cat "/proc/1/root$WORK/.env"') },
  { name: 'read a hidden file by a link', attempt: sees('ln -s .env e; cat e'), control: 'always' },
  { name: 'read a hidden file by a hard link', attempt: sees('ln .env e2; cat e2'), control: 'always' },
  {
    name: 'read a hidden file by a copy of the tree',
    attempt: sees('cp -r . "/tmp/sallyport-left-$MARK"; cat "/tmp/sallyport-left-$MARK/.env"'),
    control: 'always',
  },
  { name: 'read in a hidden folder', attempt: sees('cat secrets/key.txt; ls -R secrets'), control: 'always' },
  {
    name: 'write a hidden file',
    attempt: does('echo x > .env'),
    control: 'always',
    seenOnHost: ({ work }) => !readFileSync(join(work, '.env'), 'utf8').startsWith(SECRET),
  },
  {
    name: 'write in a hidden folder',
    attempt: { sh: 'echo x > secrets/new.txt' },
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, 'secrets/new.txt')),
  },
  { name: 'rename a hidden file', attempt: sees('mv .env moved; cat moved'), control: 'always' },
  {
    name: 'exchange a hidden file for another',
    attempt: {
      python:
        "import ctypes; l=ctypes.CDLL(None); open('mine','w').close(); print('ESCAPED' if l.renameat2(-100,b'mine',-100,b'.env',2)==0 else '')",
    },
    control: 'always',
  },
  {
    name: 'replace a hidden file',
    attempt: does('echo x > new; mv -f new .env'),
    control: 'always',
    seenOnHost: ({ work }) =>
      !existsSync(join(work, '.env')) || !readFileSync(join(work, '.env'), 'utf8').startsWith(SECRET),
  },
  {
    name: 'remove a hidden file',
    attempt: does('rm -f .env'),
    control: 'always',
    seenOnHost: ({ work }) => !existsSync(join(work, '.env')),
  },
  {
    name: 'read a hidden file after its parent was renamed',
    attempt: sees('mv deep moved-deep; cat moved-deep/hidden.txt'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, 'moved-deep/hidden.txt')),
  },
  { name: 'unmount a cover', attempt: { c: ['unmount_cover', '$WORK/.env'] } },
  {
    name: 'change what is read-only in the workspace',
    attempt: does('echo x >> .git/config'),
    control: 'always',
    seenOnHost: ({ work }) => readFileSync(join(work, '.git/config'), 'utf8') !== '[core]\n',
  },
  {
    name: 'cut off what is read-only in the workspace',
    attempt: { sh: ': > .git/config' },
    control: 'always',
    seenOnHost: ({ work }) => readFileSync(join(work, '.git/config'), 'utf8') !== '[core]\n',
  },
  {
    name: 'cut off a hidden file',
    attempt: { sh: ': > .env; : > deep/hidden.txt' },
    control: 'always',
    seenOnHost: ({ work }) =>
      statSync(join(work, '.env')).size === 0 || statSync(join(work, 'deep/hidden.txt')).size === 0,
  },
  {
    name: 'cut off files of a read-only mount by calls that need no descriptor',
    attempt: {
      python:
        "import os\nf=os.environ['READ_ONLY']+'/file.txt'\nfor g in (lambda: os.truncate(f,0), lambda: os.utime(f,(1,1)), lambda: os.chmod(f,0o777), lambda: os.rename(f,f+'2'), lambda: os.unlink(f), lambda: os.setxattr(f,'user.x',b'1'), lambda: os.link(f,f+'3'), lambda: os.open(f,os.O_RDONLY|os.O_TRUNC)):\n  try: g(); print('ESCAPED')\n  except OSError: pass",
    },
    control: 'always',
    seenOnHost: ({ readOnly }) => {
      const file = join(readOnly, 'file.txt');
      const found = statSync(file, { throwIfNoEntry: false });
      return found === undefined || found.size !== 8 || (found.mode & 0o777) === 0o777 || found.mtimeMs < 2000;
    },
  },
  {
    name: 'add to a folder that is read-only',
    attempt: does('echo x > .git/hooks/post-checkout'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, '.git/hooks/post-checkout')),
  },
  {
    name: 'rename a folder that is read-only and put another there',
    attempt: does('mv .git old && mkdir -p .git/hooks && echo x > .git/hooks/pre-commit'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, '.git/hooks/pre-commit')),
  },
  {
    name: 'make a reserved file',
    attempt: does('echo x > .mcp.json'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, '.mcp.json')),
  },
  {
    name: 'make a reserved file as a folder or link',
    attempt: does('mkdir .mcp.json || ln -s new .mcp.json'),
    control: 'always',
    seenOnHost: ({ work }) => lstatSync(join(work, '.mcp.json'), { throwIfNoEntry: false }) !== undefined,
  },
  {
    name: 'move something to a reserved name',
    attempt: does('echo x > n; mv -f n .mcp.json'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, '.mcp.json')),
  },
  {
    name: 'make a reserved file below a folder',
    attempt: does('mkdir -p deep; echo x > deep/.npmrc'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, 'deep/.npmrc')),
  },
  {
    name: 'make a reserved file after its parent was replaced',
    attempt: does('mv deep d3 && mkdir deep && echo x > deep/.npmrc'),
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, 'deep/.npmrc')),
  },
  {
    name: 'change the workspace itself for a link',
    attempt: does('cd .. && mv work gone && ln -s outside work'),
    control: 'always',
    seenOnHost: ({ work }) => lstatSync(work, { throwIfNoEntry: false })?.isSymbolicLink() === true,
  },
  {
    name: 'read the memory of the kernel and disks',
    attempt: does(
      'head -c 1 /dev/mem || head -c 1 /dev/kmem || head -c 1 /dev/vda || head -c 1 /dev/sda || head -c 1 /dev/nvme0n1',
    ),
  },
  { name: 'open a virtual machine', attempt: does(': < /dev/kvm') },
  {
    name: 'open /dev/fuse, tun and others',
    attempt: {
      sh: 'for d in fuse net/tun vhost-vsock vsock loop-control uinput snapshot; do test -e /dev/$d && : < /dev/$d && echo ESCAPED; done 2>/dev/null',
    },
    virtual: ['gvisor'],
  },
  {
    name: 'write a setting of the kernel',
    attempt: {
      sh: 'for f in kernel/core_pattern kernel/modprobe kernel/domainname fs/binfmt_misc/register vm/overcommit_memory net/ipv4/ip_forward; do (: >> /proc/sys/$f) 2>/dev/null && echo ESCAPED; done',
    },
  },
  { name: 'write to sysrq', attempt: does(': >> /proc/sysrq-trigger') },
  {
    name: 'make a control group',
    attempt: {
      sh: 'for d in $(find /sys/fs/cgroup -maxdepth 2 -type d 2>/dev/null); do mkdir $d/sallyport-attempt 2>/dev/null && { rmdir $d/sallyport-attempt; echo ESCAPED; }; done',
    },
  },
  {
    name: 'set the helper of kernel events',
    attempt: does('(: >> /sys/kernel/uevent_helper) || (: >> /sys/kernel/mm/transparent_hugepage/enabled)'),
  },
  {
    name: 'see the devices of the host',
    attempt: { sh: 'ls /sys/class/net/e* /sys/block/* /sys/class/dmi/id/* 2>/dev/null | grep -q . && echo ESCAPED' },
    control: 'always',
  },
  { name: 'read the symbols of the kernel', attempt: does('grep -v "^0000000000000000" /proc/kallsyms | grep -q .') },
  { name: 'read /proc/kcore', attempt: does('head -c 1 /proc/kcore | grep -q .') },
  {
    name: 'leave a file in the temporary folder of the host',
    attempt: { sh: 'echo x > "/tmp/sallyport-left-$MARK"' },
    control: 'always',
    seenOnHost: ({ mark }) => existsSync(`/tmp/sallyport-left-${mark}`),
  },
  {
    name: 'leave a file in the shared memory of the host',
    attempt: { sh: 'echo x > "/dev/shm/sallyport-left-$MARK"' },
    control: 'always',
    seenOnHost: ({ mark }) => existsSync(`/dev/shm/sallyport-left-${mark}`),
  },
  {
    name: 'read the shared memory of the host',
    attempt: sees('cat "/dev/shm/sallyport-host-$MARK"'),
    control: 'always',
  },
  {
    name: 'leave a file in /var/tmp',
    attempt: { sh: 'echo x > "/var/tmp/sallyport-left-$MARK"' },
    control: 'always',
    seenOnHost: ({ mark }) => existsSync(`/var/tmp/sallyport-left-${mark}`),
  },
  {
    name: 'read the identity of the machine',
    attempt: { sh: 'test -s /etc/machine-id && test "$(cat /etc/machine-id)" = "$MACHINE_ID" && echo ESCAPED' },
  },
  {
    name: 'read the name of the host',
    attempt: { sh: 'test "$(uname -n)" = "$HOST_NAME" && echo ESCAPED' },
    control: 'always',
  },
  {
    name: 'read paths of the host in the list of mounts',
    attempt: { sh: 'grep -q "$OUT" /proc/self/mountinfo && echo ESCAPED' },
  },
];
