import { type CanonicalUrl, SallyportError } from '../core/index.ts';
import type { Admission } from '../keeper/index.ts';
import { decideRequest, referencesOf } from '../policy/index.ts';
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
  { signal, admission }: { readonly signal: AbortSignal; readonly admission: Admission },
): ((request: FetchRequest) => Promise<FetchResult>) | null {
  const judged = facts.requests?.['url'];
  if (judged === undefined || judged.method === null || 'trouble' in judged.url) return null;
  const resolved = new Map(judged.addresses === null ? [] : [[judged.url.host, judged.addresses]]);
  const { resolve, dial, certificates } = house;
  return (request) =>
    performRequest(request, {
      judge: (hop) =>
        decideRequest(house.latest().compiled(), parsed.name, { ...hop.request, addresses: hop.addresses }),
      release: (reference, url) =>
        release(house, admission, { tool: parsed.name, method: request.method, reference, url }),
      ...{ resolve, dial, certificates, resolved, signal },
      limits: { totalMs: decision.obligations.timeoutMs || house.limits.upstreamMs },
    });
}

interface Wanted {
  readonly tool: string;
  readonly method: string;
  readonly reference: string;
  readonly url: CanonicalUrl;
}

/** INVARIANT: a secret goes where the policy of now sends it, also one that the caller names. */
async function release(house: House, admission: Admission, { tool, method, reference, url }: Wanted): Promise<string> {
  const asked = { method, url, headers: {}, body: null, addresses: null };
  const { target } = decideRequest(house.latest().compiled(), tool, asked);
  if (target === null || !referencesOf(target.secrets).includes(reference)) {
    throw new SallyportError('SECRET_NOT_GRANTED', `the policy sends this secret somewhere else than to ${url.origin}`);
  }
  return house.keeper.secret(admission, { reference, destination: `${url.origin}${url.path}` });
}
