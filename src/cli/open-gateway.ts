import { type Gate, type LoadedPolicy, loadPolicy, openGate } from '../gate/index.ts';
import { createUpstreams, lockPathOf, type Upstreams, type UpstreamsOptions } from '../gateway/index.ts';
import { builtInTools } from '../tools/index.ts';
import { gateSettings, type Settings } from './settings.ts';
import { packageVersion } from './version.ts';

/** Said on every screen under `mode: observe`: nobody may take an observed run for a guarded one. */
export const OBSERVING = 'observe: NOTHING IS ENFORCED, what the policy denies runs all the same and is recorded';

/** A gate with everything behind it: the built-in tools and the servers of the policy. */
export interface OpenedGateway {
  readonly gate: Gate;
  readonly upstreams: Upstreams;
  close(reason: string): Promise<void>;
}

/** Opens gate and servers for the commands that make calls. @throws the errors of `openGate` and LOCK_INVALID */
export async function openGateway(settings: Settings): Promise<OpenedGateway> {
  const wanted = gateSettings(settings);
  const loaded = await loadPolicy(wanted);
  const upstreams = createUpstreams(upstreamOptions(loaded, settings));
  const gate = await openGate({
    ...wanted,
    policy: loaded.policy,
    policyFile: settings.policyFile,
    tools: builtInTools(),
    missing: upstreams.missing,
  });
  try {
    await upstreams.attach(gate);
  } catch (error) {
    await gate.close('the servers could not be attached');
    throw error;
  }
  const close = async (reason: string): Promise<void> => {
    await upstreams.close();
    await gate.close(reason);
  };
  return { gate, upstreams, close };
}

/** Where the servers of a policy are approved and started. */
const upstreamOptions = ({ policy, root }: LoadedPolicy, { policyFile }: Settings): UpstreamsOptions => ({
  servers: policy.servers,
  lockPath: lockPathOf(policyFile),
  root,
  version: packageVersion(),
});
