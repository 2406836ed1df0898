import type { ProgramTable } from '../program.ts';

/** Keys of the configuration that only change how output looks or who an author is. */
const HARMLESS_KEYS = [
  'color.*',
  'user.name',
  'user.email',
  'author.name',
  'author.email',
  'committer.name',
  'committer.email',
  'advice.*',
  'core.quotepath',
  'core.abbrev',
  'core.autocrlf',
  'core.safecrlf',
  'core.ignorecase',
  'core.longpaths',
  'log.date',
  'log.decorate',
  'diff.renames',
  'diff.algorithm',
  'diff.mnemonicprefix',
  'diff.noprefix',
  'diff.context',
  'init.defaultbranch',
  'commit.gpgsign',
  'tag.gpgsign',
  'push.default',
  'push.autosetupremote',
  'pull.rebase',
  'pull.ff',
  'fetch.prune',
  'rebase.autostash',
  'rebase.autosquash',
  'merge.conflictstyle',
  'status.*',
  'column.*',
  'http.postbuffer',
  'http.lowspeedlimit',
  'http.lowspeedtime',
  'versionsort.suffix',
];

const DIFF_OK = `-p -u --patch -s --no-patch -U= --unified= --raw --patch-with-raw --indent-heuristic --minimal --patience --histogram
  --anchored= --diff-algorithm= --stat=? --stat-width= --stat-name-width= --stat-count= --compact-summary --numstat --shortstat
  -X=? --dirstat=? --cumulative --dirstat-by-file=? --summary --patch-with-stat -z --name-only --name-status --submodule=?
  --color=? --no-color --color-moved=? --color-moved-ws= --word-diff=? --word-diff-regex= --color-words=? --no-renames
  --rename-empty --check --ws-error-highlight= --full-index --binary --abbrev=? -B=? --break-rewrites=? -M=? --find-renames=?
  -C=? --find-copies=? --find-copies-harder -D --irreversible-delete -l= --diff-filter= -S= -G= --find-object= --pickaxe-all
  --pickaxe-regex -R --relative=? -a --text --ignore-cr-at-eol --ignore-space-at-eol -b --ignore-space-change -w
  --ignore-all-space --ignore-blank-lines -I= --ignore-matching-lines= --inter-hunk-context= -W --function-context --exit-code
  --quiet --no-ext-diff --no-textconv --ignore-submodules=? --src-prefix= --dst-prefix= --no-prefix --default-prefix
  --line-prefix= --ita-invisible-in-index --ita-visible-in-index --cached --staged --merge-base -0 -1 -2 -3 --base --ours
  --theirs --cc -c --combined-all-paths -m -t`;
const DIFF_FILES = { read: '-O= --skip-to= --rotate-to=', write: '--output=', runs: '--ext-diff --textconv' };

const REVISIONS_OK = `-n= --max-count= --skip= --since= --after= --until= --before= --since-as-filter= --author= --committer= --grep-reflog=
  --grep= --all-match --invert-grep -i --regexp-ignore-case --basic-regexp -E --extended-regexp -F --fixed-strings -P
  --perl-regexp --remove-empty --merges --no-merges --min-parents= --max-parents= --no-min-parents --no-max-parents
  --first-parent --exclude-first-parent-only --not --all --branches=? --tags=? --remotes=? --glob= --exclude=
  --exclude-hidden= --reflog --alternate-refs --single-worktree --ignore-missing --bisect --stdin --cherry-mark
  --cherry-pick --left-only --right-only --cherry -g --walk-reflogs --merge --boundary --use-bitmap-index --progress=
  --simplify-by-decoration --show-pulls --full-history --dense --sparse --simplify-merges --ancestry-path=? --date-order
  --author-date-order --topo-order --reverse --no-walk=? --do-walk --pretty=? --format= --abbrev-commit --no-abbrev-commit
  --oneline --encoding= --expand-tabs=? --no-expand-tabs --notes=? --no-notes --show-notes=? --standard-notes --show-signature
  --relative-date --date= --parents --children --left-right --graph --no-graph --show-linear-break=? --follow --decorate=?
  --no-decorate --decorate-refs= --decorate-refs-exclude= --clear-decorations --source --mailmap --no-mailmap --use-mailmap
  --log-size --full-diff --count --timestamp --objects --remerge-diff --diff-merges= --dd --header --no-commit-header`;

