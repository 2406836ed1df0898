import type { ProgramTable } from '../program.ts';

const HOST_ACCESS = `--privileged --pid= --ipc= --uts= --userns= --cgroupns= --cap-add= --device= --device-cgroup-rule= --security-opt= --add-host= --runtime= --cgroup-parent= --volumes-from= --gpus= --group-add= --device-read-bps= --sysctl=`;
const RUN_OK = `-d --detach -i --interactive -t --tty --rm --init --name= -e= --env= -u= --user= -w= --workdir= -p= --publish= -P --publish-all --expose= -h= --hostname=
  -l= --label= -m= --memory= --memory-swap= --memory-reservation= -c= --cpu-shares= --cpus= --cpuset-cpus= --pids-limit= --restart= --pull= -q --quiet --platform=
  --read-only --tmpfs= --ulimit= --shm-size= --stop-signal= --stop-timeout= --health-cmd= --health-interval= --health-retries= --health-timeout= --no-healthcheck --log-driver=
  --log-opt= -a= --attach= --sig-proxy=? --network-alias= --ip= --dns= --cap-drop= --oom-kill-disable --detach-keys= --domainname= --mac-address=`;
const RUN_FILES = {
  volume: '-v= --volume=',
  mount: '--mount=',
  read: '--env-file= --label-file=',
  write: '--cidfile=',
  'network-name': '--network= --net=',
  outside: HOST_ACCESS,
  runs: '--entrypoint=',
} as const;

const BUILD: ProgramTable = {
  options: {
    ok: `-t= --tag= --build-arg= --no-cache --no-cache-filter= --pull -q --quiet --target= --platform= --progress= --rm --force-rm --label= -m= --memory= --shm-size= --load --squash --compress
      --provenance= --sbom= --ulimit= --isolation= --check --call= -D --debug --annotation=`,
    'script-file': '-f= --file=',
    write: '--iidfile= --metadata-file=',
    ask: '--cache-from= --cache-to=',
    loads: '--build-context= --builder= --add-host= --cgroup-parent=',
    outside: '--allow= --network= --security-opt= --ssh= --secret= --push -o= --output=',
  },
  operands: ['context'],
};

const LIST: ProgramTable = {
  options: {
    ok: '-a --all -q --quiet -f= --filter= --format= --no-trunc -n= --last= -l --latest -s --size --digests --tree',
  },
};
const LOGS: ProgramTable = {
  options: {
    ok: '-f --follow -n= --tail= -t --timestamps --since= --until= --details --no-color --no-log-prefix --index=',
  },
};
const LIFECYCLE: ProgramTable = {
  options: {
    ok: '-f --force -v --volumes -l -s= --signal= -t= --time= --timeout= -a --attach -i --interactive --no-prune --all --filter=',
  },
};

const COMPOSE_UP = `-d --detach --build --no-build --pull= --force-recreate --no-recreate --always-recreate-deps --no-deps --no-start --remove-orphans --quiet-pull -V --renew-anon-volumes --scale= --timeout=
  -t= --wait --wait-timeout= --watch -w --abort-on-container-exit --abort-on-container-failure --exit-code-from= --attach= --no-attach= --attach-dependencies --no-color --no-log-prefix --timestamps -y --yes --menu`;

