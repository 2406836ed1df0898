import { type CanonicalUrl, type IsolationLevel, sha256Hex } from '../core/index.ts';
import {
  type EgressAnswer,
  type EgressAsk,
  type EgressDoor,
  type EgressEvent,
  SANDBOX_HOME,
  type SandboxCommand,
  type Sandboxes,
  type SandboxLimits,
  type SandboxProcess,
  type SandboxProfile,
} from '../sandbox/index.ts';
import type { Dial, Resolve } from './fetch-types.ts';
import { findNpm } from './npm-program.ts';

/** One run of npm that fetches a package. */
export interface InstallRun {
  /** Levels that will do, best first. */
  readonly levels: readonly IsolationLevel[];
  /** Arguments of npm. */
  readonly args: readonly string[];
  /** Absolute real path of all that it may write; its home is `home` in it, it runs in `project` in it. */
  readonly folder: string;
  readonly registry: CanonicalUrl;
  /** The registry may have an address that is not public: an operator named it. */
  readonly internal: boolean;
  /** Is told of each way out, taken or refused. */
  readonly egress: (event: EgressEvent) => void;
}

export interface InstallSurroundings {
  readonly sandboxes: Sandboxes;
  readonly resolve: Resolve;
  readonly dial: Dial;
}

/** What fetching a package may use: more than any server needs that one person would look at. */
export const INSTALL_LIMITS: SandboxLimits = Object.freeze({
  wallMs: 600_000,
  memoryBytes: 2 * 1_073_741_824,
  processes: 256,
  fileBytes: 512 * 1_048_576,
  openFiles: 4_096,
  outputBytes: 4 * 1_048_576,
  diskBytes: 2 * 1_073_741_824,
});

/**
 * Runs npm where it sees nothing but its own folder and the runtime, and reaches the registry and nothing else.
 *
 * @throws SallyportError ISOLATION_UNAVAILABLE, SANDBOX_FAILED, PACKAGE_INSTALL (there is no npm)
 */
export async function startInstall(
  around: InstallSurroundings,
  run: InstallRun,
): Promise<{ readonly process: SandboxProcess; readonly level: IsolationLevel }> {
  const { sandboxes } = around;
  const chosen = await sandboxes.choose(run.levels);
  const npm = findNpm();
  const profile = profileOf(around, run, npm.runtime);
  const isPlain = chosen.level === 'none';
  const argv = [...(isPlain ? [] : throughProxy(run.registry)), npm.node, npm.npm, ...run.args];
  const started = await sandboxes.start(chosen, profile, commandOf(isPlain, run, argv), { owner: null });
  return { process: started, level: chosen.level };
}

const profileOf = (around: InstallSurroundings, run: InstallRun, runtime: readonly string[]): SandboxProfile =>
  Object.freeze<SandboxProfile>({
    mounts: [{ path: run.folder, access: 'write' }],
    ...{ covers: [], reserved: [], runtime, limits: INSTALL_LIMITS },
    egress: registryDoor(around, run),
  });

/**
 * Loopback inside a sandbox is its own, and clients go there without the proxy: a registry of this machine is behind it.
 */
const throughProxy = ({ hostKind, host }: CanonicalUrl): readonly string[] =>
  hostKind === 'address' || host === 'localhost'
    ? ['/usr/bin/env', ...['NO_PROXY', 'no_proxy', 'npm_config_noproxy'].map((name) => `${name}=none.invalid`)]
    : [];

/** No configuration of npm but its arguments: nothing of our environment, of our home or of the workspace. */
function commandOf(
  isPlain: boolean,
  { folder }: InstallRun,
  [program = '', ...args]: readonly string[],
): SandboxCommand {
  const home = `${folder}/home`;
  return {
    ...{ argv: [program, ...args], cwd: `${folder}/project`, stdin: 'none' },
    env: {
      ...{ PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' },
      ...(isPlain ? { HOME: home, TMPDIR: home } : {}),
      npm_config_cache: `${isPlain ? home : SANDBOX_HOME}/cache`,
    },
  };
}

const RESOLVE_MS = 10_000;

function registryDoor({ resolve, dial }: InstallSurroundings, run: InstallRun): EgressDoor {
  return Object.freeze<EgressDoor>({
    digest: sha256Hex(`install\n${run.registry.origin}\n${run.internal}`),
    judge: async (ask) => judgeAsk(ask, run),
    record: run.egress,
    terminateTls: false,
    resolve: (host) => resolve(host, AbortSignal.timeout(RESOLVE_MS)),
    dial: (target, signal) => dial(target, signal),
  });
}

const RULE = 'servers install --registry';

/** INVARIANT: the host and port of the registry, and no other; without TLS only to read. */
function judgeAsk(ask: EgressAsk, { registry, internal }: InstallRun): EgressAnswer {
  const { host, port, scheme, method } = ask;
  const isRegistry = host === registry.host && port === registry.port;
  const isItsScheme = registry.scheme === 'https' ? scheme !== 'http' : scheme === 'http';
  const reads = method === null || method === 'GET' || method === 'HEAD';
  if (isRegistry && isItsScheme && reads) return { allowed: true, rule: RULE, internal };
  return { allowed: false, rule: RULE, reason: 'only the registry can be reached while a package is installed' };
}