const log: ProgramTable = {
  options: { ok: `${REVISIONS_OK} ${DIFF_OK} -q`, 'line-range': '-L=', ...DIFF_FILES },
  operands: ['revision'],
  numbers: true,
};

const TRANSPORT = '--upload-pack= --receive-pack= --exec=';
const VERBOSE = '-v --verbose -q --quiet';
const COMMIT_OK = `-a --all -p --patch -C= --reuse-message= -c= --reedit-message= --fixup= --squash= --reset-author --short --branch
  --porcelain --long -z --null --author= --date= -m= --message= --signoff -s --no-signoff --trailer= -n --no-verify --verify
  --allow-empty --allow-empty-message --cleanup= -e --edit --no-edit --amend --no-post-rewrite -i --include -o --only -u=?
  --untracked-files=? ${VERBOSE} --dry-run --status --no-status -S=? --gpg-sign=? --no-gpg-sign --interactive --ahead-behind`;
const MERGE_OK = `--commit --no-commit -e --edit --no-edit --cleanup= --ff --no-ff --ff-only -S=? --gpg-sign=? --log=? --no-log --signoff
  --no-signoff --stat -n --no-stat --compact-summary --squash --no-squash --verify --no-verify -X= --strategy-option=
  --verify-signatures --no-verify-signatures --summary --no-summary ${VERBOSE} --progress --no-progress --autostash --no-autostash
  --allow-unrelated-histories -m= --into-name= --rerere-autoupdate --overwrite-ignore --abort --quit --continue`;
const FETCH_OK = `--all --no-all -a --append --atomic --depth= --deepen= --shallow-since= --shallow-exclude= --unshallow --update-shallow
  --negotiation-tip= --negotiate-only --dry-run --porcelain -f --force -k --keep --multiple --prefetch -p --prune -P
  --prune-tags -n --no-tags --refmap= -t --tags --set-upstream --recurse-submodules=? --no-recurse-submodules -j= --jobs=
  --show-forced-updates --no-show-forced-updates ${VERBOSE} --progress -o= --server-option= -4 --ipv4 -6 --ipv6 --filter=
  --refetch --auto-maintenance --auto-gc --write-fetch-head --no-write-fetch-head --stdin --write-commit-graph`;

const add: ProgramTable = {
  options: {
    ok: `-n --dry-run ${VERBOSE} -f --force -i --interactive -p --patch -u --update -A --all --no-all --ignore-removal --no-ignore-removal
      -N --intent-to-add --refresh --ignore-errors --ignore-missing --renormalize --chmod= --sparse --pathspec-file-nul`,
    read: '--pathspec-from-file=',
    ask: '-e --edit',
  },
  operands: ['pathspec'],
};

const commit: ProgramTable = {
  options: { ok: COMMIT_OK, read: '-F= --file= -t= --template= --pathspec-from-file=' },
  operands: ['pathspec'],
  negatable: true,
};

const config: ProgramTable = {
  options: {
    ok: `--get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool --list -l --name-only --show-origin --show-scope
      --local --worktree --type= --bool --int --bool-or-int --path --expiry-date --null -z --includes --no-includes --default=
      --fixed-value --all --regexp --value= --url=`,
    read: '-f= --file= --blob=',
    outside: '--global --system',
    loads: '--add --replace-all --unset --unset-all --rename-section --remove-section -e --edit --comment=',
  },
  // What is not only read may be run later: aliases, filters, hooks, includes.
  operands: ['ok', 'loads'],
  when: [
    { options: '--get --get-all --get-regexp --get-urlmatch --get-color --get-colorbool --list -l', operands: ['ok'] },
  ],
};

