import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './row.ts';

/** More than is the program's share of the machine. */
export const LIMIT_ROWS: readonly Row[] = [
  {
    name: 'start four hundred processes',
    attempt: {
      python:
        "import os,time\nfor i in range(400):\n  if os.fork()==0:\n    time.sleep(2)\n    os._exit(0)\nprint('ESCAPED', flush=True)\nos.killpg(0, 9) if os.getpgrp()==os.getpid() else None",
    },
    control: 'always',
  },
  {
    name: 'start four hundred threads',
    attempt: {
      python:
        "import threading,time\nthreading.stack_size(65536)\n[threading.Thread(target=time.sleep,args=(1,),daemon=True).start() for i in range(400)]\nprint('ESCAPED')",
    },
    control: 'always',
  },
  {
    name: 'take memory beyond the limit',
    attempt: {
      python:
        "b=bytearray(700_000_000)\nfor i in range(0,len(b),4096): b[i]=1\nimport time\ntime.sleep(0.7)\nprint('ESCAPED')",
    },
    control: 'always',
    limits: { memoryBytes: 256 * 1_048_576 },
  },
  {
    name: 'take memory beyond the limit by many processes',
    attempt: {
      python:
        "import os,time\nfor i in range(8):\n  if os.fork()==0:\n    b=bytearray(90_000_000)\n    for j in range(0,len(b),4096): b[j]=1\n    time.sleep(1.5)\n    os._exit(0)\nr=[os.wait()[1] for i in range(8)]\nprint('ESCAPED' if not any(r) else '')",
    },
    control: 'always',
    limits: { memoryBytes: 256 * 1_048_576 },
  },
  {
    name: 'take memory beyond the limit by a shared file',
    attempt: {
      python:
        "import os,time\nf=os.memfd_create('x')\nfor i in range(700): os.write(f, b'x'*1_000_000)\ntime.sleep(0.7)\nprint('ESCAPED')",
    },
    control: 'always',
    limits: { memoryBytes: 256 * 1_048_576, fileBytes: 1_073_741_824 },
  },
  {
    name: 'take memory beyond the limit by files in shared memory',
    attempt: {
      sh: 'i=0; while [ $i -lt 12 ]; do head -c 60M /dev/zero > "/dev/shm/sallyport-left-$MARK-$i" || exit 1; i=$((i+1)); done; sleep 0.7; echo ESCAPED',
    },
    control: 'always',
    limits: { memoryBytes: 256 * 1_048_576, diskBytes: 128 * 1_048_576 },
  },
  {
    // No control: without an IPC namespace the segments would stay on the host.
    name: 'take memory beyond the limit by segments of System V',
    attempt: {
      python:
        "import ctypes,time\nl=ctypes.CDLL(None)\nl.shmat.restype=ctypes.c_void_p\nl.shmdt.argtypes=[ctypes.c_void_p]\nn=0\nfor i in range(12):\n  s=l.shmget(0,60_000_000,0o1600)\n  if s<0: break\n  a=l.shmat(s,None,0)\n  ctypes.memset(a,1,60_000_000)\n  l.shmdt(a)\n  n+=1\ntime.sleep(0.7)\nprint('ESCAPED' if n==12 else '')",
    },
    limits: { memoryBytes: 256 * 1_048_576 },
  },
  {
    name: 'write a file beyond the limit',
    attempt: { sh: 'head -c 96M /dev/zero > large 2>/dev/null' },
    control: 'always',
    seenOnHost: ({ work }) => existsSync(join(work, 'large')) && statSync(join(work, 'large')).size > 64 * 1_048_576,
  },
  {
    name: 'open files beyond the limit',
    attempt: { python: "import os\n[os.open('/dev/null', 0) for i in range(600)]\nprint('ESCAPED')" },
    control: 'always',
  },
  {
    name: 'fill the disk by many files',
    attempt: {
      sh: 'i=0; while [ $i -lt 20 ]; do head -c 16M /dev/urandom > many-$i; i=$((i+1)); done; sleep 0.5; echo ESCAPED',
    },
    control: 'always',
    limits: { diskBytes: 128 * 1_048_576 },
    seenOnHost: ({ work }) => readdirSync(work).filter((name) => name.startsWith('many-')).length === 20,
  },
  {
    name: 'fill the private temporary folder',
    attempt: {
      sh: 'i=0; while [ $i -lt 12 ]; do head -c 16M /dev/zero > "/tmp/sallyport-left-$MARK-$i" || exit 1; i=$((i+1)); done; rm -f "/tmp/sallyport-left-$MARK-"*; echo ESCAPED',
    },
    control: 'always',
    limits: { diskBytes: 64 * 1_048_576 },
  },
  { name: 'print without end', attempt: { sh: 'yes | head -c 40000000; echo; echo ESCAPED' }, control: 'always' },
  { name: 'run past the time limit', attempt: { sh: 'sleep 4; echo ESCAPED' }, limits: { wallMs: 700 } },
  {
    name: 'burn the processor past the time limit',
    attempt: { sh: 'i=0; (while :; do :; done) & while [ $i -lt 20000000 ]; do i=$((i+1)); done; echo ESCAPED' },
    limits: { wallMs: 700 },
  },
];
