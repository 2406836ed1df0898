import type { ProgramTable } from '../program.ts';

const COPY_OK = `-a --archive --attributes-only --backup=? -b --copy-contents -d -f --force -i --interactive -H -l --link -L --dereference -n --no-clobber -P --no-dereference -p --preserve=? --no-preserve= --parents -R -r --recursive
  --reflink=? --remove-destination --sparse= --strip-trailing-slashes -s --symbolic-link -S= --suffix= -T --no-target-directory -u --update=? -v --verbose -x --one-file-system -Z --context=? --debug --help --version -D -c -C -m= -o= -g= --mode= --owner= --group= --no-copy --exchange`;

/** GNU coreutils 9 programs for files and folders. */
export const FILES_FAMILY: Readonly<Record<string, ProgramTable>> = {
  'cp install': {
    options: { ok: COPY_OK, write: '-t= --target-directory=', runs: '--strip-program=' },
    operands: ['read'],
    last: 'write',
    when: [{ options: '-t --target-directory', operands: ['read'] }],
  },
  mv: {
    options: { ok: COPY_OK, write: '-t= --target-directory=' },
    operands: ['both'],
    last: 'write',
    when: [{ options: '-t --target-directory', operands: ['both'] }],
  },
  ln: {
    options: {
      ok: '-b --backup=? -d -F --directory -f --force -i --interactive -L --logical -n --no-dereference -P --physical -r --relative -s --symbolic -S= --suffix= -T --no-target-directory -v --verbose --help --version',
      write: '-t= --target-directory=',
    },
    operands: ['both'],
    last: 'write',
  },
  'rm unlink shred': {
    options: {
      ok: '-f --force -i -I --interactive=? --one-file-system --no-preserve-root --preserve-root=? -r -R --recursive -d --dir -v --verbose --help --version -u -z -n= --iterations=',
    },
    operands: ['write'],
  },
  rmdir: {
    options: { ok: '--ignore-fail-on-non-empty -p --parents -v --verbose --help --version' },
    operands: ['write'],
  },
  mkdir: {
    options: { ok: '-m= --mode= -p --parents -v --verbose -Z --context=? --help --version' },
    operands: ['write'],
  },
  touch: {
    options: {
      ok: '-a -c --no-create -d= --date= -f -h --no-dereference -m -t= --time= --help --version',
      read: '-r= --reference=',
    },
    operands: ['write'],
  },
  truncate: {
    options: { ok: '-c --no-create -o --io-blocks -s= --size=', read: '-r= --reference=' },
    operands: ['write'],
  },
  tee: {
    options: { ok: '-a --append -i --ignore-interrupts -p --output-error=? --help --version' },
    operands: ['write'],
  },
  'chmod chown chgrp': {
    options: {
      ok: '-c --changes -f --silent --quiet -v --verbose --no-preserve-root --preserve-root -R --recursive -h --no-dereference --help --version',
      read: '--reference=',
    },
    operands: ['ok', 'write'],
    when: [{ options: '--reference', operands: ['write'] }],
  },
  'ls dir vdir': {
    options: {
      ok: `-a --all -A --almost-all --author -b --escape --block-size= -B --ignore-backups -c -C --color=? -d --directory -D --dired -f -F --classify=? --file-type --format= --full-time -g --group-directories-first -G --no-group -h --human-readable --si
        -H --dereference-command-line --dereference-command-line-symlink-to-dir --hide= --hyperlink=? --indicator-style= -i --inode -I= --ignore= -k --kibibytes -l -L --dereference -m -n --numeric-uid-gid -N --literal -o -p -q --hide-control-chars --show-control-chars -Q --quote-name --quoting-style=
        -r --reverse -R --recursive -s --size -S --sort= --time= --time-style= -t -T= --tabsize= -u -U -v -w= --width= -x -X -Z --context -1 --zero --help --version`,
    },
    operands: ['read'],
  },
  dd: { operands: ['ok'], itself: 'ask' },
  mktemp: {
    options: { ok: '-d --directory -u --dry-run -q --quiet --suffix= -t --help --version', write: '-p= --tmpdir=?' },
    operands: ['write'],
  },
  rsync: {
    options: {
      ok: '-a -v -z -r -n -u -h -P -q -c -l -p -t -g -o -D -H -x -i --archive --verbose --recursive --dry-run --delete --exclude= --include= --progress --stats --checksum --update --human-readable --itemize-changes',
      read: '--exclude-from= --include-from= --files-from= --password-file=',
      write: '--log-file= --backup-dir= --partial-dir= --temp-dir= -T=',
      runs: '-e= --rsh= --rsync-path= --daemon -M= --remote-option=',
    },
    operands: ['remote-path'],
  },
};
