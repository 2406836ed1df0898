import type { ProgramTable } from '../program.ts';

const GREP: ProgramTable = {
  numbers: true,
  options: {
    ok: `-E --extended-regexp -F --fixed-strings -G --basic-regexp -P --perl-regexp -e= --regexp= -i --ignore-case -y --no-ignore-case -w --word-regexp -x --line-regexp -z --null-data
      -s --no-messages -v --invert-match -V --version --help -m= --max-count= -b --byte-offset -n --line-number --line-buffered -H --with-filename -h --no-filename --label= -o --only-matching
      -q --quiet --silent --binary-files= -a --text -I -d= --directories= -D= --devices= -r --recursive -R --dereference-recursive --include= --exclude= --exclude-dir= -L --files-without-match
      -l --files-with-matches -c --count -T --initial-tab -Z --null -B= --before-context= -A= --after-context= -C= --context= --group-separator= --no-group-separator --color=? --colour=? -U --binary -u --unix-byte-offsets`,
    read: '-f= --file= --exclude-from=',
  },
  operands: ['ok', 'read'],
  when: [{ options: '-e --regexp -f --file', operands: ['read'] }],
};

const RG: ProgramTable = {
  negatable: true,
  numbers: true,
  options: {
    ok: `-A= --after-context= --auto-hybrid-regex -B= --before-context= --binary --block-buffered -b --byte-offset -s --case-sensitive --color= --colors= --column -C= --context= --context-separator= -c --count
      --count-matches --crlf --debug --trace --dfa-size-limit= -E= --encoding= --engine= --field-context-separator= --field-match-separator= --files -l --files-with-matches --files-without-match -F --fixed-strings -L --follow
      --generate= -g= --glob= --glob-case-insensitive --heading -h --help -. --hidden --hyperlink-format= --iglob= -i --ignore-case --ignore-file-case-insensitive --include-zero -v --invert-match --json
      --line-buffered -n --line-number -N --no-line-number -x --line-regexp -M= --max-columns= --max-columns-preview -m= --max-count= -d= --max-depth= --maxdepth= --max-filesize= --mmap -U --multiline --multiline-dotall
      --no-config --no-filename -I --no-ignore --no-ignore-dot --no-ignore-exclude --no-ignore-files --no-ignore-global --no-ignore-messages --no-ignore-parent --no-ignore-vcs --no-messages --no-require-git --no-unicode
      -0 --null --null-data --one-file-system -o --only-matching --passthru --passthrough --path-separator= -P --pcre2 --pcre2-version --pretty -p -q --quiet --regex-size-limit= -e= --regexp= -r= --replace= -S --smart-case
      --sort= --sortr= --stats --stop-on-nonmatch -a --text -j= --threads= --trim -t= --type= --type-add= --type-clear= --type-list -T= --type-not= -u -uu -uuu --unrestricted -V --version --vimgrep -H --with-filename -w --word-regexp --no-pre --pre-glob= --no-heading --ignore`,
    read: '-f= --file= --ignore-file=',
    runs: '--pre= --hostname-bin= -z --search-zip',
  },
  operands: ['ok', 'read'],
  when: [{ options: '-e --regexp -f --file --files --type-list', operands: ['read'] }],
};

const SED: ProgramTable = {
  options: {
    ok: '-n --quiet --silent --debug -l= --line-length= --posix -E -r --regexp-extended -s --separate --sandbox -u --unbuffered -z --null-data -b --binary --follow-symlinks --help --version',
    'sed-script': '-e= --expression=',
    read: '-f= --file=',
    'in-place': '-i=? --in-place=?',
  },
  operands: ['sed-script', 'read'],
  when: [
    { options: '-i --in-place', and: '-e --expression -f --file', operands: ['both'] },
    { options: '-i --in-place', operands: ['sed-script', 'both'] },
    { options: '-e --expression -f --file', operands: ['read'] },
  ],
};

const AWK: ProgramTable = {
  strict: true,
  options: {
    ok: '-F= --field-separator= -v= --assign= -W= --version -V -h --help -b --characters-as-bytes -c --traditional -C --copyright -I --trace -k --csv -M --bignum -n --non-decimal-data -N --use-lc-numeric -O --optimize -P --posix -r --re-interval -s --no-optimize -S --sandbox -t --lint-old -L=? --lint=?',
    read: '-f= --file=',
    'awk-program': '-e= --source=',
    write: '-o=? --pretty-print=? -p=? --profile=? -d=? --dump-variables=?',
    loads: '-i= --include= -l= --load= -E= --exec= -D=? --debug=? -g --gen-pot',
  },
  operands: ['awk-program', 'read'],
  when: [{ options: '-f --file -e --source', operands: ['read'] }],
};

