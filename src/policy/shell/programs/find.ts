import type { ProgramTable } from '../program.ts';

const TESTS = `-H -L -P -D= -O0 -O1 -O2 -O3 -amin= -anewer= -atime= -cmin= -cnewer= -ctime= -daystart -depth -d -empty -executable -false -follow -fstype= -gid= -group= -ignore_readdir_race
  -ilname= -iname= -inum= -ipath= -iregex= -iwholename= -links= -lname= -ls -maxdepth= -mindepth= -mmin= -mount -mtime= -name= -newer= -nogroup -noignore_readdir_race -noleaf -nouser
  -nowarn -path= -perm= -print -print0 -printf= -prune -quit -readable -regex= -regextype= -samefile= -size= -true -type= -uid= -used= -user= -warn -wholename= -writable -xdev -xtype=
  -context= -a -and -o -or -not -neweraa= -newerac= -neweram= -newerat= -newerca= -newercc= -newercm= -newerct= -newerma= -newermc= -newermm= -newermt= -newerBt= -help --help -version --version`;

/** GNU findutils 4.9; fd. Operands are the places to start from, operators of the expression are inert. */
export const FIND_FAMILY: Readonly<Record<string, ProgramTable>> = {
  find: {
    single: true,
    options: {
      ok: TESTS,
      destroys: '-delete',
      write: '-fls= -fprint= -fprint0= -fprintf==',
      'exec-command': '-exec=; -execdir=; -ok=; -okdir=;',
      'file-list': '-files0-from=',
    },
    operands: ['find-start'],
  },
  'fd fdfind': {
    options: {
      ok: '-H --hidden -I --no-ignore -u --unrestricted -s --case-sensitive -i --ignore-case -g --glob -F --fixed-strings -a --absolute-path -l --list-details -L --follow -p --full-path -d= --max-depth= -t= --type= -e= --extension= -E= --exclude= -S= --size= --changed-within= --changed-before= -c= --color= -j= --threads= -1 -q --quiet -0 --print0 --strip-cwd-prefix --format= --min-depth=',
      read: '--search-path= --ignore-file=',
      cwd: '-C= --base-directory=',
      'exec-command': '-x=; --exec=; -X=; --exec-batch=;',
    },
    operands: ['ok', 'read'],
  },
};
