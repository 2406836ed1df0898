import type { ProgramTable } from '../program.ts';

const CARGO_OK = `-q --quiet -v --verbose --color= --frozen --locked --offline --list -V --version -h --help -p= --package= --workspace --all --exclude= --lib --bin=? --bins --example=? --examples
  --test=? --tests --bench=? --benches --all-targets -F= --features= --all-features --no-default-features --target= -r --release --profile= -j= --jobs= --keep-going --timings=?
  --message-format= --unit-graph --ignore-rust-version --future-incompat-report --no-run --no-fail-fast --doc --no-deps --open --document-private-items --check --edges= -e= --prefix=
  -i= --invert= --depth= -d --duplicates --dry-run --dev --build --optional --no-optional --rename= --aggressive --precise= --format-version= --filter-platform= --message-format --fix --allow-dirty --allow-staged --all --emit= -n --name= --edition= --vcs= --bin --lib`;

const CARGO: ProgramTable = {
  inherit: true,
  cwdForAll: true,
  bare: 'ok',
  options: {
    ok: CARGO_OK,
    cwd: '-C=',
    read: '--manifest-path= --lockfile-path=',
    both: '--target-dir= --artifact-dir= --out-dir=',
    loads: '--config= -Z= --registry= --index= --git= --branch= --tag= --rev= --path=',
    outside: '--root= --install-upgrade',
  },
  subcommands: {
    'build check test bench doc clippy clean tree metadata fetch verify-project locate-project pkgid update generate-lockfile version help search info':
      { operands: ['ok'] },
    run: { operands: ['ok'] },
    fmt: { operands: ['ok'] },
    fix: {},
    'add remove': { operands: ['package'] },
    'new init': { operands: ['write'] },
    'install uninstall': 'outside',
    'publish login logout owner yank package vendor': 'ask',
  },
  aliases: { b: 'build', c: 'check', t: 'test', d: 'doc', r: 'run', rm: 'remove' },
};

const GO_BUILD_OK = `-a -n -p= -race -msan -asan -cover -covermode= -coverpkg= -v -work -x -buildmode= -buildvcs= -compiler= -linkshared -mod= -tags= -trimpath -json -installsuffix= -pgo=`;
const GO_TEST_OK = `-run= -bench= -benchtime= -count= -cpu= -failfast -fullpath -list= -parallel= -short -shuffle= -skip= -timeout= -vet= -benchmem -fuzz= -fuzztime= -fuzzminimizetime= -blockprofilerate= -memprofilerate= -mutexprofilefraction= -c`;
const GO_LOADS = {
  'go-flags': '-asmflags= -gcflags= -ldflags= -gccgoflags=',
  loads: '-exec= -toolexec= -overlay= -modfile= -pkgdir= -vettool=',
  cwd: '-C=',
};
const GO_PACKAGES = { operands: ['read'] } as const;

const GO: ProgramTable = {
  bare: 'ok',
  single: true,
  subcommands: {
    build: { single: true, options: { ok: GO_BUILD_OK, write: '-o=', ...GO_LOADS }, ...GO_PACKAGES },
    test: {
      single: true,
      options: {
        ok: `${GO_BUILD_OK} ${GO_TEST_OK}`,
        both: '-outputdir=',
        write: '-o= -coverprofile= -cpuprofile= -memprofile= -blockprofile= -mutexprofile= -trace=',
        ...GO_LOADS,
        runs: '-exec=',
        loads: '-toolexec= -overlay= -modfile= -pkgdir=',
      },
      ...GO_PACKAGES,
      when: [{ options: '-args', operands: ['ok'] }],
    },
    vet: { single: true, options: { ok: `${GO_BUILD_OK} -c=`, ...GO_LOADS }, ...GO_PACKAGES },
    'fmt fix': { single: true, options: { ok: '-n -x -mod=' }, ...GO_PACKAGES },
    list: {
      single: true,
      options: {
        ok: `${GO_BUILD_OK} -f= -m -u -e -deps -test -compiled -export -find -reuse= -versions -retracted -json=?`,
        ...GO_LOADS,
      },
      operands: ['ok'],
    },
    run: {
      single: true,
      options: { ok: GO_BUILD_OK, ...GO_LOADS, runs: '-exec=', loads: '-toolexec= -overlay= -modfile=' },
      operands: ['read'],
    },
    'version help env doc': {
      single: true,
      options: { ok: '-json -m -v -all -c -cmd -short -src -u -changed', loads: '-w -u=' },
    },
    mod: {
      single: true,
      subcommands: {
        'tidy download verify graph why vendor init': {
          single: true,
          options: { ok: '-v -x -e -go= -compat= -json -m -o=' },
        },
        edit: 'loads',
      },
    },
    get: { single: true, options: { ok: '-t -u -v -x -u=patch', ...GO_LOADS }, operands: ['ok'], itself: 'ask' },
    clean: { single: true, options: { ok: '-n -r -x -i -cache -testcache -fuzzcache', outside: '-modcache' } },
    generate: 'runs',
    install: 'outside',
    'tool work telemetry bug': 'ask',
  },
};

const MAKE: ProgramTable = {
  cwdForAll: true,
  negatable: true,
  options: {
    ok: `-b -m -B --always-make -d --debug=? -e --environment-overrides -i --ignore-errors -j=? --jobs=? -k --keep-going -l=? --load-average=? --max-load=? -L --check-symlink-times
      -n --just-print --dry-run --recon -O=? --output-sync=? -p --print-data-base -q --question -r --no-builtin-rules -R --no-builtin-variables --shuffle=? -s --silent --quiet --no-silent -S --no-keep-going --stop
      -t --touch --trace -v --version -h --help -w --print-directory --no-print-directory -W= --what-if= --new-file= --assume-new= -o= --old-file= --assume-old= --warn-undefined-variables`,
    cwd: '-C= --directory=',
    'script-file': '-f= --file= --makefile=',
    loads: '-I= --include-dir= -E= --jobserver-auth= --jobserver-fds=',
    runs: '--eval=',
  },
  operands: ['ok'],
};

/** GNU make 4, cargo 1.8x, go 1.2x. What the files of the project say is not in the line: the sandbox holds that. */
export const BUILD_FAMILY: Readonly<Record<string, ProgramTable>> = {
  'make gmake': { ...MAKE, operands: ['make-target'] },
  cargo: CARGO,
  go: GO,
  gofmt: {
    single: true,
    options: { ok: '-d -e -l -s -r= -cpuprofile=', ask: '-w' },
    operands: ['read'],
    when: [{ options: '-w', operands: ['both'] }],
  },
  rustc: {
    options: {
      ok: '--edition= --crate-type= --crate-name= -O -g -V --version --test --print=',
      write: '-o= --out-dir=',
      loads: '-C= --codegen= -L= -l= --extern= --sysroot= -Z=',
    },
    operands: ['read'],
  },
};
