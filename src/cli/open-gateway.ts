import { type Gate, openGate, type WaitingCall } from '../gate/index.ts';
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

/** Said on every screen under `policyChanges: apply`. */
export const DEVELOPMENT =
  'development: a changed policy applies at once, whatever it widens and whoever wrote it; nothing waits for approval';

export interface GatewayOptions {
  /** Changes of the policy file apply without approval. */
  readonly development?: boolean;
  /** Is told how the policy stands when that changes. */
  readonly onPolicyNotice: (line: string) => void;
  /** Prints a one-time code for a credential of an operator; absent: nobody sits here. */
  readonly onOperatorCode?: (code: string) => void;
  /** Is told of calls that wait for a person. */
  readonly onApprovalWaiting: (waiting: WaitingCall) => void;
}

/** Opens gate and servers for the commands that make calls. @throws the errors of `openGate` and LOCK_INVALID */
export async function openGateway(settings: Settings, options: GatewayOptions): Promise<OpenedGateway> {
  let upstreams: Upstreams | null = null;
  const gate = await openGate({
    ...gateSettings(settings),
    // The embedded policy comes with the package: who replaces that replaces us.
    policyChanges: settings.embedded ? 'ignore' : options.development === true ? 'apply' : 'wait',
    onPolicyNotice: options.onPolicyNotice,
    onApprovalWaiting: options.onApprovalWaiting,
    ...(options.onOperatorCode === undefined ? {} : { onOperatorCode: options.onOperatorCode }),
    tools: builtInTools(),
    missing: (tool) => upstreams?.missing(tool) ?? null,
  });
  try {
    // Only what is in force is started: servers that a changed policy adds wait with it.
    upstreams = createUpstreams(upstreamOptions(gate, settings));
    await upstreams.attach(gate);
  } catch (error) {
    await gate.close('the servers could not be attached');
    throw error;
  }
  const attached = upstreams;
  const close = async (reason: string): Promise<void> => {
    await attached.close();
    await gate.close(reason);
  };
  return { gate, upstreams, close };
}

/** Where the servers of a policy are approved and started. */
const upstreamOptions = (gate: Gate, { policyFile }: Settings): UpstreamsOptions => ({
  servers: gate.servers(),
  lockPath: lockPathOf(policyFile),
  root: gate.root,
  version: packageVersion(),
});
