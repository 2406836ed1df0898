import type { ProgramTable } from '../program.ts';

const PYTEST: ProgramTable = {
  options: {
    ok: `-k= -m= -x --exitfirst --maxfail= -q -qq --quiet -v -vv -vvv -vvvv --verbose --verbosity= -s --capture= --show-capture= --runxfail --lf --last-failed --ff
      --failed-first --nf --new-first --lfnf= --last-failed-no-failures= --cache-show=? --cache-clear --sw --stepwise --sw-skip --stepwise-skip
      --sw-reset --durations= --durations-min= -r= -rA -ra -rs -rf -rx -rfE -rP -rN --no-header --no-summary --no-fold-skipped --force-short-summary --disable-warnings
      --disable-pytest-warnings -l --showlocals --no-showlocals --tb= --xfail-tb --full-trace --color= --code-highlight= --markers --strict --strict-markers --strict-config
      --continue-on-collection-errors --collect-only --co --pyargs --ignore-glob= --deselect= --noconftest --keep-duplicates --collect-in-virtualenv
      --doctest-modules --doctest-report= --doctest-glob= --doctest-ignore-import-errors --doctest-continue-on-failure --setup-only --setup-show --setup-plan
      --log-level= --log-format= --log-date-format= --log-cli-level= --log-cli-format= --log-file-level= --log-auto-indent= --junit-prefix= --assert= -h --help --version -V
      --fixtures --funcargs --fixtures-per-test --trace-config --import-mode= --no-cov --cov-branch --cov-append --cov-fail-under= --cov-context= --no-cov-on-fail
      -n= --numprocesses= --dist= --maxprocesses= --forked --timeout= --timeout-method= --reruns= --reruns-delay= --randomly-seed= --count= --benchmark-only --benchmark-skip --benchmark-disable --asyncio-mode= --snapshot-update --no-print-logs`,
    'node-id': '--ignore= --cov=? --confcutdir=',
    write:
      '--junitxml= --junit-xml= --log-file= --report-log= --debug=? --benchmark-json= --html= --resultlog= --basetemp=',
    listed: '-p= -o= --override-ini= -W= --pythonwarnings= --cov-report=',
    loads:
      '-c= --config-file= --rootdir= --pdb --pdbcls= --trace --cov-config= --pastebin= --tx= --rsyncdir= -d --ds= --dc= --snapshot-dir= --datadir= --env= --driver=',
    ask: '-f --looponfail',
  },
  // `-p no:NAME` only disables; a warning filter may name a class only by importing its module.
  only: {
    '-p': ['no:*'],
    '-o': [
      'log_cli',
      'log_cli_level',
      'log_level',
      'console_output_style',
      'xfail_strict',
      'junit_family',
      'junit_suite_name',
      'junit_logging',
      'empty_parameter_set_mark',
      'faulthandler_timeout',
      'truncation_limit_lines',
      'truncation_limit_chars',
      'tmp_path_retention_policy',
      'asyncio_mode',
      'markers',
    ],
    '--override-ini': [
      'log_cli',
      'log_cli_level',
      'log_level',
      'console_output_style',
      'xfail_strict',
      'junit_family',
      'asyncio_mode',
      'markers',
    ],
    '-W': [
      'ignore',
      'error',
      'default',
      'always',
      'module',
      'once',
      'ignore::deprecationwarning*',
      'ignore::userwarning',
      'error::deprecationwarning',
      'error::userwarning',
      'ignore::pendingdeprecationwarning',
      'ignore::runtimewarning',
      'ignore::futurewarning',
      'ignore::resourcewarning',
    ],
    '--pythonwarnings': [
      'ignore',
      'error',
      'default',
      'always',
      'module',
      'once',
      'ignore::deprecationwarning',
      'ignore::userwarning',
    ],
    '--cov-report': [
      'term',
      'term-missing',
      'term-missing:skip-covered',
      'term:skip-covered',
      'xml',
      'html',
      'json',
      'lcov',
      'annotate',
      '',
    ],
  },
  operands: ['node-id'],
};

const PIP_OK = `-q --quiet -v --verbose -V --version -h --help --no-cache-dir --disable-pip-version-check --no-color --no-input --isolated --require-virtualenv
  --retries= --timeout= --exists-action= --progress-bar= --no-python-version-warning --use-pep517 --no-use-pep517 --no-build-isolation --no-deps --pre -U --upgrade
  --upgrade-strategy= --force-reinstall -I --ignore-installed --ignore-requires-python --no-warn-script-location --no-warn-conflicts --no-binary= --only-binary=
  --prefer-binary --require-hashes --no-clean --compile --no-compile --check-build-dependencies --dry-run -y --yes --format= -o --outdated -u --uptodate -l --local --not-required --include-editable --exclude-editable
  --exclude= --all -f -m --files --platform= --python-version= --implementation= --abi=`;

const PIP: ProgramTable = {
  inherit: true,
  bare: 'ok',
  options: {
    ok: PIP_OK,
    read: '-r= --requirement= -c= --constraint= --require=',
    write: '--report= --log=',
    package: '-e= --editable=',
    loads:
      '-i= --index-url= --extra-index-url= --find-links= --trusted-host= --config-settings= -C= --global-option= --build-option= --install-option= --cert= --client-cert= --python= --src= --keyring-provider= --pypi-url= --no-index',
    network: '--proxy=',
    outside: '--user -t= --target= --root= --prefix= --break-system-packages --cache-dir=',
  },
  subcommands: {
    install: { operands: ['package'] },
    'download wheel': { options: { both: '-d= --dest= --dest-dir= -w= --wheel-dir=' }, operands: ['package'] },
    'list show freeze check search index inspect debug help hash completion': { operands: ['ok'] },
    uninstall: { operands: ['ok'] },
    config: { subcommands: { 'list get debug': {}, 'set unset': 'loads', edit: 'runs' } },
    cache: { subcommands: { 'dir info list': {}, 'remove purge': {} } },
  },
};

