import { isJsonObject, type JsonObject, type JsonValue, readUrl } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import { decideEndpoint, type EndpointVerdict } from './endpoints.ts';
import type { RequestFacts } from './facts.ts';
import { deny } from './finding.ts';

/** The tool whose arguments, as a whole, are a request; it stands in the facts under `url`. */
export const REQUEST_TOOL = 'api_call';

/**
 * The requests that a call would make, as far as its arguments say: of `api_call` the call itself, of other tools the URLs
 * in arguments that the policy declares `as: api_call`. No name has been looked up.
 *
 * ATTACKER-CONTROLLED: `args`.
 */
export function requestsOf(
  compiled: CompiledPolicy,
  tool: string,
  args: JsonObject,
): Readonly<Record<string, RequestFacts>> {
  const requests: Record<string, RequestFacts> = Object.create(null);
  for (const [name, { as }] of compiled.tools.get(tool)?.arguments ?? []) {
    if (as === 'api_call') addUrls(requests, name, args[name]);
  }
  const { method, url, headers = {}, body = null } = args;
  if (tool !== REQUEST_TOOL || typeof url !== 'string' || typeof method !== 'string' || !isJsonObject(headers)) {
    return requests;
  }
  requests['url'] = Object.freeze({ method, url: readUrl(url), headers, body, addresses: null });
  return requests;
}

function addUrls(into: Record<string, RequestFacts>, pointer: string, value: JsonValue | undefined): void {
  if (typeof value === 'string') {
    into[pointer] = Object.freeze({ method: null, url: readUrl(value), headers: {}, body: null, addresses: null });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) addUrls(into, `${pointer}/${index}`, item);
  }
}

/** Judges one request, or one hop of its redirects, by the endpoints of a tool's rule. See `decideEndpoint`. */
export function decideRequest(
  compiled: CompiledPolicy,
  tool: string,
  request: Omit<RequestFacts, 'url'> & { readonly url: RequestFacts['url'] | string },
): EndpointVerdict {
  const endpoints = compiled.tools.get(tool)?.endpoints ?? null;
  const { method, headers, body, addresses } = request;
  const url = typeof request.url === 'string' ? readUrl(request.url) : request.url;
  if (endpoints === null) return refused('ENDPOINT_NOT_ALLOWED', 'no rule allows endpoints for this tool');
  if ('trouble' in url) return refused('ENDPOINT_MALFORMED', `the URL cannot be used: ${url.detail}`);
  return decideEndpoint(endpoints, { method, url, headers, body }, addresses);
}

const refused = (code: 'ENDPOINT_NOT_ALLOWED' | 'ENDPOINT_MALFORMED', reason: string): EndpointVerdict => ({
  effect: 'deny',
  target: null,
  finding: deny(code, reason),
});
