import { homedir } from 'node:os';
import type { IsolationLevel } from '../core/index.ts';
import { acceptedLevels, compilePolicy, type ServerRule } from '../policy/index.ts';
import { openEgress, openSandboxes, type SandboxProcess } from '../sandbox/index.ts';
import { watchControlFiles } from './control-files.ts';
import { systemDial, systemResolve } from './fetch-dial.ts';
import type { Dial, Resolve } from './fetch-types.ts';
import { type InstallRun, startInstall } from './install-run.ts';
import type { LoadedPolicy } from './load-policy.ts';
import { openProfiles } from './profile.ts';
import { startServer } from './server-start.ts';

/** Starts servers of a policy for an operator who looks at them before they are approved: without a gate and without a record. */
export interface ServerSandboxes extends AsyncDisposable {
  /** @throws SallyportError ISOLATION_UNAVAILABLE, SANDBOX_FAILED */
  start(rule: ServerRule): Promise<SandboxProcess>;
  /**
   * Runs npm for a server that is a package, in the levels that the policy accepts for it.
   * @throws SallyportError ISOLATION_UNAVAILABLE, SANDBOX_FAILED, PACKAGE_INSTALL
   */
  install(rule: ServerRule, run: Omit<InstallRun, 'levels'>): ReturnType<typeof startInstall>;
  /** The levels that the policy accepts for a server, best first. */
  levelsOf(rule: ServerRule): readonly IsolationLevel[];
}

/** How names are looked up and connections made; the system's way if absent. */
export interface ServerNetwork {
  readonly resolve?: Resolve;
  readonly dial?: Dial;
}

/** `state`: the state folder, which no server may see. */
export function openServerSandboxes(
  { policy, policyFile, root }: LoadedPolicy,
  state: string,
  { resolve = systemResolve, dial = systemDial }: ServerNetwork = {},
): ServerSandboxes {
  const sandboxes = openSandboxes(policy.sandbox, { openEgress });
  const compiled = compilePolicy(policy, { root, tools: [] });
  const control = watchControlFiles({ root, home: homedir(), policyFile, stateFolders: [state] });
  const house = {
    ...{ root, compiled: () => compiled, profiles: openProfiles(control, sandboxes), sandboxes: () => sandboxes },
    isolation: null,
    ...{ resolve, dial, certificates: [] },
  };
  const levelsOf = ({ name }: ServerRule) => acceptedLevels(compiled, `mcp__${name}:tools/list`);
  return {
    levelsOf,
    install: (rule, run) => startInstall({ sandboxes, resolve, dial }, { ...run, levels: levelsOf(rule) }),
    start: (rule) =>
      startServer(house, {
        ...{ rule, current: () => compiled },
        placed: async () => undefined,
        egress: () => undefined,
      }),
    [Symbol.asyncDispose]: () => sandboxes.close(),
  };
}
