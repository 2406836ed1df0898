import { decideRequest } from '../policy/index.ts';
import { performRequest } from './fetch-request.ts';
import type { FetchRequest, FetchResult } from './fetch-types.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';

/**
 * The way out for a call that was judged as a request; `null` for every other. Each hop is judged by the policy of now,
 * and the first connects only to the addresses that the decision was made from.
 */
export function sendFor(
  house: House,
  { facts, parsed, decision }: Judgement,
  signal: AbortSignal,
): ((request: FetchRequest) => Promise<FetchResult>) | null {
  const judged = facts.requests?.['url'];
  if (judged === undefined || judged.method === null || 'trouble' in judged.url) return null;
  const resolved = new Map(judged.addresses === null ? [] : [[judged.url.host, judged.addresses]]);
  const { resolve, dial, certificates } = house;
  return (request) =>
    performRequest(request, {
      judge: (hop) =>
        decideRequest(house.latest().compiled(), parsed.name, { ...hop.request, addresses: hop.addresses }),
      ...{ resolve, dial, certificates, resolved, signal },
      limits: { totalMs: decision.obligations.timeoutMs || house.limits.upstreamMs },
    });
}