const stashPush: ProgramTable = {
  options: {
    ok: `-p --patch -S --staged -k --keep-index --no-keep-index -u --include-untracked -a --all ${VERBOSE} -m= --message= --pathspec-file-nul`,
    read: '--pathspec-from-file=',
  },
  operands: ['pathspec'],
};

const stash: ProgramTable = {
  subcommands: {
    push: stashPush,
    save: {
      options: { ok: `-p --patch -S --staged -k --keep-index -u --include-untracked -a --all ${VERBOSE}` },
      operands: ['ok'],
    },
    list: log,
    show: { ...log, options: { ...log.options, ok: `${log.options?.ok} -u --include-untracked --only-untracked` } },
    'pop apply': { options: { ok: `--index ${VERBOSE}` } },
    drop: { options: { ok: VERBOSE } },
    branch: {},
    clear: {},
    create: {},
    store: { options: { ok: `-m= --message= ${VERBOSE}` } },
  },
  options: stashPush.options ?? {},
};

const remote: ProgramTable = {
  options: { ok: '-v --verbose' },
  subcommands: {
    add: { options: { ok: '-t= -m= -f --fetch --tags --no-tags --mirror=?' }, operands: ['ok', 'remote'] },
    'set-url': { options: { ok: '--push --add --delete' }, operands: ['ok', 'remote'] },
    rename: { options: { ok: '--progress --no-progress' } },
    'remove rm': {},
    'set-head': { options: { ok: '-a --auto -d --delete' } },
    'set-branches': { options: { ok: '--add' } },
    'get-url': { options: { ok: '--push --all' } },
    show: { options: { ok: '-n -v' } },
    prune: { options: { ok: '-n --dry-run' } },
    update: { options: { ok: '-p --prune -v' } },
  },
};

const submodule: ProgramTable = {
  options: { ok: '-q --quiet --cached' },
  subcommands: {
    add: {
      options: { ok: '-b= -f --force --name= --reference= --depth= -q --quiet --progress' },
      operands: ['remote', 'read'],
    },
    status: { options: { ok: '--cached --recursive -q --quiet' }, operands: ['pathspec'] },
    init: { operands: ['pathspec'] },
    deinit: { options: { ok: '-f --force --all' }, operands: ['pathspec'] },
    update: {
      options: {
        ok: `--init --remote -N --no-fetch --no-recommend-shallow --recommend-shallow -f --force --checkout --merge --rebase
          --depth= --recursive -j= --jobs= --single-branch --no-single-branch --filter= --progress -q --quiet`,
        read: '--reference=',
      },
      operands: ['pathspec'],
    },
    summary: { options: { ok: '--cached --files -n= --summary-limit=' } },
    sync: { options: { ok: '--recursive' }, operands: ['pathspec'] },
    absorbgitdirs: { operands: ['pathspec'] },
    'set-branch': { options: { ok: '-b= --branch= -d --default' }, operands: ['pathspec'] },
    'set-url': { operands: ['pathspec', 'remote'] },
    foreach: 'runs',
  },
};

const worktree: ProgramTable = {
  subcommands: {
    add: {
      options: {
        ok: '-f --force --detach -d --checkout --no-checkout --lock --reason= -b= -B= --guess-remote --track --orphan -q --quiet',
      },
      operands: ['read', 'ok'],
    },
    list: { options: { ok: '-v --verbose --porcelain -z --expire=' } },
    'remove move': { options: { ok: '-f --force' }, operands: ['read'] },
    prune: { options: { ok: '-n --dry-run -v --verbose --expire=' } },
    'lock unlock': { options: { ok: '--reason=' }, operands: ['read'] },
    repair: { operands: ['read'] },
  },
};

