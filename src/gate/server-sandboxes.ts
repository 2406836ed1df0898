import { homedir } from 'node:os';
import { compilePolicy, type ServerRule } from '../policy/index.ts';
import { openEgress, openSandboxes, type SandboxProcess } from '../sandbox/index.ts';
import { watchControlFiles } from './control-files.ts';
import { systemDial, systemResolve } from './fetch-dial.ts';
import type { LoadedPolicy } from './load-policy.ts';
import { openProfiles } from './profile.ts';
import { startServer } from './server-start.ts';

/** Starts servers of a policy for an operator who looks at them before they are approved: without a gate and without a record. */
export interface ServerSandboxes extends AsyncDisposable {
  /** @throws SallyportError ISOLATION_UNAVAILABLE, SANDBOX_FAILED */
  start(rule: ServerRule): Promise<SandboxProcess>;
}

/** `state`: the state folder, which no server may see. */
export function openServerSandboxes({ policy, policyFile, root }: LoadedPolicy, state: string): ServerSandboxes {
  const sandboxes = openSandboxes(policy.sandbox, { openEgress });
  const compiled = compilePolicy(policy, { root, tools: [] });
  const control = watchControlFiles({ root, home: homedir(), policyFile, stateFolders: [state] });
  const house = {
    ...{ root, compiled: () => compiled, profiles: openProfiles(control, sandboxes), sandboxes: () => sandboxes },
    isolation: null,
    ...{ resolve: systemResolve, dial: systemDial, certificates: [] },
  };
  return {
    start: (rule) =>
      startServer(house, {
        ...{ rule, current: () => compiled },
        placed: async () => undefined,
        egress: () => undefined,
      }),
    [Symbol.asyncDispose]: () => sandboxes.close(),
  };
}