const COMPOSE: ProgramTable = {
  strict: true,
  bare: 'ok',
  options: {
    ok: '-p= --project-name= --profile= --ansi= --no-ansi --progress= --parallel= --compatibility --dry-run --all-resources --verbose -v --version -h --help',
    'script-file': '-f= --file=',
    read: '--env-file=',
    cwd: '--project-directory=',
    network: '-H= --host=',
    loads: '--context= -c= --tls --tlscacert= --tlscert= --tlskey= --tlsverify --skip-hostname-check --workdir=',
  },
  subcommands: {
    up: { options: { ok: COMPOSE_UP } },
    'create start stop restart pause unpause kill': { options: { ok: `${COMPOSE_UP} -s= --signal=` } },
    down: { options: { ok: '--remove-orphans -t= --timeout= -v --volumes --rmi=' } },
    ps: { options: { ok: '-a --all -q --quiet --services --status= --filter= --format= --no-trunc --orphans' } },
    logs: LOGS,
    build: {
      options: {
        ok: '--build-arg= --no-cache --pull -q --quiet --progress= -m= --memory= --with-dependencies --force-rm --compress --parallel --print --check',
        outside: '--ssh= --push --builder=',
      },
    },
    'pull push': {
      options: {
        ok: '--ignore-pull-failures --ignore-push-failures --include-deps -q --quiet --policy= --ignore-buildable',
      },
    },
    config: {
      options: {
        ok: '--services --volumes --images --profiles --hash= -q --quiet --no-interpolate --no-normalize --no-path-resolution --no-consistency --resolve-image-digests --format= --environment --variables --networks',
        write: '-o= --output= --lock-image-digests',
      },
    },
    'images top port ls version events volumes stats wait': {
      options: {
        ok: '-q --quiet --format= --json --index= --protocol= -a --all --filter= -f --short --no-stream --no-trunc --since= --until= --down-project',
      },
    },
    rm: { options: { ok: '-f --force -s --stop -v --volumes -a' } },
    exec: {
      strict: true,
      options: {
        ok: '-d --detach -e= --env= --index= -T --no-TTY -i --interactive -t --tty -u= --user= -w= --workdir=',
        outside: '--privileged',
      },
      operands: ['ok', 'container-command'],
    },
    run: {
      strict: true,
      options: {
        ok: `${RUN_OK} --no-deps --service-ports -T --no-TTY --use-aliases --build --quiet-pull --quiet-build --remove-orphans --no-rm`,
        ...RUN_FILES,
      },
      operands: ['ok', 'container-command'],
    },
    'cp attach watch export commit publish bridge alpha scale': 'ask',
  },
};

const DOCKER: ProgramTable = {
  strict: true,
  bare: 'ok',
  options: {
    ok: '-D --debug -l= --log-level= -v --version -h --help',
    loads: '--config= -c= --context=',
    network: '-H= --host= --tls --tlscacert= --tlscert= --tlskey= --tlsverify',
  },
  subcommands: {
    'ps images search history top port stats diff events info version inspect': {
      options: { ok: `${LIST.options?.ok} --no-stream -H --human --type= --limit= --since= --until=` },
    },
    logs: LOGS,
    'start stop restart kill pause unpause wait rm rmi rename': LIFECYCLE,
    'pull tag': { options: { ok: '-a --all-tags -q --quiet --platform=', loads: '--disable-content-trust=?' } },
    'push login logout': 'ask',
    build: BUILD,
    run: { strict: true, options: { ok: RUN_OK, ...RUN_FILES }, operands: ['ok', 'container-command'] },
    create: {
      strict: true,
      options: { ok: RUN_OK, ...RUN_FILES },
      operands: ['ok', 'container-command'],
    },
    exec: {
      strict: true,
      options: {
        ok: '-d --detach -e= --env= -i --interactive -t --tty -u= --user= -w= --workdir= --detach-keys=',
        read: '--env-file=',
        outside: '--privileged',
      },
      operands: ['ok', 'container-command'],
    },
    compose: COMPOSE,
    'container image network volume system builder buildx context': {
      subcommands: {
        'ls list ps inspect logs df info top port stats history du': {
          options: { ok: `${LIST.options?.ok} --tail= --since= --until= -t -v --verbose` },
        },
        'rm remove prune create start stop restart kill': 'ask',
        build: BUILD,
      },
    },
    'cp export import load save commit': 'ask',
    'swarm service stack node secret config plugin trust manifest attach update': 'ask',
  },
};

/** Docker 24 to 28 and Compose 2, from their reference pages. Podman takes the same words. */
export const DOCKER_FAMILY: Readonly<Record<string, ProgramTable>> = {
  docker: DOCKER,
  podman: DOCKER,
  'docker-compose': COMPOSE,
};