const branch: ProgramTable = {
  options: {
    ok: `-d --delete -D -f --force -m --move -M -c --copy -C -i --ignore-case --color=? --no-color --column=? --no-column -r --remotes
      -a --all -l --list --show-current ${VERBOSE} --abbrev=? --no-abbrev -t --track=? --no-track --recurse-submodules
      --set-upstream -u= --set-upstream-to= --unset-upstream --contains=? --no-contains=? --merged=? --no-merged=? --sort=
      --points-at= --format= --omit-empty --create-reflog`,
    ask: '--edit-description',
  },
};

const checkout: ProgramTable = {
  options: {
    ok: `-q --quiet --progress --no-progress -f --force --ours -2 --theirs -3 -b= -B= -t --track=? --no-track --guess --no-guess -l -d --detach
      --orphan= --ignore-skip-worktree-bits -m --merge --conflict= -p --patch --ignore-other-worktrees --overwrite-ignore
      --no-overwrite-ignore --recurse-submodules --no-recurse-submodules --overlay --no-overlay --pathspec-file-nul`,
    read: '--pathspec-from-file=',
  },
  operands: ['revision'],
};

const grep: ProgramTable = {
  options: {
    ok: `--cached --untracked --no-index --exclude-standard --no-exclude-standard --recurse-submodules -a --text -i --ignore-case -I
      --max-depth= -r --recursive --no-recursive -w --word-regexp -v --invert-match -h -H --full-name -E --extended-regexp -G
      --basic-regexp -P --perl-regexp -F --fixed-strings -n --line-number --column -l --files-with-matches --name-only
      -L --files-without-match -z --null -o --only-matching -c --count --color=? --no-color --break --heading -p
      --show-function -A= --after-context= -B= --before-context= -C= --context= -W --function-context -m= --max-count=
      --threads= -e= --and --or --not --all-match -q --quiet --no-textconv`,
    read: '-f=',
    runs: '-O=? --open-files-in-pager=? --textconv',
  },
  operands: ['ok', 'revision'],
  when: [{ options: '-e -f', operands: ['revision'] }],
  numbers: true,
};

