import type { ProgramTable } from '../program.ts';

const NPM_OK = `-s --silent -q --quiet -d -dd -ddd --verbose --loglevel= --json -j --parseable -p --long -l --color=? --no-color --progress --no-progress
  --unicode --no-unicode --fund --no-fund --audit --no-audit --audit-level= --production --dev --only= --also= --omit= --include=
  --save -S --save-dev -D --save-prod -P --save-optional -O --save-peer --save-exact -E --save-bundle -B --no-save --save-prefix=
  --package-lock --no-package-lock --package-lock-only --ignore-scripts --no-ignore-scripts --foreground-scripts --dry-run
  --prefer-offline --prefer-online --offline --no-optional --no-shrinkwrap --legacy-peer-deps --strict-peer-deps --force -f
  --if-present -w= --workspace= -ws --workspaces --no-workspaces -iwr --include-workspace-root --workspaces-update
  --no-workspaces-update --depth= --all -a --yes -y --no-yes -n --no -v --version -h -? --help --usage --timing --no-timing
  --engine-strict --no-engine-strict --install-links --no-install-links --install-strategy= --global-style --legacy-bundling
  --prefer-dedupe --no-bin-links --bin-links --scope= --tag= --before= --min-release-age= --heading= --fetch-retries= --fetch-timeout=
  --fetch-retry-mintimeout= --fetch-retry-maxtimeout= --maxsockets= --node-version= --cpu= --os= --libc= --ignore-existing
  --read-only --update-notifier --no-update-notifier --expect-result-count= --expect-results --searchlimit= --searchopts=
  --searchexclude= --description --no-description --git-tag-version --no-git-tag-version --commit-hooks --no-commit-hooks
  -m= --message= --preid= --allow-same-version --tag-version-prefix= --sign-git-tag --sign-git-commit --sbom-format= --sbom-type=
  --package-lock-only --link --diff-name-only --diff-unified= --diff-ignore-all-space --diff-no-prefix --diff-text`;

const RUN: ProgramTable = { strict: false, operands: ['ok'] };
const INSTALL: ProgramTable = { operands: ['package'] };
const READ: ProgramTable = { operands: ['ok'] };

const NPM: ProgramTable = {
  inherit: true,
  cwdForAll: true,
  negatable: true,
  shortSubcommands: true,
  bare: 'ok',
  options: {
    ok: NPM_OK,
    cwd: '--prefix= -C=',
    both: '--pack-destination=',
    loads: `--script-shell= --shell= --node-options= --userconfig= --globalconfig= --registry= --reg= --cafile= --ca= --cert= --key=
      --strict-ssl=? --no-strict-ssl --init-module= --init-author-name= --cache= --replace-registry-host=
      --@scope:registry= --otp= --access= --init-package=? --localaddress=`,
    network: '--https-proxy= --proxy= --http-proxy= --noproxy=',
    runs: '--git= --editor= --viewer= --browser=? --call= -c= --package= --script-prepend-node-path=?',
    outside: '-g --global --location= -L=',
  },
  subcommands: {
    'install add ci install-test install-ci-test update': INSTALL,
    'uninstall dedupe prune rebuild audit outdated ls ll fund explain query view root prefix ping search bugs docs repo doctor find-dupes sbom diff shrinkwrap completion help help-search version star unstar stars':
      READ,
    'run test start stop restart': RUN,
    pack: { operands: ['package'] },
    init: { operands: ['runs'] },
    exec: 'runs',
    explore: 'runs',
    config: {
      subcommands: { 'get list': { operands: ['ok'] }, 'set delete fix': 'loads', edit: 'runs' },
      aliases: { ls: 'list', rm: 'delete', del: 'delete' },
    },
    get: { operands: ['ok'] },
    set: 'loads',
    pkg: { subcommands: { get: { operands: ['ok'] }, 'set delete fix': 'loads' } },
    cache: { subcommands: { 'verify ls list': {}, 'clean add rm': 'ask' } },
    link: { operands: ['package'], itself: 'outside' },
    edit: 'runs',
    'publish unpublish deprecate dist-tag access owner team token login logout adduser org profile hook trust stage whoami':
      'ask',
  },
  aliases: {
    i: 'install',
    in: 'install',
    ins: 'install',
    inst: 'install',
    insta: 'install',
    instal: 'install',
    isnt: 'install',
    isnta: 'install',
    isntal: 'install',
    isntall: 'install',
    it: 'install-test',
    cit: 'install-ci-test',
    'clean-install': 'ci',
    'clean-install-test': 'install-ci-test',
    sit: 'install-ci-test',
    ic: 'ci',
    'install-clean': 'ci',
    'isntall-clean': 'ci',
    'run-script': 'run',
    rum: 'run',
    urn: 'run',
    t: 'test',
    tst: 'test',
    x: 'exec',
    create: 'init',
    innit: 'init',
    c: 'config',
    up: 'update',
    upgrade: 'update',
    udpate: 'update',
    un: 'uninstall',
    unlink: 'uninstall',
    remove: 'uninstall',
    rm: 'uninstall',
    r: 'uninstall',
    ln: 'link',
    list: 'ls',
    la: 'll',
    ddp: 'dedupe',
    rb: 'rebuild',
    v: 'view',
    info: 'view',
    show: 'view',
    s: 'search',
    se: 'search',
    find: 'search',
    home: 'docs',
    issues: 'bugs',
    why: 'explain',
    hlep: 'help',
    author: 'owner',
    verison: 'version',
    'add-user': 'adduser',
    'dist-tags': 'dist-tag',
    ogr: 'org',
  },
};

