import { type IsolationLevel, quoteForMessage } from '../core/index.ts';
import type { CallFacts } from './facts.ts';
import { deny, type Finding } from './finding.ts';

/**
 * What is wrong with where a call runs. Only what is spawned can be put into a sandbox: a function in the process and a
 * remote server run as they are, which the policy has to say.
 */
export function findIsolation(
  { tool, runs }: Pick<CallFacts, 'tool' | 'runs'>,
  levels: readonly IsolationLevel[],
): Finding | null {
  if (runs === 'built-in') return null;
  const named = quoteForMessage(tool);
  if (levels.length === 0)
    return deny('ISOLATION_UNSTATED', `${named} runs ${runs}, and the policy does not say in which isolation`);
  if (runs === 'spawned' || levels.includes('none')) return null;
  const reason = `${named} runs ${runs}, which is no sandbox, and the policy asks for ${levels.join(' or ')}`;
  return deny('ISOLATION_UNAVAILABLE', reason, { instead: 'Ask the operator to write isolation: none for it' });
}
