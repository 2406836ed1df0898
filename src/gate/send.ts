import { type CanonicalUrl, SallyportError } from '../core/index.ts';
import type { Admission } from '../keeper/index.ts';
import { decideRequest, type EndpointVerdict, referencesOf } from '../policy/index.ts';
import { performRequest } from './fetch-request.ts';
import type { FetchRequest, FetchResult, Hop, HopVerdict } from './fetch-types.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';

/** The way out of one call. */
export interface WayOut {
  send(request: FetchRequest): Promise<FetchResult>;
  /** Ends with the call: what is on its way stops, and nothing goes out any more. */
  close(): void;
}

/**
 * The way out for a call that was judged as a request, and for a tool that has a secret; `null` for every other. Each hop is judged by
 * the policy of now. A request that was judged with the call connects only to the addresses that the decision was made from.
 */
export function sendFor(
  house: House,
  judgement: Judgement,
  { signal, admission }: { readonly signal: AbortSignal; readonly admission: Admission },
): WayOut | null {
  const { parsed, decision } = judgement;
  const secret = parsed.registered?.secret ?? null;
  const resolved = judgedAddresses(judgement) ?? (secret === null ? null : new Map());
  if (resolved === null) return null;
  const { resolve, dial, certificates } = house;
  const judge = (hop: Hop): HopVerdict => {
    const asked = { ...hop.request, addresses: hop.addresses };
    return boundTo(secret, decideRequest(house.latest().compiled(), parsed.name, asked));
  };
  const ended = new AbortController();
  const whileItRuns = AbortSignal.any([signal, ended.signal]);
  const send: WayOut['send'] = (request) =>
    performRequest(request, {
      judge,
      release: (reference, url) =>
        release(house, admission, { tool: parsed.name, method: request.method, reference, url }),
      ...{ resolve, dial, certificates, resolved, signal: whileItRuns },
      limits: { totalMs: decision.obligations.timeoutMs || house.limits.upstreamMs },
    });
  return { send, close: () => ended.abort(new SallyportError('TOOL_CANCELLED', 'the call is over')) };
}

/** The addresses of the request that a call is; null when it is none. */
function judgedAddresses({ facts }: Judgement): ReadonlyMap<string, readonly string[]> | null {
  const judged = facts.requests?.['url'];
  if (judged === undefined || judged.method === null || 'trouble' in judged.url) return null;
  return new Map(judged.addresses === null ? [] : [[judged.url.host, judged.addresses]]);
}

/** INVARIANT: a tool that has a secret talks to those only that the policy sends it to. */
function boundTo(secret: string | null, verdict: EndpointVerdict): HopVerdict {
  if (secret === null || verdict.target === null || referencesOf(verdict.target.secrets).includes(secret))
    return verdict;
  const reason = `the policy does not send the secret of this tool to ${verdict.target.url.origin}`;
  return { effect: 'deny', target: null, finding: { code: 'SECRET_NOT_GRANTED', reason } };
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
