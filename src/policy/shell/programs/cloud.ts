import type { ProgramTable } from '../program.ts';

const GH_OK = `-R= --repo= -q= --jq= --json= -t= --template= -L= --limit= -s= --state= -l= --label= -a= --assignee= -A= --author= -B= --base= -H= --head= -S= --search= -b= --body= --title= -m= --milestone= -d --draft -f --fill --fill-first --fill-verbose -r= --reviewer= -p= --project= --no-maintainer-edit -c --comments --patch --name-only
  --color= --watch --required -i= --interval= --fail-fast -w= --workflow= --branch= -u= --user= -e= --event= --log --log-failed -v --verbose --exit-status --job= --attempt= --help --version --hostname= --page= --sort= --order= --language= --visibility= --topic= --owner= --archived --fork --source --no-archived --mention= --app= --rebase --squash --merge --auto --delete-branch --subject= --undo --add-label= --remove-label= --add-assignee= --add-reviewer= --approve --request-changes --comment --detach --force --recurse-submodules --checks -w --web`;
const READ = { inherit: true } as const;

const GH: ProgramTable = {
  inherit: true,
  bare: 'ok',
  options: { ok: GH_OK, read: '-F= --body-file= --notes-file= --recover=', runs: '--editor' },
  subcommands: {
    'issue pr': {
      ...READ,
      subcommands: {
        'list view status diff checks': { operands: ['ok'] },
        checkout: { operands: ['ok'] },
        'create comment edit close reopen review ready merge delete transfer lock unlock pin unpin update-branch develop revert':
          'ask',
      },
    },
    'run workflow': {
      ...READ,
      subcommands: {
        'list view watch': {},
        download: { options: { write: '-D= --dir=', ok: '-n= --name= -p= --pattern=' } },
        'rerun cancel delete enable disable run': 'ask',
      },
    },
    repo: {
      ...READ,
      subcommands: {
        'list view': { operands: ['ok'] },
        clone: { operands: ['ok', 'write'] },
        'create delete edit fork rename archive unarchive sync deploy-key set-default autolink license gitignore':
          'ask',
      },
    },
    'release label gist cache ruleset org project milestone': {
      ...READ,
      subcommands: {
        'list view check': { operands: ['ok'] },
        'create delete edit upload download clone delete-asset verify': 'ask',
      },
      otherwise: 'ask',
    },
    search: { ...READ, subcommands: { 'code commits issues prs repos': { operands: ['ok'] } } },
    'status browse help version completion': { operands: ['ok'] },
    auth: { subcommands: { status: {}, 'token login logout refresh setup-git switch': 'ask' } },
    api: {
      options: {
        ok: '--paginate --slurp --silent -i --include -q= --jq= -t= --template= -H= --header= --cache= -p= --preview= --verbose --hostname=',
        form: '-F= --field=',
        read: '--input=',
        ask: '-X= --method= -f= --raw-field=',
      },
      operands: ['ok'],
    },
    'extension alias copilot': 'runs',
    'secret variable ssh-key gpg-key config codespace attestation': 'ask',
  },
};

const KUBECTL_OK = `-n= --namespace= -A --all-namespaces -o= --output= -l= --selector= --field-selector= -w --watch --watch-only --show-labels --show-kind --no-headers --sort-by= -c= --container= --all-containers -f --follow -p --previous --since= --since-time= --tail= --timestamps --prefix --max-log-requests= --limit-bytes= --ignore-not-found -L= --label-columns=
  --chunk-size= --server-print=? --subresource= --request-timeout= -v= --v= --help -h --recursive --api-version= --for= --timeout= --to-revision= --revision= --dry-run=? --client --short --containers --use-protocol-buffers --include-uninitialized --verbs= --namespaced=? --api-group= --minify --raw --allow-missing-template-keys=? --template= --show-events=? --types= --concurrent --force-conflicts --server-side`;