const PLUMBING: Readonly<Record<string, ProgramTable>> = {
  'rev-parse': {
    options: {
      ok: `--parseopt --sq-quote --keep-dashdash --stop-at-non-option --stuck-long --revs-only --no-revs --flags --no-flags --default=
        --prefix= --verify -q --quiet --sq --short=? --not --abbrev-ref=? --symbolic --symbolic-full-name --all --branches=?
        --tags=? --remotes=? --glob= --exclude= --disambiguate= --local-env-vars --path-format= --git-dir --git-common-dir
        --git-path= --is-inside-git-dir --is-inside-work-tree --is-bare-repository --is-shallow-repository --resolve-git-dir=
        --show-cdup --show-prefix --show-toplevel --absolute-git-dir --show-superproject-working-tree --shared-index-path
        --show-object-format=? --since= --until= --after= --before=`,
    },
    operands: ['revision'],
  },
  'ls-files': {
    options: {
      ok: `-c --cached -d --deleted -m --modified -o --others -i --ignored -s --stage -u --unmerged -k --killed --directory
        --no-empty-directory --eol --deduplicate -z -x= --exclude= --exclude-standard --error-unmatch --with-tree= -t -v -f
        --recurse-submodules --full-name --abbrev=? --debug --format= --sparse`,
      read: '-X= --exclude-from= --exclude-per-directory=',
    },
    operands: ['pathspec'],
  },
  'ls-tree': {
    options: {
      ok: '-d -r -t -l --long -z --name-only --name-status --object-only --abbrev=? --full-name --full-tree --format=',
    },
    operands: ['revision'],
  },
  'cat-file': {
    options: {
      ok: '-t -s -e -p --batch-check=? --batch=? --unordered --buffer --follow-symlinks --batch-all-objects --mailmap',
      runs: '--textconv --filters',
    },
    operands: ['revision'],
  },
  'ls-remote': {
    options: {
      ok: '-h --heads -b --branches -t --tags --refs -q --quiet --exit-code --get-url --sort= --symref -o= --server-option=',
      runs: TRANSPORT,
    },
    operands: ['remote', 'ok'],
    negatable: true,
  },
  'merge-base': { options: { ok: '-a --all --octopus --independent --is-ancestor --fork-point' } },
  'name-rev': { options: { ok: '--tags --refs= --exclude= --all --name-only --no-undefined --always' } },
  describe: {
    options: {
      ok: `--dirty=? --broken=? --all --tags --contains --abbrev=? --candidates= --exact-match --debug --long --match= --exclude= --always
        --first-parent`,
    },
  },
  'for-each-ref': {
    options: {
      ok: `--count= --sort= --format= --color=? --shell --perl --python --tcl --points-at= --merged=? --no-merged=? --contains=?
        --no-contains=? --ignore-case --omit-empty --exclude= --include-root-refs`,
    },
  },
  'show-ref': {
    options: {
      ok: '--head --heads --branches --tags -d --dereference -s --hash=? --verify --exists --abbrev=? -q --quiet --exclude-existing=?',
    },
  },
  'symbolic-ref': { options: { ok: '-d --delete -q --quiet --short --recurse --no-recurse -m=' } },
  'count-objects': { options: { ok: '-v --verbose -H --human-readable' } },
  'check-ignore': {
    options: { ok: '-q --quiet -v --verbose --stdin -z -n --non-matching --no-index' },
    operands: ['pathspec'],
  },
  'check-attr': { options: { ok: '-a --all --cached --stdin -z --source=' } },
  'diff-tree': {
    options: { ok: `${DIFF_OK} -r -t --root -m -s -v --no-commit-id --stdin --pretty=? --format=`, ...DIFF_FILES },
    operands: ['revision'],
  },
  'diff-index diff-files': { options: { ok: `${DIFF_OK} -q`, ...DIFF_FILES }, operands: ['revision'] },
  'rev-list': {
    options: { ok: `${REVISIONS_OK} --disk-usage=? --quiet --in-commit-order --unpacked --filter= --abbrev=?` },
    operands: ['revision'],
    numbers: true,
  },
  shortlog: {
    options: { ok: `${REVISIONS_OK} -n --numbered -s --summary -e --email -c --committer --group= -w=? --no-merges` },
    operands: ['revision'],
    numbers: true,
  },
  cherry: { options: { ok: '-v --abbrev=?' } },
  'range-diff': {
    options: { ok: `${DIFF_OK} --creation-factor= --no-dual-color --left-only --right-only`, ...DIFF_FILES },
    operands: ['revision'],
  },
  whatchanged: log,
  version: { options: { ok: '--build-options' } },
  help: {
    options: { ok: '-a --all -g --guides -c --config --no-verbose --verbose', ask: '-i --info -m --man -w --web' },
  },
  fsck: {
    options: {
      ok: '--unreachable --dangling --no-dangling --root --tags --cache --no-reflogs --full --strict --verbose --progress --connectivity-only --name-objects',
    },
  },
  gc: { options: { ok: '--aggressive --auto --prune=? --no-prune -q --quiet --force --keep-largest-pack' } },
  prune: { options: { ok: '-n --dry-run -v --verbose --progress --expire=' } },
  'verify-commit verify-tag': { options: { ok: '--raw -v --verbose --format=' } },
  var: {},
};

