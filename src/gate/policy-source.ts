import { accessSync, constants } from 'node:fs';
import { newId, SallyportError, systemClock } from '../core/index.ts';
import { approvalFiles, type Keeper, namesOfPolicy } from '../keeper/index.ts';
import type { LoadedPolicy } from './load-policy.ts';
import type { GateOptions } from './options.ts';
import type { PolicySource } from './policy-in-force.ts';
import { pairOf, readPair } from './policy-pair.ts';

/** Where the policy of a gate comes from. `loaded`: as it was read before the keeper was open. */
export function policySource(options: GateOptions, loaded: LoadedPolicy, keeper: Keeper): PolicySource {
  const { policy, policyChanges = 'wait', root, clock = systemClock } = options;
  const { policyFile } = loaded;
  if (typeof policy !== 'string' || policyFile === null || policyChanges === 'ignore') {
    // Nothing of it changes, so that no other gate has to follow it.
    const scope = newId(policyFile === null ? 'object' : 'fixed');
    const fixed = { watched: null, needsApproval: false, asks: false, development: false };
    return { scope, policyFile, ...fixed, read: () => Promise.resolve(pairOf(loaded)) };
  }
  if (policyChanges !== 'wait' && policyChanges !== 'apply') {
    throw new SallyportError('USAGE', 'policyChanges is wait, apply or ignore');
  }
  const development = policyChanges === 'apply';
  let isFirst = true;
  const needsApproval = !development;
  const source = { policyFile, root, clock, keeper, needsApproval };
  const asks = needsApproval && !isReadable(keeper.state);
  return {
    ...{ policyFile, development, needsApproval, asks },
    watched: () => (asks ? [policyFile] : [policyFile, ...approvalFiles(keeper.state, namesOfPolicy(policyFile))]),
    // Gates that enforce the same file in two ways do not follow each other.
    scope: development ? `${policyFile} (development)` : policyFile,
    read: async () => {
      const pair = await readPair(source, isFirst);
      isFirst = false;
      return pair;
    },
  };
}

/** False for the state of a keeper that runs under another user id, or elsewhere. */
function isReadable(state: string): boolean {
  try {
    accessSync(state, constants.R_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
