import { isJsonObject, type JsonObject, type JsonValue, readUrl } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import { referencesOf, secretKey } from './endpoint-secrets.ts';
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
  const own = ownRequestsOf(compiled, tool, args);
  return compiled.also === undefined ? own : { ...requestsOf(compiled.also, tool, args), ...own };
}

/** The same for one policy, without the one that counts besides. */
export function ownRequestsOf(
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

type Asked = Omit<RequestFacts, 'url'> & { readonly url: RequestFacts['url'] | string };

/**
 * Judges one request, or one hop of its redirects, by the endpoints of a tool's rule, under every policy that counts. See
 * `decideEndpoint`.
 */
export function decideRequest(compiled: CompiledPolicy, tool: string, request: Asked): EndpointVerdict {
  // To a policy in which no argument of the tool is a URL, a mere URL is a text like any other.
  const isText = request.method === null && compiled.tools.get(tool)?.endpoints === null;
  if (compiled.also !== undefined && isText) return decideRequest(compiled.also, tool, request);
  const first = decideOwnRequest(compiled, tool, request);
  if (compiled.also === undefined || first.effect === 'deny') return first;
  if (request.method === null && compiled.also.tools.get(tool)?.endpoints === null) return first;
  const second = decideRequest(compiled.also, tool, request);
  return withCommonSecrets(isStricter(second, first) ? second : first, first, second);
}

/** A secret goes where every policy that counts sends it. */
function withCommonSecrets(told: EndpointVerdict, ...both: readonly EndpointVerdict[]): EndpointVerdict {
  if (told.target === null) return told;
  const lists = both.map(({ target }) => new Set((target?.secrets ?? []).map(secretKey)));
  const secrets = told.target.secrets.filter((secret) => lists.every((keys) => keys.has(secretKey(secret))));
  if (secrets.length === told.target.secrets.length) return told;
  return { ...told, target: Object.freeze({ ...told.target, secrets: Object.freeze(secrets) }) };
}

/** References of the secrets that requests of a tool may carry somewhere, under every policy that counts. */
export function secretsOfTool(compiled: CompiledPolicy, tool: string): readonly string[] {
  const own = referencesOf((compiled.tools.get(tool)?.endpoints?.secrets ?? []).map(({ secret }) => secret));
  if (compiled.also === undefined || own.length === 0) return own;
  const others = new Set(secretsOfTool(compiled.also, tool));
  return own.filter((reference) => others.has(reference));
}

/** Of two that allow the one that reaches no internal address. */
function isStricter(second: EndpointVerdict, first: EndpointVerdict): boolean {
  if (second.effect === 'deny' || first.effect === 'deny') return second.effect === 'deny';
  if (second.effect !== first.effect) return second.effect === 'confirm';
  return first.target.isInternal && !second.target.isInternal;
}

function decideOwnRequest(compiled: CompiledPolicy, tool: string, request: Asked): EndpointVerdict {
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