const BRANCHING: Readonly<Record<string, ProgramTable>> = {
  switch: {
    options: {
      ok: `-c= --create= -C= --force-create= -d --detach --guess --no-guess -f --force --discard-changes -m --merge --conflict= -q --quiet
        --progress --no-progress -t --track=? --no-track --orphan= --ignore-other-worktrees --recurse-submodules --no-recurse-submodules`,
    },
  },
  restore: {
    options: {
      ok: `-s= --source= -p --patch -W --worktree -S --staged -q --quiet --progress --no-progress --ours --theirs -m --merge --conflict=
        --ignore-unmerged --ignore-skip-worktree-bits --recurse-submodules --overlay --no-overlay --pathspec-file-nul`,
      read: '--pathspec-from-file=',
    },
    operands: ['pathspec'],
  },
  tag: {
    options: {
      ok: `-a --annotate -s --sign --no-sign -u= --local-user= -f --force -d --delete -v --verify -n=? -l --list --sort= --color=? -i
        --ignore-case --omit-empty --column=? --no-column --contains=? --no-contains=? --merged=? --no-merged=? --points-at=?
        -m= --message= --trailer= --cleanup= --create-reflog --format= -e --edit`,
      read: '-F= --file=',
    },
  },
  merge: { options: { ok: MERGE_OK, read: '-F= --file=', runs: '-s= --strategy=' }, negatable: true },
  rebase: {
    options: {
      ok: `--onto= --keep-base --continue --abort --quit --edit-todo --skip --show-current-patch --apply --empty= --keep-empty
        --no-keep-empty --reapply-cherry-picks -m --merge -X= --strategy-option= --rerere-autoupdate -S=? --gpg-sign=? ${VERBOSE}
        --stat -n --no-stat --no-verify --verify --no-ff --force-rebase -f --fork-point --no-fork-point --ignore-whitespace
        --whitespace= --committer-date-is-author-date --reset-author-date --signoff -r=? --rebase-merges=? --autosquash
        --no-autosquash --autostash --no-autostash --reschedule-failed-exec --update-refs --root -i --interactive -C=`,
      runs: '-x= --exec= -s= --strategy=',
    },
    negatable: true,
  },
  'cherry-pick revert': {
    options: {
      ok: `-e --edit --no-edit --cleanup= -x -m= --mainline= -n --no-commit -s --signoff -S=? --gpg-sign=? --no-gpg-sign --ff
        --allow-empty --allow-empty-message --keep-redundant-commits --empty= -X= --strategy-option= --rerere-autoupdate
        --continue --skip --abort --quit --reference`,
      runs: '--strategy=',
    },
    negatable: true,
  },
  reset: {
    options: {
      ok: `--soft --mixed -N --intent-to-add --hard --merge --keep -q --quiet --refresh --no-refresh -p --patch
        --recurse-submodules --no-recurse-submodules --pathspec-file-nul`,
      read: '--pathspec-from-file=',
    },
    operands: ['revision'],
  },
  rm: {
    options: {
      ok: '-f --force -n --dry-run -r --cached --ignore-unmatch --sparse -q --quiet --pathspec-file-nul',
      read: '--pathspec-from-file=',
    },
    operands: ['pathspec'],
  },
  mv: { options: { ok: '-f --force -k -n --dry-run -v --verbose --sparse' }, operands: ['pathspec'] },
  clean: {
    options: { ok: '-d -f --force -i --interactive -n --dry-run -q --quiet -e= --exclude= -x -X' },
    operands: ['pathspec'],
  },
  bisect: {
    subcommands: {
      'start bad good new old skip reset next log terms visualize view': {
        operands: ['revision'],
        options: { ok: '--term-new= --term-old= --term-bad= --term-good= --no-checkout --first-parent' },
      },
      replay: { operands: ['read'] },
      run: 'runs',
    },
  },
  notes: {
    options: { ok: '--ref=' },
    subcommands: {
      'add append edit': {
        options: {
          ok: '-f --force -m= --message= -C= -c= --allow-empty --separator=? --stripspace -e',
          read: '-F= --file=',
        },
      },
      'list show copy remove prune get-ref merge': {
        options: { ok: '-f -n -v -q -s= --stdin --ignore-missing --for-rewrite= --commit --abort' },
      },
    },
  },
  reflog: {
    options: log.options ?? {},
    numbers: true,
    subcommands: {
      'show list': log,
      exists: {},
      'expire delete': {
        options: {
          ok: '--expire= --expire-unreachable= --updateref --rewrite --stale-fix -n --dry-run --verbose --all --single-worktree',
        },
      },
    },
    otherwise: log,
  },
};

