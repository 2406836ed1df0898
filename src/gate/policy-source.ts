import { newId, SallyportError, systemClock } from '../core/index.ts';
import type { Keeper } from '../keeper/index.ts';
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
    return { scope, policyFile, watched: null, development: false, read: () => Promise.resolve(pairOf(loaded)) };
  }
  if (policyChanges !== 'wait' && policyChanges !== 'apply') {
    throw new SallyportError('USAGE', 'policyChanges is wait, apply or ignore');
  }
  const development = policyChanges === 'apply';
  let isFirst = true;
  const source = { policyFile, root, clock, state: keeper.state, needsApproval: !development };
  return {
    ...{ policyFile, development, watched: keeper.state },
    // Gates that enforce the same file in two ways do not follow each other.
    scope: development ? `${policyFile} (development)` : policyFile,
    read: async () => {
      const pair = await readPair(source, isFirst);
      isFirst = false;
      return pair;
    },
  };
}
