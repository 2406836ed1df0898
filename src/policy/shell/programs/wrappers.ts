import type { ProgramTable } from '../program.ts';

/** Programs that start another one: both are judged (C11). GNU coreutils and findutils, util-linux, bash. */
export const WRAPPERS: Readonly<Record<string, ProgramTable>> = {
  timeout: {
    strict: true,
    options: {
      ok: '--preserve-status --foreground -k= --kill-after= -s= --signal= -v --verbose -p -f --help --version',
    },
    operands: ['ok', 'command'],
  },
  env: {
    strict: true,
    options: {
      ok: '-i --ignore-environment -0 --null -u= --unset= -v --debug --help --version --block-signal=? --default-signal=? --ignore-signal=? --list-signal-handling',
      cwd: '-C= --chdir=',
      runs: '-S= --split-string=',
      ask: '-',
    },
    operands: ['environment-command'],
  },
  xargs: {
    strict: true,
    options: {
      ok: `-0 --null -d= --delimiter= -E= -e=? --eof=? -L= --max-lines=? -l=? -n= --max-args= -o --open-tty -P= --max-procs= -p
        --interactive -r --no-run-if-empty -s= --max-chars= --show-limits -t --verbose -x --exit --help --version`,
      read: '-a= --arg-file=',
      'replace-string': '-I= -i=? --replace=?',
      assigns: '--process-slot-var=',
    },
    operands: ['appended-command'],
  },
  nice: { strict: true, numbers: true, options: { ok: '-n= --adjustment= --help --version' }, operands: ['command'] },
  nohup: { strict: true, options: { ok: '--help --version' }, operands: ['command'] },
  setsid: { strict: true, options: { ok: '-c --ctty -f --fork -w --wait' }, operands: ['command'] },
  stdbuf: { strict: true, options: { ok: '-i= --input= -o= --output= -e= --error=' }, operands: ['command'] },
  ionice: {
    strict: true,
    options: { ok: '-c= --class= -n= --classdata= -t --ignore', ask: '-p= -P= -u=' },
    operands: ['command'],
  },
  time: {
    strict: true,
    options: { ok: '-p --portability -v --verbose -q --quiet -f= --format= -a --append', write: '-o= --output=' },
    operands: ['command'],
  },
  command: {
    strict: true,
    builtin: true,
    options: { ok: '-p -v -V' },
    operands: ['command'],
    when: [{ options: '-v -V', operands: ['ok'] }],
  },
  builtin: { strict: true, builtin: true, operands: ['command'] },
  exec: { strict: true, builtin: true, options: { ok: '-c -l -a=' }, operands: ['command'] },
  watch: {
    strict: true,
    options: {
      ok: '-n= --interval= -d=? --differences=? -t --no-title -b --beep -e --errexit -g --chgexit -c --color -x --exec',
    },
    operands: ['command'],
  },
  flock: {
    strict: true,
    options: {
      ok: '-s --shared -x --exclusive -e -u --unlock -n --nonblock -w= --timeout= -o --close -E= -F --verbose',
      shell: '-c= --command=',
    },
    operands: ['both', 'command'],
  },
  chrt: { strict: true, options: { ok: '-b -f -i -o -r -R -v' }, operands: ['ok', 'command'] },
  taskset: { strict: true, options: { ok: '-a -c -p' }, operands: ['ok', 'command'] },
  parallel: { itself: 'runs' },
  sudo: {
    strict: true,
    options: { ok: '-n -k', outside: '-u= -i -s -E -H -g= -h= -A -S -b -e' },
    operands: ['command'],
  },
  doas: { strict: true, options: { outside: '-u= -s -C=' }, operands: ['command'] },
  strace: {
    strict: true,
    options: { ok: '-f -c -t -tt -T -e= -s= -v', write: '-o=', runs: '-E=' },
    operands: ['command'],
  },
};

const SHELL: ProgramTable = {
  strict: true,
  plus: true,
  options: {
    // `-c` is a flag: the text is the first operand, whatever the rest of its cluster says (`bash -cx -- TEXT`).
    ok: '-c -e -u -x -v -n -f -h -l -p --login --noprofile --norc --posix --restricted -r --version --help --verbose',
    listed: '-o=',
    runs: '-i -s --debugger',
    loads: '--rcfile= --init-file= -O=',
  },
  only: { '-o': ['pipefail', 'errexit', 'nounset', 'xtrace', 'noglob', 'noclobber'] },
  operands: ['shell-file', 'ok'],
  when: [{ options: '-c', operands: ['shell', 'ok'] }],
  // Without a script it runs what it reads.
  implicit: { options: '', role: 'runs', unless: '--version --help' },
};

/** Shells: the text of `-c` is judged like a line of its own; a script is a file that is read. */
export const SHELLS: Readonly<Record<string, ProgramTable>> = {
  bash: SHELL,
  sh: SHELL,
  dash: SHELL,
  zsh: { ...SHELL, options: { ...SHELL.options, runs: '-i -s -c' } },
  ksh: { ...SHELL, options: { ...SHELL.options, runs: '-i -s -c' } },
};