const TRANSPORTS: Readonly<Record<string, ProgramTable>> = {
  clone: {
    options: {
      ok: `-l --local --no-local --no-hardlinks -s --shared --dissociate ${VERBOSE} --progress --server-option= -n --no-checkout
        --reject-shallow --bare --sparse --filter= --mirror -o= --origin= -b= --branch= --revision= --depth= --shallow-since=
        --shallow-exclude= --single-branch --no-single-branch --tags --no-tags --recurse-submodules=? --recursive
        --shallow-submodules --no-shallow-submodules --remote-submodules --also-filter-submodules -j= --jobs= --ref-format= -4 -6`,
      both: '--separate-git-dir=',
      read: '--reference= --reference-if-able=',
      runs: `-u= ${TRANSPORT}`,
      loads: '--template= --bundle-uri=',
      listed: '-c= --config=',
    },
    only: { '-c': HARMLESS_KEYS, '--config': HARMLESS_KEYS },
    operands: ['remote', 'read'],
    negatable: true,
  },
  fetch: { options: { ok: FETCH_OK, runs: TRANSPORT }, operands: ['remote', 'ok'], negatable: true },
  pull: {
    options: { ok: `${FETCH_OK} ${MERGE_OK} -r=? --rebase=? --no-rebase`, runs: `${TRANSPORT} -s= --strategy=` },
    operands: ['remote', 'ok'],
    negatable: true,
  },
  push: {
    options: {
      ok: `--all --branches --prune --mirror -n --dry-run --porcelain -d --delete --tags --follow-tags --no-follow-tags --signed=?
        --no-signed --atomic --no-atomic -o= --push-option= -f --force --force-with-lease=? --no-force-with-lease
        --force-if-includes --no-force-if-includes -u --set-upstream --thin --no-thin ${VERBOSE} --progress --verify
        --no-verify -4 --ipv4 -6 --ipv6 --recurse-submodules= --no-recurse-submodules`,
      runs: TRANSPORT,
      ask: '--repo=',
    },
    operands: ['remote', 'ok'],
    negatable: true,
  },
  archive: {
    options: {
      ok: '--format= -l --list -v --verbose --prefix= --worktree-attributes --mtime= -0 -1 -2 -3 -4 -5 -6 -7 -8 -9',
      read: '--add-file=',
      write: '-o= --output=',
      runs: '--exec=',
      ask: '--remote= --add-virtual-file=',
    },
    operands: ['revision'],
  },
  bundle: {
    subcommands: {
      create: { options: { ok: '-q --quiet --progress --all-progress --version= --all' }, operands: ['write', 'ok'] },
      'verify list-heads unbundle': { options: { ok: '-q --quiet --progress' }, operands: ['read', 'ok'] },
    },
  },
};

const PATCHES: Readonly<Record<string, ProgramTable>> = {
  apply: {
    options: {
      ok: `--stat --numstat --summary --check --index -N --intent-to-add -3 --3way --ours --theirs --union --allow-empty -R --reverse --reject -z -p= -C=
        --unidiff-zero --apply --no-add --binary --exclude= --include= --ignore-space-change --ignore-whitespace --whitespace=
        --inaccurate-eof -v --verbose -q --quiet --recount --directory= --cached`,
      read: '--build-fake-ancestor=',
      outside: '--unsafe-paths',
    },
    operands: ['read'],
  },
  am: {
    options: {
      ok: `-s --signoff -k --keep -b --keep-non-patch -c --scissors --no-scissors -q --quiet -u --utf8 --no-utf8 -3 --3way --no-3way -i
        --interactive --ignore-space-change --ignore-whitespace --whitespace= -C= -p= --directory= --exclude= --include= --reject
        --patch-format= --committer-date-is-author-date --ignore-date -S=? --continue -r --resolved --skip --abort --quit
        --show-current-patch=? --allow-empty --empty= -n --no-verify`,
    },
    operands: ['read'],
  },
  'format-patch': {
    options: {
      ok: `${DIFF_OK} -n --numbered -N --no-numbered -k --keep-subject --start-number= --numbered-files --stdout -s --signoff --cover-letter --subject-prefix= --rfc -v= --reroll-count= --in-reply-to= --thread=? --suffix= --base= --root --no-binary --zero-commit --to= --cc=`,
      both: '-o= --output-directory=',
      read: '--signature-file= --description-file=',
      write: '--output=',
      runs: '--ext-diff --textconv',
    },
    operands: ['revision'],
    numbers: true,
  },
};

