import type { EgressVerdict, SpawnTerms } from '../policy/index.ts';
import type { EgressAnswer, EgressDoor, EgressEvent } from '../sandbox/index.ts';
import type { House } from './house.ts';

/** Connections of one sandbox that are remembered for its record; more are only counted. */
const MOST_EVENTS = 1_000;

/** What went through the door of one sandbox. */
export interface EgressLog {
  readonly record: (event: EgressEvent) => void;
  /** In order, at most a thousand. */
  readonly events: readonly EgressEvent[];
  /** Events beyond that. */
  dropped(): number;
}

export function openEgressLog(): EgressLog {
  const events: EgressEvent[] = [];
  let dropped = 0;
  return {
    events,
    dropped: () => dropped,
    record: (event) => {
      if (events.length < MOST_EVENTS) events.push(event);
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