const PYTHON: ProgramTable = {
  strict: true,
  options: {
    ok: '-b -bb -B -d -E -h -i --help -I -O -OO -P -q -s -S -u -v -V --version -x -W=',
    runs: '-c=*',
    module: '-m=*',
    loads: '-X= --check-hash-based-pycs=',
  },
  operands: ['script-file', 'ok'],
  when: [{ options: '-m -c', operands: ['ok'] }],
  implicit: { options: '', role: 'runs', unless: '-m -c -V --version -h --help' },
};

const UV: ProgramTable = {
  inherit: true,
  bare: 'ok',
  cwdForAll: true,
  options: {
    ok: `-q --quiet -v --verbose --color= --no-progress --offline -h --help -V --version --no-cache -n --frozen --locked --no-sync --dev --no-dev --all-extras --extra= --group= --only-group= --no-group= --all-groups --package= --all-packages
      --reinstall --upgrade -U --exact --inexact --no-install-project --refresh --dry-run --resolution= --prerelease= --format= --output-format= --depth= --outdated --tree --bounds= --optional= --raw-sources --no-editable --isolated --active --seed --clear --strict --check --universal --no-build --no-binary --native-tls`,
    cwd: '--directory= --project=',
    read: '-r= --requirements= -c= --constraints= --overrides= --env-file=',
    write: '-o= --output-file=',
    both: '-d= --out-dir=',
    package: '--editable=',
    loads:
      '--with= --with-editable= --with-requirements= -p= --python= --index= --default-index= -i= --index-url= --extra-index-url= -f= --find-links= --config-file= --config-setting= -C= --no-config --allow-insecure-host= --keyring-provider= --cache-dir= --link-mode= --exclude-newer= -m= --module= -s --script --gui-script',
    outside: '--system --break-system-packages --target= --prefix= --user',
  },
  subcommands: {
    sync: {},
    lock: {},
    add: { operands: ['package'] },
    remove: {},
    tree: {},
    export: {},
    build: { operands: ['context'] },
    venv: { operands: ['write'] },
    version: {},
    run: { strict: true, operands: ['command'] },
    pip: {
      subcommands: {
        install: { operands: ['package'] },
        'list freeze show check tree': {},
        'compile sync': { operands: ['read'] },
        uninstall: {},
      },
    },
    'tool python': { subcommands: { 'list find dir': {}, 'run install uninstall upgrade pin update-shell': 'runs' } },
    cache: { subcommands: { 'dir prune clean': {} } },
    'publish self init': 'ask',
  },
};

/** pytest 7 and 8 with the common plug-ins, pip 23 to 25, CPython 3, uv: from their --help and manuals. */
export const PYTHON_FAMILY: Readonly<Record<string, ProgramTable>> = {
  'pytest py.test': PYTEST,
  'pip pip3': PIP,
  'python python3': PYTHON,
  uv: UV,
  'uvx pipx': { itself: 'runs' },
  'python -m pytest': PYTEST,
  'python -m pip': PIP,
  'python -m unittest': {
    options: {
      ok: '-v --verbose -q --quiet --locals -f --failfast -c --catch -b --buffer -k= -h --help --durations=',
      read: '-s= --start-directory= -t= --top-level-directory=',
    },
    operands: ['read'],
    when: [{ options: '-p', operands: ['ok'] }],
  },
  'python -m json.tool': {
    options: { ok: '--sort-keys --no-ensure-ascii --json-lines --indent= --tab --no-indent --compact -h' },
    operands: ['read', 'write'],
  },
  'python -m venv': {
    options: {
      ok: '--clear --upgrade --without-pip --prompt= --upgrade-deps --copies --symlinks',
      outside: '--system-site-packages',
    },
    operands: ['both'],
  },
  'python -m py_compile': { operands: ['read'] },
  'python -m compileall': { options: { ok: '-q -f -l -r= -j= -b' }, operands: ['read'] },
  'mypy python -m mypy': {
    options: {
      ok: '--strict --ignore-missing-imports --no-incremental --show-error-codes --pretty --no-error-summary --follow-imports= --python-version= --platform= --disallow-untyped-defs --check-untyped-defs --warn-unused-ignores --exclude= -p= -m= --version -V -h --help --no-color-output --explicit-package-bases --namespace-packages',
      both: '--cache-dir= --junit-xml= --html-report= --txt-report= --xml-report=',
      loads: '--config-file= --python-executable= --custom-typeshed-dir= --install-types -c= --package=',
    },
    operands: ['read'],
  },
  'ruff black flake8 isort': {
    options: {
      ok: '--fix --diff -q --quiet -v --verbose --select= --ignore= --extend-select= --line-length= -l= --target-version= -t= --output-format= --exclude= --extend-exclude= --no-cache --statistics --show-fixes --max-line-length= --profile= --check-only -c --color --version -V -h --help --unsafe-fixes --exit-zero --preview --check --show-source --count -S',
      both: '--cache-dir= -o= --output-file=',
      loads: '--config= --settings-path= --plugin=',
    },
    operands: ['both'],
    when: [{ options: '--check --diff', operands: ['read'] }],
  },
};