const REFUSED: Readonly<Record<string, ProgramTable | 'runs' | 'loads' | 'ask' | 'network'>> = {
  'filter-branch hook': 'runs',
  difftool: {
    options: {
      ok: `${DIFF_OK} -y --no-prompt --prompt -g --gui --tool-help -d --dir-diff --trust-exit-code`,
      runs: '-x= --extcmd= -t= --tool= --ext-diff --textconv',
      write: '--output=',
    },
    operands: ['revision'],
    itself: 'ask',
  },
  'mergetool citool gui gitk instaweb credential credential-store credential-cache upload-pack receive-pack upload-archive remote-ext remote-fd shell':
    'runs',
  'daemon http-backend send-email imap-send request-pull svn p4 cvsserver': 'network',
  'maintenance update-index update-ref replace filter-repo fast-import fast-export init-db sparse-checkout interpret-trailers merge-file merge-index hash-object read-tree write-tree checkout-index commit-tree rerere repack pack-refs pack-objects stripspace':
    'ask',
};

/** git 2.39 to 2.51, from its manuals and parse-options sources. */
export const GIT: Readonly<Record<string, ProgramTable>> = {
  git: {
    strict: true,
    bare: 'ok',
    options: {
      ok: `-v --version -h --help --no-pager -P --no-replace-objects --literal-pathspecs --glob-pathspecs --noglob-pathspecs --icase-pathspecs
        --no-optional-locks --html-path --man-path --info-path --bare --no-lazy-fetch --no-advice --attr-source= --list-cmds=`,
      cwd: '-C=',
      read: '--git-dir= --work-tree= --namespace=',
      loads: '--exec-path=? --config-env= --super-prefix=',
      listed: '-c=',
      ask: '-p --paginate',
    },
    only: { '-c': HARMLESS_KEYS },
    subcommands: {
      status: {
        options: {
          ok: `-s --short -b --branch --show-stash --porcelain=? --long ${VERBOSE} -u=? --untracked-files=? --ignore-submodules=? --ignored=? -z --column=? --no-column --ahead-behind --no-ahead-behind --renames --no-renames --find-renames=?`,
        },
        operands: ['pathspec'],
      },
      log,
      show: log,
      diff: { options: { ok: `${DIFF_OK} --no-index`, ...DIFF_FILES }, operands: ['revision'], numbers: true },
      add,
      stage: add,
      commit,
      config,
      stash: { ...stash, otherwise: stashPush },
      remote,
      submodule,
      worktree,
      branch,
      checkout,
      grep,
      blame: {
        options: {
          ok: '-b --root --show-stats -L= -l -t -p --porcelain --line-porcelain --incremental --encoding= -s -e --show-email -f --show-name -n --show-number -w -M=? -C=? -h -c --abbrev= --date= --color-lines --color-by-age --progress --no-progress --score-debug --since= --first-parent --reverse --ignore-rev=',
          read: '-S= --contents= --ignore-revs-file=',
        },
        operands: ['revision'],
      },
      annotate: { options: { ok: '-L= -l -t -w -M=? -C=?' }, operands: ['revision'] },
      init: {
        options: {
          ok: '-q --quiet --bare --object-format= -b= --initial-branch= --shared=?',
          both: '--separate-git-dir=',
          loads: '--template=',
        },
        operands: ['read'],
      },
      ...BRANCHING,
      ...TRANSPORTS,
      ...PATCHES,
      ...PLUMBING,
      ...REFUSED,
    },
  },
};