const KUBECTL: ProgramTable = {
  inherit: true,
  bare: 'ok',
  options: {
    ok: KUBECTL_OK,
    loads:
      '--kubeconfig= --as= --as-group= --as-uid= --token= --username= --password= --user= --cluster= --client-certificate= --client-key= --certificate-authority= --tls-server-name= --cache-dir= --plugins=',
    ask: '--context=',
    network: '-s= --server= --insecure-skip-tls-verify=? --proxy-url=',
  },
  subcommands: {
    'get describe top explain version api-resources api-versions cluster-info events wait': {
      operands: ['ok'],
      options: { read: '--filename= -k= --kustomize=' },
    },
    logs: { operands: ['ok'] },
    diff: { options: { read: '-f= --filename= -k= --kustomize=' }, operands: ['ok'] },
    config: {
      subcommands: {
        'view get-contexts current-context get-clusters get-users': { operands: ['ok'] },
        'use-context set set-context set-cluster set-credentials unset delete-context delete-cluster delete-user rename-context':
          'loads',
      },
    },
    auth: { subcommands: { 'can-i whoami': { operands: ['ok'] }, reconcile: 'ask' } },
    rollout: { subcommands: { 'status history': { operands: ['ok'] }, 'restart undo pause resume': 'ask' } },
    kustomize: { operands: ['read'] },
    'apply create delete edit patch replace scale expose label annotate set autoscale taint cordon uncordon drain run debug certificate':
      'ask',
    'exec attach': 'runs',
    cp: 'ask',
    'port-forward proxy': 'network',
    'plugin krew': 'runs',
    'help options completion': {},
  },
  // `kubectl NAME` runs the program kubectl-NAME.
  otherwise: 'runs',
};

const TF_OK =
  '-no-color -json -compact-warnings -input= -lock= -lock-timeout= -parallelism= -refresh= -refresh-only -detailed-exitcode -target= -replace= -var= -upgrade -reconfigure -backend= -get= -check -diff -recursive -list= -raw -help -version -destroy -draw-cycles -type= -module-depth= -force-copy -migrate-state -filter= -verbose -test-directory=';
const TERRAFORM_FILES = {
  read: '-var-file= -state=',
  write: '-out= -generate-config-out= -state-out= -backup=',
  loads: '-backend-config= -plugin-dir= -from-module= -lockfile=',
};
const terraform = (operand: 'ok' | 'read' = 'ok'): ProgramTable => ({
  single: true,
  options: { ok: TF_OK, ...TERRAFORM_FILES },
  operands: [operand],
});

const TERRAFORM: ProgramTable = {
  single: true,
  bare: 'ok',
  options: { ok: '-version -help -v', cwd: '-chdir=' },
  subcommands: {
    'init validate plan version providers graph output get test metadata': terraform(),
    show: terraform('read'),
    fmt: {
      single: true,
      options: { ok: '-list= -write= -diff -check -recursive -no-color' },
      operands: ['both'],
      when: [{ options: '-check', operands: ['read'] }],
    },
    state: { single: true, subcommands: { 'list show pull': terraform(), 'mv rm push replace-provider': 'ask' } },
    workspace: { single: true, subcommands: { 'list show': terraform(), 'select new delete': 'ask' } },
    'apply destroy import taint untaint refresh force-unlock login logout cloud modules stacks': 'ask',
    console: 'runs',
  },
};

/** gh 2, kubectl 1.3x, terraform 1.x and OpenTofu, psql 13 to 17: reading is ordinary, changing something far away is asked. */
export const CLOUD_FAMILY: Readonly<Record<string, ProgramTable>> = {
  gh: GH,
  kubectl: KUBECTL,
  'terraform tofu': TERRAFORM,
  psql: {
    options: {
      ok: '-a --echo-all -A --no-align -b --echo-errors -d= --dbname= -e --echo-queries -E --echo-hidden -F= --field-separator= -h= --host= -H --html -l --list --csv -n --no-readline -p= --port= -P= --pset= -q --quiet -R= --record-separator= -s --single-step -S --single-line -t --tuples-only -T= --table-attr= -U= --username= -v= --set= --variable= -V --version -w --no-password -x --expanded -X --no-psqlrc -z --field-separator-zero -0 --record-separator-zero -1 --single-transaction -?',
      'psql-text': '-c= --command=',
      'psql-file': '-f= --file=',
      write: '-o= --output= -L= --log-file=',
      ask: '-W --password',
    },
    operands: ['ok'],
  },
  'mysql sqlite3 redis-cli mongosh': { itself: 'ask' },
  'aws gcloud az helm ansible ansible-playbook': { itself: 'ask' },
};