const LESS: ProgramTable = {
  plus: true,
  numbers: true,
  options: {
    ok: '-a -A -B -c -C -d -e -E -f -F -g -G -i -I -J -K -m -M -n -N -q -Q -r -R -s -S -u -U -V -w -W -X -~ -b= -h= -j= -p= -P= -x= -y= -z= -#= --RAW-CONTROL-CHARS --quit-if-one-screen --no-init --chop-long-lines --LINE-NUMBERS --ignore-case --help --version --quit-at-eof --squeeze-blank-lines --pattern= --tabs= --mouse --use-color',
    read: '-t= --tag= -T= --tag-file=',
    write: '-o= --log-file= -O= --LOG-FILE=',
    loads: '-k= --lesskey-file= --lesskey-src= --lesskey-content=',
    runs: '+',
  },
  operands: ['read'],
};

const reader = (ok: string, extra: Partial<ProgramTable> = {}): ProgramTable => ({
  numbers: true,
  options: { ok: `${ok} --help --version` },
  operands: ['read'],
  ...extra,
});

/** GNU coreutils, grep, sed, gawk, mawk, ripgrep, jq, less, man-db, diffutils, from their manuals. */
export const TEXT_FAMILY: Readonly<Record<string, ProgramTable>> = {
  'grep egrep fgrep': GREP,
  rg: RG,
  sed: SED,
  'awk gawk mawk nawk': AWK,
  'less more most': LESS,
  cat: reader(
    '-A --show-all -b --number-nonblank -e -E --show-ends -n --number -s --squeeze-blank -t -T --show-tabs -u -v --show-nonprinting',
  ),
  tac: reader('-b --before -r --regex -s= --separator='),
  nl: reader('-b= --body-numbering= -d= -f= -h= -i= -l= -n= -p -s= -v= -w='),
  bat: reader(
    '-A --show-all -p --plain -l= --language= -n --number -r= --line-range= -H= --highlight-line= --style= --color= --decorations= --theme= --wrap= --tabs=',
    {
      options: {
        ok: '-A --show-all -p -pp --plain -l= --language= -n --number -r= --line-range= -H= --highlight-line= --style= --color= --decorations= --theme= --wrap= --tabs= --paging= -P',
        runs: '--pager=',
        loads: '--config-file= --map-syntax=',
      },
    },
  ),
  head: reader('-c= --bytes= -n= --lines= -q --quiet --silent -v --verbose -z --zero-terminated'),
  tail: reader(
    '-c= --bytes= -f --follow=? -F -n= --lines= --max-unchanged-stats= --pid= -q --quiet --silent --retry -s= --sleep-interval= -v --verbose -z --zero-terminated',
    { plus: false },
  ),
  cut: reader(
    '-b= --bytes= -c= --characters= -d= --delimiter= -f= --fields= -n --complement -s --only-delimited --output-delimiter= -z --zero-terminated',
  ),
  paste: reader('-d= --delimiters= -s --serial -z --zero-terminated'),
  join: reader('-a= -e= -i --ignore-case -j= -o= -t= -v= -1= -2= --check-order --nocheck-order --header -z'),
  comm: reader('-1 -2 -3 --check-order --nocheck-order --output-delimiter= --total -z'),
  tr: {
    options: { ok: '-c -C --complement -d --delete -s --squeeze-repeats -t --truncate-set1 --help --version' },
    operands: ['ok'],
  },
  uniq: {
    options: {
      ok: '-c --count -d --repeated -D --all-repeated=? -f= --skip-fields= --group=? -i --ignore-case -s= --skip-chars= -u --unique -z --zero-terminated -w= --check-chars= --help --version',
    },
    operands: ['read', 'write'],
    numbers: true,
  },
  wc: {
    options: {
      ok: '-c --bytes -m --chars -l --lines -L --max-line-length -w --words --total= --help --version',
      'file-list': '--files0-from=',
    },
    operands: ['read'],
  },
  sort: {
    options: {
      ok: '-b --ignore-leading-blanks -d --dictionary-order -f --ignore-case -g --general-numeric-sort -i --ignore-nonprinting -M --month-sort -h --human-numeric-sort -n --numeric-sort -R --random-sort -r --reverse --sort= -V --version-sort --batch-size= -c --check=? -C --debug -k= --key= -m --merge -s --stable -S= --buffer-size= -t= --field-separator= --parallel= -u --unique -z --zero-terminated --help --version',
      write: '-o= --output= -T= --temporary-directory=',
      'file-list': '--files0-from=',
      read: '--random-source=',
      runs: '--compress-program=',
    },
    operands: ['read'],
  },
  shuf: {
    options: {
      ok: '-e --echo -i= --input-range= -n= --head-count= -r --repeat -z',
      write: '-o= --output=',
      read: '--random-source=',
    },
    operands: ['read'],
  },
  'fold fmt expand unexpand rev column od xxd hexdump strings cksum md5sum sha1sum sha256sum sha512sum b2sum base64 base32 stat file du readlink realpath tree':
    reader(
      '-w= -s -b -t= -c -g= -a -A= -N= -j= -n= -d -D -i -l= -L -h -k -m -H -P -S -x -o= -e -f -q -v -z -u -p -r -I= --max-depth= --summarize --human-readable --apparent-size --time --check --quiet --status --tag --wrap= --decode --format= --printf= --table --separator= --brief --mime-type --mime --canonicalize --canonicalize-existing --relative-to= --relative-base= --exclude= -R --dirsfirst --noreport -C -F --total',
      {
        options: {
          ok: '-w= -s -b -t= -c=? -g= -a -A= -N= -j= -n -d -D -i -l -L -h -k -m -H -P -S -x -e -f -q -v -z -u -p -r --max-depth= --summarize --human-readable --apparent-size --time --check --quiet --status --tag --wrap= --decode --format= --printf= --table --separator= --brief --mime-type --mime --canonicalize --canonicalize-existing --relative-to= --relative-base= --exclude= -R --dirsfirst --noreport -C -F --total --help --version',
          'file-list': '--files0-from=',
          read: '-X= --exclude-from=',
          write: '-o= --output=',
        },
      },
    ),
  split: {
    options: {
      ok: '-a= -b= -C= -d -e -l= -n= -t= -x -u --additional-suffix= --verbose --numeric-suffixes=?',
      runs: '--filter=',
    },
    operands: ['read', 'write'],
  },
  jq: {
    options: {
      ok: '-n --null-input -R --raw-input -s --slurp -c --compact-output -r --raw-output --raw-output0 -j --join-output -a --ascii-output -S --sort-keys -C --color-output -M --monochrome-output --tab --indent= --unbuffered --stream --stream-errors --seq -e --exit-status --arg== --argjson== --args=* --jsonargs=* -h --help -V --version --build-configuration',
      read: '-f= --from-file= --slurpfile== --rawfile==',
      loads: '-L= --library-path=',
    },
    operands: ['jq-program', 'read'],
    when: [{ options: '-f --from-file', operands: ['read'] }],
  },
  yq: {
    options: {
      ok: '-r -e -P -o= -p= -n -N -s= -C -M -I= --output-format= --input-format= --prettyPrint --exit-status --raw-output',
      'in-place': '-i --inplace',
      read: '--from-file=',
    },
    operands: ['ok', 'read'],
    when: [{ options: '-i --inplace', operands: ['ok', 'both'] }],
  },
  'diff cmp': {
    numbers: true,
    options: {
      ok: `-q --brief -s --report-identical-files -c -C= --context=? -u -U= --unified=? -e --ed -n --rcs -y --side-by-side -W= --width= --left-column --suppress-common-lines -p --show-c-function -F= --show-function-line= --label= -t
        --expand-tabs -T --initial-tab --tabsize= --suppress-blank-empty -l --paginate -r --recursive --no-dereference -N --new-file --unidirectional-new-file --ignore-file-name-case --no-ignore-file-name-case -x= --exclude= -S= --starting-file= -i
        --ignore-case -E --ignore-tab-expansion -Z --ignore-trailing-space -b --ignore-space-change -w --ignore-all-space -B --ignore-blank-lines -I= --ignore-matching-lines= -a --text --strip-trailing-cr -D= --ifdef= --GTYPE-group-format= --line-format= -d --minimal --horizon-lines= --speed-large-files --color=? --palette= -v --version --help --silent --quiet --verbose --bytes= --print-bytes --ignore-initial=`,
      read: '-X= --exclude-from= --from-file= --to-file=',
    },
    operands: ['read'],
  },
  patch: {
    options: {
      ok: '-p= --strip= -R --reverse -N --forward --dry-run -s --silent -t -f -u -l -F= --fuzz= -b --backup -V= -z= -E --verbose',
      both: '-o= --output= -r= --reject-file=',
      read: '-i= --input=',
      cwd: '-d= --directory=',
      runs: '-e --ed',
    },
    operands: ['both'],
  },
  man: {
    options: {
      ok: '-f --whatis -k --apropos -K -a --all -w --where --path -W --where-cat -s= -S= --sections= -L= --locale= -i -I -7 --ascii -r= --prompt= -V --version -h --help --usage --regex --wildcard --names-only -d --debug -u -c -e= --extension=',
      runs: '-P= --pager= -H=? --html=? -X=? --gxditview=? -T=? --troff-device=? -t --troff -Z --ditroff -p= --preprocessor= -B= --browser=',
      loads: '-C= --config-file= -M= --manpath= -m= --systems= -l --local-file -R= --recode= -E= --encoding=',
    },
    operands: ['ok'],
  },
};
