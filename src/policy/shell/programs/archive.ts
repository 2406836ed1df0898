import type { ProgramTable } from '../program.ts';

const TAR: ProgramTable = {
  oldStyle: true,
  options: {
    ok: `-A --catenate --concatenate -c --create -d --diff --compare --delete -r --append -t --list --test-label -u --update -x --extract --get -j --bzip2 -J --xz --lzip --lzma --lzop -z --gzip --gunzip --ungzip --zstd -Z --compress -a
      --auto-compress --no-auto-compress -v --verbose -w --interactive --confirmation --totals=? -k --keep-old-files --keep-newer-files --overwrite --overwrite-dir --no-overwrite-dir --skip-old-files -U --unlink-first --recursive-unlink
      -O --to-stdout -W --verify -S --sparse --hole-detection= -m --touch --mode= --mtime= --owner= --group= --numeric-owner -p --preserve-permissions --same-permissions --no-same-owner --no-same-permissions --same-owner -s --preserve-order --same-order
      --sort= --atime-preserve=? -h --dereference --hard-dereference -n --seek --no-seek -N= --newer= --after-date= --newer-mtime= --format= -H= --old-archive --portability --pax-option= --posix -V= --label= -b= --blocking-factor= -B --read-full-records -i --ignore-zeros
      --record-size= --exclude= --exclude-backups --exclude-caches --exclude-caches-all --exclude-caches-under --exclude-vcs --exclude-vcs-ignores --exclude-tag= --exclude-ignore= --no-recursion --recursion --one-file-system --anchored --no-anchored --ignore-case --no-ignore-case
      --wildcards --no-wildcards --wildcards-match-slash --no-wildcards-match-slash --strip-components= --strip= --backup=? --suffix= -l --check-links --checkpoint=? --ignore-command-error --no-ignore-command-error --full-time --index-file= --quoting-style= -R --block-number --show-defaults --show-omitted-dirs --utc
      --warning= --null --no-null --delay-directory-restore --no-delay-directory-restore --occurrence=? --remove-files --verbatim-files-from --no-verbatim-files-from --clamp-mtime --xattrs --no-xattrs --acls --no-acls --selinux --no-selinux --one-top-level --keep-directory-symlink --restrict --force-local --version --help --usage -G --incremental --level= -L= --tape-length= -M --multi-volume -K= --starting-file=`,
    archive: '-f= --file=',
    cwd: '-C= --directory=',
    'file-list': '-T= --files-from=',
    read: '-X= --exclude-from= --exclude-ignore-recursive= --add-file=',
    both: '-g= --listed-incremental=',
    write: '--one-top-level=? --volno-file= --index-file=',
    listed: '--checkpoint-action=',
    runs: '-I= --use-compress-program= --to-command= -F= --info-script= --new-volume-script= --rmt-command= --rsh-command=',
    outside: '-P --absolute-names --show-transformed-names --transform= --xform=',
  },
  only: { '--checkpoint-action': ['dot', '.', 'bell', 'echo', 'ttyout', 'totals', 'sleep'] },
  operands: ['read'],
  when: [
    { options: '-x --extract --get -t --list -d --diff --compare --delete', operands: ['ok'] },
    { options: '--remove-files', operands: ['both'] },
  ],
  // Members land in the current folder, unless they go to standard output.
  implicit: { options: '-x --extract --get', role: 'write', unless: '-O --to-stdout' },
};

const GZIP_OK =
  '-f --force -h --help -l --list -L --license -n --no-name -N --name -q --quiet -r --recursive -S= --suffix= -v --verbose -V --version -1 -2 -3 -4 -5 -6 -7 -8 -9 --fast --best --rsyncable --synchronous -e --extreme -T= --threads= --memlimit= -s --small -0';
const compressor = (ok: string): ProgramTable => ({
  options: { ok: `${ok} -c --stdout --to-stdout -d --decompress --uncompress -k --keep -t --test -z --compress` },
  operands: ['both'],
  when: [{ options: '-c --stdout --to-stdout -t --test -l --list', operands: ['read'] }],
});

/** GNU tar 1.34, Info-ZIP zip 3 and unzip 6, gzip, bzip2, xz, zstd, from their manuals. */
export const ARCHIVE_FAMILY: Readonly<Record<string, ProgramTable>> = {
  'tar gtar': TAR,
  zip: {
    options: {
      ok: '-r --recurse-paths -R -q --quiet -v --verbose -j --junk-paths -0 -1 -2 -3 -4 -5 -6 -7 -8 -9 -x=* --exclude=* -i=* --include=* -u --update -f --freshen -d --delete -D --no-dir-entries -X --no-extra -y --symlinks -n= --suffixes= -s= --split-size= -z --archive-comment -c --entry-comments -o --latest-time -g --grow -l --to-crlf -ll -A --adjust-sfx -F --fix -FF -e --encrypt -S -t= -tt= -T --test -h --help -sf --show-files -FS --filesync -db -dc -dd -ds= -la -ws -w -MM -@ -fz -I',
      write: '-O= --output-file= -lf= --logfile-path= -b= --temp-path=',
      runs: '-TT= --unzip-command=',
      destroys: '-m --move',
      ask: '-P= --password=',
    },
    operands: ['both', 'read'],
  },
  unzip: {
    options: {
      ok: '-l -t -v -z -Z -Z1 -c -p -f -u -n -o -q -qq -a -aa -b -j -C -L -LL -V -X -K -M -U -UU -W -D -DD -F -S -s -T -x=* -h -hh',
      write: '-d=',
      outside: '-:',
      ask: '-P=',
    },
    operands: ['read', 'ok'],
    implicit: { options: '*', role: 'write', unless: '-d -l -t -v -z -Z -Z1 -c -p -h -hh -T' },
  },
  'gzip gunzip': compressor(GZIP_OK),
  'bzip2 bunzip2 xz unxz lzma': compressor(GZIP_OK),
  'zstd unzstd': {
    ...compressor(`${GZIP_OK} -19 --ultra --rm`),
    options: {
      ok: `${GZIP_OK} --ultra -c --stdout -d --decompress -k --keep -t --test -z --compress`,
      write: '-o= --output-dir-flat=',
      read: '-D=',
      destroys: '--rm',
    },
  },
  'zcat bzcat xzcat zstdcat zless zgrep': {
    numbers: true,
    options: { ok: '-f -q -v -h -i -n -c -l -o -w -E -F -e=' },
    operands: ['read'],
  },
  zipinfo: { options: { ok: '-1 -2 -s -m -l -v -h -t -T -z' }, operands: ['read', 'ok'] },
};
