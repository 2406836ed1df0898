import { ISOLATION_LEVELS, type IsolationLevel, isSallyportError } from '../core/index.ts';
import type { SpawnTerms } from '../policy/index.ts';
import {
  acceptedLevels,
  type CallFacts,
  mayBeAllowed,
  readActionName,
  serverTerms,
  spawnTerms,
} from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import { denyBuiltIn } from './deny.ts';
import type { House } from './house.ts';

type IsolationFacts = NonNullable<CallFacts['isolation']>;

/** Where what a call spawns would run here. Nothing is tried for a call that no rule could allow. */
export async function readIsolation(
  house: House,
  { parsed, principal }: Pick<CallRequest, 'parsed' | 'principal'>,
): Promise<IsolationFacts | null> {
  const { name, registered } = parsed;
  if (registered?.tool.runs !== 'spawned' || !mayBeAllowed(house.compiled(), name, principal)) return null;
  const asked = levelsFor(house, acceptedLevels(house.compiled(), name));
  const terms = termsFor(house, name)?.digest ?? null;
  if (asked.length === 0) {
    const reason = 'none of the levels that were named is as strong as the policy asks';
    return Object.freeze({ asked, terms, achieved: null, reason });
  }
  return Object.freeze({ asked, terms, ...(await tryLevels(house, asked)) });
}

/** The levels of the policy; where the one who opened the gate named some, those of them that are as strong at least. */
export function levelsFor(
  { isolation }: Pick<House, 'isolation'>,
  accepted: readonly IsolationLevel[],
): readonly IsolationLevel[] {
  if (isolation === null) return accepted;
  return isolation.filter((level) => accepted.some((known) => isAsStrong(level, known)));
}

/** INVARIANT: container stands beside bubblewrap, and neither stands in for the other. */
function isAsStrong(level: IsolationLevel, known: IsolationLevel): boolean {
  const rank = (one: IsolationLevel): number => ISOLATION_LEVELS.indexOf(one === 'container' ? 'bubblewrap' : one);
  return level === known || rank(level) > rank(known);
}

async function tryLevels(
  house: House,
  asked: readonly IsolationLevel[],
): Promise<Pick<IsolationFacts, 'achieved' | 'reason'>> {
  try {
    return { achieved: (await house.sandboxes().choose(asked)).level, reason: '' };
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    return { achieved: null, reason: error.message };
  }
}

/** What the policies in force say about what a tool, or the server behind it, spawns. */
export function termsFor({ compiled }: Pick<House, 'compiled'>, tool: string): SpawnTerms | null {
  const server = readActionName(tool)?.server ?? /^mcp__([a-z0-9-]{1,20})__./.exec(tool)?.[1];
  return server === undefined ? spawnTerms(compiled(), tool) : serverTerms(compiled(), server);
}

/** Why an allowed call that spawns cannot run, or run on; null where it can. */
export function judgePlace(
  house: House,
  { tool, isolation }: CallFacts,
  accepted: readonly IsolationLevel[],
): ReturnType<typeof denyBuiltIn> | null {
  if (isolation === undefined) return null;
  if (isolation.achieved === null) return denyBuiltIn('ISOLATION_UNAVAILABLE', isolation.reason);
  if (!levelsFor(house, accepted).includes(isolation.achieved)) {
    const reason = `the policy asks for ${accepted.join(' or ')}, and it would run in ${isolation.achieved}`;
    return denyBuiltIn('ISOLATION_UNAVAILABLE', reason);
  }
  if (isolation.terms === (termsFor(house, tool)?.digest ?? null)) return null;
  return denyBuiltIn('POLICY_CHANGED', 'the policy now shows what is spawned other files, hosts or limits');
}