const NPX: ProgramTable = {
  strict: true,
  options: {
    ok: '-y --yes -n --no --no-install -q --quiet --silent -v --version -h --help --prefer-offline --offline --ignore-existing --loglevel= -w= --workspace= --workspaces',
    runs: '-p= --package= -c= --call= --shell= -s= --script-shell= --node-arg= --node-options=',
    loads: '--registry= --userconfig= --cache=',
    cwd: '-C= --prefix=',
  },
  operands: ['ask', 'ok'],
};

const YARN_OK = `-s --silent --verbose --json --offline --frozen-lockfile --immutable --immutable-cache --check-files --pure-lockfile --no-lockfile
  --ignore-scripts --ignore-engines --ignore-platform --ignore-optional --non-interactive --no-progress --production=? --prod --prefer-offline
  --flat --force --har --link-duplicates --mutex= --network-timeout= --network-concurrency= -D --dev -E --exact -T --tilde -C --caret -P --peer
  -O --optional -W --ignore-workspace-root-check -i --interactive --inline-builds --mode= -v --version -h --help --pattern= --level= --depth= --all -A -R --recursive
  --since=? --parallel --topological --include= --exclude= --from= --no-private --top-level -t --emoji=? --no-emoji --dry-run`;

const YARN: ProgramTable = {
  inherit: true,
  cwdForAll: true,
  bare: 'ok',
  options: {
    ok: YARN_OK,
    cwd: '--cwd=',
    loads:
      '--registry= --use-yarnrc= --modules-folder= --cache-folder= --preferred-cache-folder= --script-shell= --scripts-prepend-node-path=? --inspect=? --inspect-brk=? --require=',
    network: '--proxy= --https-proxy=',
    outside: '--global-folder= --prefix= --link-folder=',
  },
  subcommands: {
    'install add up upgrade upgrade-interactive': INSTALL,
    'remove list why info outdated audit check licenses versions workspaces version autoclean dedupe constraints explain help bin':
      READ,
    'run test start build lint dev stop restart format typecheck': RUN,
    workspace: { operands: ['ok', 'ok'], itself: 'ask' },
    'init create': { operands: ['runs'] },
    'dlx exec node': 'runs',
    'global link unlink': 'outside',
    config: { subcommands: { 'get list': {}, 'set delete unset': 'loads' } },
    'set plugin patch import policies': 'loads',
    'publish npm login logout tag owner team': 'ask',
    cache: { subcommands: { 'list dir': {}, clean: {} } },
  },
  aliases: { rm: 'remove' },
  // A word that is no sub-command names a script of the project or a program in node_modules/.bin.
  otherwise: { operands: ['ok'], itself: 'ask' },
};

const PNPM: ProgramTable = {
  inherit: true,
  cwdForAll: true,
  bare: 'ok',
  options: {
    ok: `${YARN_OK} -r --filter= -F= --filter-prod= -w --workspace-root --no-frozen-lockfile --lockfile-only --fix-lockfile --no-optional --dev-only
      -d --no-save --save-dev --save-prod --save-optional --save-exact --save-peer --workspace --workspace-concurrency= --stream --aggregate-output --reporter= --color --no-color --loglevel= --if-present
      --no-bail --bail --sort --no-sort --resume-from= --report-summary --shamefully-hoist --strict-peer-dependencies --no-strict-peer-dependencies --ignore-workspace --long --parseable --yes -y --latest -L`,
    cwd: '-C= --dir= --prefix=',
    loads:
      '--registry= --script-shell= --shell-emulator --store-dir= --virtual-store-dir= --modules-dir= --node-options= --userconfig= --config.*= --ignore-pnpmfile=? --pnpmfile= --global-pnpmfile= --use-node-version=',
    network: '--proxy= --https-proxy=',
    outside: '-g --global --global-dir= --global-bin-dir=',
    runs: '-c --shell-mode',
  },
  subcommands: {
    'install add update install-test ci': INSTALL,
    'remove ls list why outdated audit licenses prune dedupe rebuild fetch root bin store-path help': READ,
    'run test start stop restart': RUN,
    'exec dlx create node': 'runs',
    init: {},
    'link unlink': 'outside',
    config: { subcommands: { 'get list': {}, 'set delete': 'loads' } },
    'patch patch-commit env setup self-update import deploy server': 'loads',
    'publish pack login logout': 'ask',
    store: { subcommands: { 'status path': {}, 'prune add': {} } },
  },
  aliases: {
    i: 'install',
    up: 'update',
    upgrade: 'update',
    rm: 'remove',
    uninstall: 'remove',
    un: 'remove',
    t: 'test',
    it: 'install-test',
    'run-script': 'run',
    rb: 'rebuild',
    la: 'ls',
    ll: 'ls',
  },
  otherwise: { operands: ['ok'], itself: 'ask' },
};

/** npm 10 and 11, npx, Yarn 1 and 4, pnpm 9 and 10, from their documentation and npm's own list of commands. */
export const NPM_FAMILY: Readonly<Record<string, ProgramTable>> = {
  npm: NPM,
  npx: NPX,
  yarn: YARN,
  pnpm: PNPM,
  pnpx: { itself: 'runs' },
  bunx: { itself: 'runs' },
};
