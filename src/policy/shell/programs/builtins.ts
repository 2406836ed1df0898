import type { ProgramTable } from '../program.ts';

const INERT: ProgramTable = { builtin: true, inert: true, operands: ['ok'] };
const TEST: ProgramTable = {
  builtin: true,
  single: true,
  options: {
    ok: '-z -n -t -o -a -eq -ne -lt -le -gt -ge -nt -ot -ef',
    'test-file': '-b= -c= -d= -e= -f= -g= -h= -k= -p= -r= -s= -u= -w= -x= -L= -O= -G= -S= -N=',
    // Looks up a variable by name, subscripts and all, and so may run code.
    runs: '-v=? -R=?',
  },
  operands: ['ok'],
};

/** Commands of bash 5.2 itself, and the small programs of coreutils that only print. */
export const BUILTINS: Readonly<Record<string, ProgramTable>> = {
  echo: { ...INERT, options: { ok: '' }, echo: true },
  'true false :': { ...INERT, echo: true },
  printf: { builtin: true, inert: true, strict: true, options: { assigns: '-v=' }, operands: ['ok'] },
  'test [': TEST,
  cd: { builtin: true, options: { ok: '-L -P -e -@' }, operands: ['read'] },
  pushd: { builtin: true, options: { ok: '-n' }, operands: ['read'] },
  popd: { builtin: true, options: { ok: '-n' } },
  pwd: { builtin: true, options: { ok: '-L -P' } },
  'exit return break continue shift wait times': { builtin: true, operands: ['ok'] },
  set: {
    builtin: true,
    strict: true,
    plus: true,
    options: { ok: '-e -u -x -v -f -n', listed: '-o=', ask: '+' },
    only: { '-o': ['errexit', 'nounset', 'pipefail', 'xtrace', 'verbose', 'noglob', 'noclobber'] },
    operands: ['ok'],
  },
  'export readonly declare typeset local': {
    builtin: true,
    options: { ok: '-x -r -g -p', assigns: '-f -n -a -A -i -l -u -t -I -F' },
    operands: ['environment'],
    assignment: true,
  },
  unset: { builtin: true, options: { ok: '-v', assigns: '-f -n' }, operands: ['variable'] },
  read: {
    builtin: true,
    options: { ok: '-d= -e -i= -n= -N= -p= -r -s -t= -u=', assigns: '-a=' },
    operands: ['variable'],
  },
  'mapfile readarray': {
    builtin: true,
    options: { runs: '-C= -c=', ok: '-d= -n= -O= -s= -t -u=' },
    operands: ['assigns'],
  },
  eval: { builtin: true, strict: true, operands: ['shell-words'] },
  'source .': { builtin: true, strict: true, itself: 'loads', operands: ['read', 'ok'] },
  trap: { builtin: true, strict: true, options: { ok: '-l -p' }, operands: ['trap-text', 'ok'] },
  'let getopts': { builtin: true, itself: 'assigns' },
  'alias unalias hash enable shopt bind complete compgen compopt caller fc history help logout suspend disown': {
    builtin: true,
    itself: 'ask',
  },
  type: { builtin: true, options: { ok: '-a -f -p -P -t' }, operands: ['ok'] },
  'jobs fg bg kill': { builtin: true, options: { ok: '-l -p -n -r -s= -x' }, operands: ['ok'], numbers: true },
  umask: { builtin: true, options: { ok: '-p -S' }, operands: ['ok'] },
  ulimit: {
    builtin: true,
    options: {
      ok: '-S -H -a -b=? -c=? -d=? -e=? -f=? -i=? -k=? -l=? -m=? -n=? -p=? -q=? -r=? -s=? -t=? -u=? -v=? -x=?',
    },
    operands: ['ok'],
  },
  'basename dirname': {
    options: { ok: '-a --multiple -s= --suffix= -z --zero --help --version' },
    operands: ['ok'],
    inert: true,
  },
  date: {
    options: {
      ok: '-d= --date= -I=? --iso-8601=? -R --rfc-email --rfc-3339= -u --utc --universal --debug --resolution --help --version',
      read: '-f= --file= -r= --reference=',
      outside: '-s= --set=',
    },
    operands: ['date-format'],
  },
  'sleep seq nproc uname hostname whoami id groups tty arch uptime free df expr factor which yes cal': {
    options: {
      ok: '-a -s -n -r -v -m -p -o -i -f= -w -h -H -T -k -l -P -t= -u -g -G -z -B --all --equal-width --separator= --format= --human-readable --help --version',
    },
    operands: ['ok'],
    numbers: true,
  },
  printenv: { options: { ok: '-0 --null --help --version' }, operands: ['ok'] },
};
