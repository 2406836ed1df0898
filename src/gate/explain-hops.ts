import {
  type CallFacts,
  type CompiledPolicy,
  decideRequest,
  type Explanation,
  type RequestFacts,
} from '../policy/index.ts';
import { foreseeRequest } from './fetch-request.ts';
import type { Resolve } from './fetch-types.ts';

/** What an address answers: a redirect to a location. */
export interface RedirectAnswer {
  readonly status: number;
  readonly location: string;
}

interface Foresight {
  readonly compiled: CompiledPolicy;
  readonly facts: CallFacts;
  readonly resolve: Resolve;
  readonly answers: (url: string) => RedirectAnswer | null;
}

/** Adds what the redirects of an allowed call would meet: the first hop that is refused denies the call. */
export async function explainHops(explanation: Explanation, foresight: Foresight): Promise<Explanation> {
  if (explanation.decision.effect === 'deny') return explanation;
  let found = explanation;
  for (const request of Object.values(foresight.facts.requests ?? {})) {
    const result = await foresee(request, foresight);
    if (result.kind === 'answered') continue;
    const { code, reason } = result;
    const rule = { id: `builtin.${code}` };
    const decision = {
      ...found.decision,
      effect: 'deny' as const,
      rule,
      code,
      reason,
      instead: 'Call the address that you want directly, if the rule allows it',
    };
    const step = { check: 'redirects', subject: 'the request', effect: 'deny' as const, rule, detail: reason };
    found = Object.freeze({ ...found, decision, steps: Object.freeze([...found.steps, step]) });
    break;
  }
  return found;
}

const foresee = (
  { method, url, headers, body, addresses }: RequestFacts,
  world: Foresight,
): ReturnType<typeof foreseeRequest> => {
  const { compiled, facts, resolve, answers } = world;
  if ('trouble' in url)
    return Promise.resolve({ kind: 'denied', code: 'ENDPOINT_MALFORMED', reason: url.detail, hops: [] });
  const resolved = new Map(addresses === null ? [] : [[url.host, addresses]]);
  return foreseeRequest(
    { method: method ?? 'GET', url: url.text, headers, body },
    {
      judge: (hop) =>
        decideRequest(compiled, facts.tool, {
          ...hop.request,
          method: method === null ? null : hop.request.method,
          addresses: hop.addresses,
        }),
      resolve,
      resolved,
      confirmed: true,
    },
    answers,
  );
};
