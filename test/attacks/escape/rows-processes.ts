import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Row } from './row.ts';
import type { EscapeWorld } from './world.ts';

/** Whether a file in the workspace still grows when everything should be gone. */
async function stillGrows({ work }: EscapeWorld): Promise<boolean> {
  const sizeNow = (): number => {
    const file = join(work, 'heartbeat');
    return existsSync(file) ? readFileSync(file).length : 0;
  };
  const before = sizeNow();
  await delay(250);
  return sizeNow() > before;
}

const HEARTBEAT = 'i=0; while [ $i -lt 60 ]; do echo x >> heartbeat; sleep 0.05; i=$((i+1)); done';

/** Other processes, and living on when the call is over. */
export const PROCESS_ROWS: readonly Row[] = [
  {
    name: 'see a process of the host',
    attempt: { sh: 'cat /proc/[0-9]*/cmdline 2>/dev/null | grep -aq "[h]ost-$MARK" && echo ESCAPED' },
    control: 'always',
  },
  { name: 'signal a process of the host', attempt: { c: ['signal_host', '$HOST_PID'] }, control: 'always' },
  { name: 'trace a process of the host', attempt: { c: ['trace_host', '$HOST_PID'] }, control: 'always' },
  {
    name: 'open the memory of a process of the host',
    attempt: { c: ['memory_of_host', '$HOST_PID'] },
    control: 'always',
  },
  { name: 'hold a process of the host by descriptor', attempt: { c: ['pid_of_host', '$HOST_PID'] }, control: 'always' },
  { name: 'trace pid 1', attempt: { c: ['trace_first'] } },
  { name: 'read the memory of pid 1', attempt: { c: ['read_first'] } },
  {
    name: 'read the memory of another process',
    attempt: { c: ['read_child'] },
    control: 'always',
    virtual: ['gvisor'],
  },
  { name: 'take a descriptor of the parent', attempt: { c: ['take_descriptor'] } },
  {
    name: 'open a descriptor of pid 1',
    attempt: {
      sh: 'for d in /proc/1/fd/*; do case "$(readlink $d 2>/dev/null)" in /dev/null|pipe:*|"") ;; *) echo ESCAPED;; esac; done',
    },
  },
  { name: 'see our environment in its own', attempt: { sh: 'env | grep -q "canary-$MARK" && echo ESCAPED' } },
  {
    name: 'see our environment by any process',
    attempt: { sh: 'cat /proc/[0-9]*/environ 2>/dev/null | grep -aq "[c]anary-$MARK" && echo ESCAPED' },
  },
  {
    name: 'attach shared memory of the host (System V)',
    attempt: { c: ['shared_memory', '$SHM_KEY'] },
    control: 'always',
  },
  { name: 'read a message queue of the host (POSIX)', attempt: { c: ['message_queue', '$QUEUE'] }, control: 'always' },
  {
    name: 'lower the priority of others',
    attempt: { sh: 'renice -n 5 -p "$HOST_PID" >/dev/null 2>&1 && echo ESCAPED' },
    control: 'always',
  },
  {
    name: 'live on as a child in the background',
    attempt: { sh: `(${HEARTBEAT}) >/dev/null 2>&1 &` },
    seenOnHost: stillGrows,
  },
  {
    name: 'live on after a double fork in a session of its own',
    attempt: { sh: `setsid sh -c '(${HEARTBEAT}) & exit 0' </dev/null >/dev/null 2>&1; sleep 0.1` },
    control: 'always',
    seenOnHost: stillGrows,
  },
  {
    name: 'live on past the time limit, deaf to SIGTERM',
    attempt: { sh: `trap "" TERM HUP INT; (trap "" TERM; setsid sh -c '${HEARTBEAT}') & while :; do sleep 0.05; done` },
    limits: { wallMs: 800 },
    seenOnHost: stillGrows,
  },
  {
    name: 'live on after all of its input and output is closed',
    attempt: { sh: `exec <&- >&- 2>&-; setsid sh -c '${HEARTBEAT}' &` },
    control: 'always',
    seenOnHost: stillGrows,
  },
  {
    name: 'leave a core dump',
    attempt: {
      sh: 'ulimit -c unlimited 2>/dev/null; sh -c "kill -SEGV \\$\\$"; ls core* 2>/dev/null | grep -q . && echo ESCAPED',
    },
  },
];
