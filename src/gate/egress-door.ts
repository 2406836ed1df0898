import { SallyportError } from '../core/index.ts';
import type { EgressVerdict, SpawnTerms } from '../policy/index.ts';
import type { EgressAnswer, EgressDoor, EgressEvent } from '../sandbox/index.ts';
import type { House } from './house.ts';

/** What is remembered of one sandbox: connections that were made, and refusals; more refusals are only counted. */
const MOST_ALLOWED = 10_000;
const MOST_REFUSED = 500;

/** What went through the door of one sandbox. */
export interface EgressLog {
  readonly record: (event: EgressEvent) => void;
  /** In order. */
  readonly events: readonly EgressEvent[];
  /** Refusals beyond those that are remembered. */
  dropped(): number;
}

export function openEgressLog(): EgressLog {
  const events: EgressEvent[] = [];
  const counts = { allowed: 0, refused: 0 };
  let dropped = 0;
  return {
    events,
    dropped: () => dropped,
    record: (event) => {
      counts[event.allowed ? 'allowed' : 'refused'] += 1;
      // INVARIANT: nothing leaves unrecorded, however much is refused before it. What cannot be recorded ends the session.
      if (counts.allowed > MOST_ALLOWED)
        throw new SallyportError('EGRESS_BUSY', 'one sandbox made too many connections');
      if (event.allowed || counts.refused <= MOST_REFUSED) events.push(event);
      else dropped += 1;
    },
  };
}

/**
 * The door to the network of a sandbox; null where its terms have none. Each way out is judged by the policy of now: terms that
 * are not there any more let nothing out. `current`: the terms in force.
 */
export function egressDoor(
  house: Pick<House, 'resolve' | 'dial' | 'certificates'>,
  terms: SpawnTerms,
  { current, record }: { readonly current: () => SpawnTerms | null; readonly record: EgressDoor['record'] },
): EgressDoor | null {
  if (terms.egress === null) return null;
  const { resolve, dial, certificates } = house;
  return Object.freeze<EgressDoor>({
    digest: terms.digest,
    judge: async (ask) => answerOf(current()?.egress?.(ask)),
    record,
    terminateTls: terms.terminateTls,
    certificates,
    resolve: (host) => resolve(host, AbortSignal.timeout(RESOLVE_MS)),
    dial: (target, signal) => dial(target, signal),
  });
}

function answerOf(verdict: EgressVerdict | undefined): EgressAnswer {
  if (verdict === undefined) return { allowed: false, rule: 'builtin.POLICY_CHANGED', reason: 'the policy changed' };
  if (!verdict.allowed) return verdict;
  const { rule, internal, credentials, plain } = verdict;
  return {
    ...{ allowed: true, rule, internal },
    ...(credentials ? { credentials } : {}),
    ...(plain ? { tunnel: 'any' } : {}),
  };
}

const RESOLVE_MS = 10_000;
