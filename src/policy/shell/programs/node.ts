import type { ProgramTable } from '../program.ts';

/** Node.js 20 to 24, and the test runners, compilers and linters that projects list by name. */
export const NODE_FAMILY: Readonly<Record<string, ProgramTable>> = {
  node: {
    strict: true,
    options: {
      ok: `-v --version -h --help --test --test-only --test-name-pattern= --test-skip-pattern= --test-concurrency= --test-timeout= --test-shard= --test-force-exit
        --test-coverage-lines= --test-coverage-branches= --test-coverage-functions= --test-coverage-include= --test-coverage-exclude= --test-update-snapshots --test-isolation= --experimental-test-isolation=
        --experimental-test-coverage --experimental-test-snapshots --experimental-test-module-mocks --watch --watch-preserve-output -c --check --enable-source-maps --no-warnings --trace-warnings --trace-deprecation --no-deprecation
        --throw-deprecation --trace-uncaught --unhandled-rejections= --max-old-space-size= --max-semi-space-size= --stack-trace-limit= --expose-gc --stack-size= --input-type= --experimental-strip-types
        --experimental-transform-types --no-experimental-strip-types --experimental-vm-modules --experimental-modules --preserve-symlinks --pending-deprecation --abort-on-uncaught-exception --frozen-intrinsics
        --dns-result-order= --zero-fill-buffers --experimental-sqlite --disable-warning= --run= --permission --completion-bash --v8-options`,
      read: '--watch-path= --test-global-setup= --env-file= --env-file-if-exists= --allow-fs-read=',
      write:
        '--test-reporter-destination= --cpu-prof-dir= --heap-prof-dir= --diagnostic-dir= --report-dir= --redirect-warnings= --trace-event-file-pattern=',
      listed: '--test-reporter=',
      runs: '-e= --eval= -p= --print= -pe= -i --interactive',
      loads:
        '-r= --require= --import= --loader= --experimental-loader= -C= --conditions= --openssl-config= --icu-data-dir= --build-snapshot --snapshot-blob= --experimental-sea-config= --build-sea= --experimental-config-file= --experimental-default-config-file',
      network:
        '--inspect=? --inspect-brk=? --inspect-port= --inspect-wait=? --debug-port= --experimental-network-inspection --use-system-ca',
    },
    only: { '--test-reporter': ['spec', 'tap', 'dot', 'junit', 'lcov'] },
    operands: ['script-file', 'ok'],
    when: [{ options: '--test', operands: ['read'] }],
    implicit: {
      options: '',
      role: 'runs',
      unless: '--test --run -v --version -h --help --v8-options --completion-bash',
    },
  },
  tsc: {
    options: {
      ok: `--noEmit --watch -w --strict --build -b --verbose -v --version -h --help --all --pretty=? --listFiles --listFilesOnly --showConfig --incremental --skipLibCheck --noEmitOnError
        --target= -t= --module= -m= --moduleResolution= --lib= --jsx= --declaration -d --emitDeclarationOnly --sourceMap --removeComments --esModuleInterop --force -f --dry --clean --diagnostics --extendedDiagnostics --traceResolution --explainFiles --types=`,
      read: '-p= --project= --rootDir= --baseUrl=',
      both: '--outDir= --outFile= --declarationDir= --tsBuildInfoFile= --generateTrace= --generateCpuProfile=',
      loads: '--plugins=',
    },
    operands: ['read'],
  },
  eslint: {
    options: {
      ok: '--ext= --fix --fix-dry-run --fix-type= --quiet --max-warnings= -f= --format= --no-eslintrc --no-config-lookup --cache --no-cache --cache-strategy= --color --no-color --report-unused-disable-directives --no-inline-config --ignore-pattern= --no-ignore --rule= --env= --global= --stdin --print-config= --debug -v --version -h --help --no-error-on-unmatched-pattern --pass-on-no-patterns --stats',
      read: '--ignore-path= --stdin-filename=',
      both: '--cache-location= --cache-file=',
      write: '-o= --output-file=',
      loads: '-c= --config= --parser= --plugin= --rulesdir= --resolve-plugins-relative-to= --init',
    },
    operands: ['read'],
  },
  prettier: {
    options: {
      ok: '-c --check -w --write -l --list-different -u --ignore-unknown --no-color --color --log-level= --single-quote --no-semi --tab-width= --print-width= --trailing-comma= --parser= --end-of-line= --no-config --config-precedence= --no-editorconfig --cache --cache-strategy= --no-error-on-unmatched-pattern --stdin-filepath= -v --version -h --help --use-tabs',
      read: '--ignore-path= --find-config-path= --file-info=',
      both: '--cache-location=',
      loads: '--config= --plugin= --plugin-search-dir=',
    },
    operands: ['read'],
    when: [{ options: '-w --write', operands: ['both'] }],
  },
  'vitest jest mocha': {
    options: {
      ok: '-w --watch --watchAll --run --coverage --silent --verbose --bail=? --ci -i --runInBand --maxWorkers= -t= --testNamePattern= --testPathPattern= --changed=? --onlyChanged -o --passWithNoTests --passWithNoTests=? --reporter= -R= --no-color --color --project= --shard= --retry= --timeout= -g= --grep= --forceExit --detectOpenHandles --updateSnapshot -u --update --no-file-parallelism --testTimeout= --exclude= --recursive --exit --parallel -j= -v --version -h --help --dom --pool= --logHeapUsage --hideSkippedTests',
      read: '--dir= --root=',
      both: '--coverageDirectory= --outputFile= --coverage.reportsDirectory= --cacheDirectory=',
      loads:
        '-c= --config= --globalSetup= --globalTeardown= --setupFiles= --environment= --env= --testEnvironment= -r= --require= --import= --loader= --transform= --resolver= --runner= --preset= --testRunner= --rootDir= --ui=? --api=? --inspect=? --inspect-brk=?',
    },
    operands: ['read'],
  },
};
