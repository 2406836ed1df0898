import {
  type CanonicalUrl,
  isUrlTrouble,
  type JsonObject,
  type JsonValue,
  quoteForMessage,
  readUrl,
  SallyportError,
} from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import { judgeAddresses } from './endpoint-address.ts';
import { needsConfirmation } from './endpoint-confirm.ts';
import {
  namesUrl,
  type RequestPattern,
  readDestination,
  readEndpointEntry,
  readInternalEntry,
  readMethod,
  readRequestEntry,
} from './endpoint-entry.ts';
import { type HeaderValue, readHeaders } from './endpoint-headers.ts';
import { type Bound, entriesFor, indexByOrigin, type OriginIndex } from './endpoint-index.ts';
import { methodsOf } from './endpoint-method.ts';
import { type BoundSecret, type EndpointSecret, secretsFor, withoutCredentials } from './endpoint-secrets.ts';
import { deny, type Finding, listSome } from './finding.ts';
import type { PolicyEntry, SecretRule } from './policy.ts';

/** What a rule says about endpoints, as texts of the policy. */
export interface EndpointRules {
  readonly rule: RuleReference;
  readonly allowedEndpoints: readonly PolicyEntry[];
  readonly internalEndpoints: readonly PolicyEntry[];
  /** `null`: GET and HEAD. */
  readonly methods: readonly PolicyEntry[] | null;
  /** `requiresConfirmation.requests`. */
  readonly confirmRequests: readonly PolicyEntry[];
  readonly secrets: readonly SecretRule[];
}

/** The endpoints of a rule, ready to decide by. Frozen. */
export interface CompiledEndpoints {
  readonly rule: RuleReference;
  /** By origin, so that a decision takes the same time for ten entries as for a thousand. */
  readonly allowed: OriginIndex;
  readonly internal: OriginIndex;
  /** All entries that allow something, as they stand in the policy. */
  readonly texts: readonly string[];
  readonly methods: ReadonlySet<string>;
  readonly confirms: readonly Bound<RequestPattern>[];
  readonly secrets: readonly BoundSecret[];
}

/** Methods that a rule allows when it names none: those that are safe (RFC 9110 9.2.1) and fetch something. */
const DEFAULT_METHODS: readonly string[] = ['GET', 'HEAD'];

/**
 * Compiles what a rule says about endpoints. The loader reads each entry first (`readEndpointEntry`, `readInternalEntry`,
 * `readMethod`, `readRequestEntry`) and tells where it stands; here an unusable one is an error.
 *
 * @throws SallyportError POLICY_INVALID
 */
export function compileEndpoints(rules: EndpointRules): CompiledEndpoints {
  const methods = (rules.methods ?? []).map((entry) => bind(entry, readMethodEntry).pattern);
  return Object.freeze({
    rule: rules.rule,
    allowed: indexByOrigin(rules.allowedEndpoints.map((entry) => bind(entry, readEndpointEntry))),
    internal: indexByOrigin(rules.internalEndpoints.map((entry) => bind(entry, readInternalEntry))),
    texts: [...rules.allowedEndpoints, ...rules.internalEndpoints].map(({ text }) => text),
    methods: new Set(rules.methods === null ? DEFAULT_METHODS : methods.map(({ method }) => method)),
    confirms: rules.confirmRequests.map((entry) => bind(entry, readRequestEntry)),
    secrets: rules.secrets.map((entry) => ({ ...bind(entry, readDestination), secret: entry.secret })),
  });
}

function readMethodEntry(text: string): { readonly method: string } | string {
  const method = readMethod(text);
  return method === null ? 'it is not a method that can be used' : { method };
}

function bind<Pattern extends object>(
  { text, rule }: PolicyEntry,
  read: (text: string) => Pattern | string,
): Bound<Pattern> {
  const pattern = read(text);
  if (typeof pattern === 'string') {
    throw new SallyportError('POLICY_INVALID', `${rule.id}: ${quoteForMessage(text)} cannot be used: ${pattern}`);
  }
  return Object.freeze({ pattern, text, rule });
}

/** A request as a caller wants it. ATTACKER-CONTROLLED throughout; types are the schema's business. */
export interface EndpointRequest {
  /** `null`: only a URL is known (`as: api_call`); then methods are not judged and confirmations apply to any. */
  readonly method: string | null;
  /** As given, or as the gate has read it before. */
  readonly url: string | CanonicalUrl;
  readonly headers: JsonObject;
  /** `null`: none. */
  readonly body: JsonValue;
}

/** Where an admitted request goes: everything a connection is made from. */
interface EndpointTarget {
  readonly url: CanonicalUrl;
  readonly method: string | null;
  readonly headers: ReadonlyMap<string, HeaderValue>;
  /** The entry that allows it. */
  readonly rule: RuleReference;
  readonly isInternal: boolean;
  /** What the request carries besides, of which nobody has the values yet. */
  readonly secrets: readonly EndpointSecret[];
}

/** `target` is null exactly when the effect is deny; `finding` is null exactly when it is allow. */
export type EndpointVerdict =
  | { readonly effect: 'allow'; readonly target: EndpointTarget; readonly finding: null }
  | { readonly effect: 'confirm'; readonly target: EndpointTarget; readonly finding: Finding }
  | { readonly effect: 'deny'; readonly target: null; readonly finding: Finding };

/**
 * Judges a request by the endpoints of a rule. Ask twice: with `addresses: null` before the name is resolved (a name that
 * is not allowed is not even looked up: look-ups carry data), then with every address that it resolved to.
 *
 * @example
 * decideEndpoint(compiled, { method: 'GET', url: 'https://api.github.com/user', headers: {}, body: null }, ['140.82.121.6'])
 */
export function decideEndpoint(
  compiled: CompiledEndpoints,
  request: EndpointRequest,
  addresses: readonly string[] | null,
): EndpointVerdict {
  const url = typeof request.url === 'string' ? readUrl(request.url) : request.url;
  if (isUrlTrouble(url)) return refused(deny('ENDPOINT_MALFORMED', `the URL cannot be used: ${url.detail}`));
  const entry = findEntry(compiled, url);
  if (entry === null) return refused(refuseUrl(compiled, url));
  const { body, method } = request;
  const read = readHeaders(request.headers, bodyBytes(body));
  if ('effect' in read) return refused(read);
  const methods = method === null ? null : methodsOf(method, { overrides: read.overrides, url, body });
  if (methods !== null && 'effect' in methods) return refused(methods);
  const wrong = methods?.find((one) => !compiled.methods.has(one));
  if (wrong !== undefined) return refused(refuseMethod(compiled, wrong));
  const place = { url, isInternal: entry.isInternal, rule: entry.rule };
  const found = addresses === null ? null : judgeAddresses(place, addresses);
  if (found !== null) return refused(found);
  const secrets = secretsFor(compiled.secrets, url);
  const headers = withoutCredentials(read.headers, secrets);
  const target = Object.freeze({ ...place, method: methods?.[0] ?? null, headers, secrets });
  const asked = compiled.confirms.find(({ pattern }) => needsConfirmation(pattern, url, methods));
  return asked === undefined
    ? { effect: 'allow', target, finding: null }
    : { effect: 'confirm', target, finding: confirmRequest(asked) };
}

const refused = (finding: Finding): EndpointVerdict => ({ effect: 'deny', target: null, finding });

/** Bytes of the body as it is sent: text as it stands, an object as JSON. */
const bodyBytes = (body: JsonValue): number =>
  body === null ? 0 : Buffer.byteLength(typeof body === 'string' ? body : JSON.stringify(body));

/**
 * The entry that allows a URL. An internal endpoint allows its whole origin, unless `allowedEndpoints` limits the paths of
 * that same origin.
 */
function findEntry(
  { allowed, internal }: CompiledEndpoints,
  url: CanonicalUrl,
): { readonly rule: RuleReference; readonly isInternal: boolean } | null {
  const [inside] = entriesFor(internal, url);
  const sameOrigin = entriesFor(allowed, url);
  const listed = sameOrigin.find(({ pattern }) => namesUrl(pattern, url));
  if (inside === undefined) return listed === undefined ? null : { rule: listed.rule, isInternal: false };
  const isLimited = sameOrigin.length > 0;
  return isLimited && listed === undefined ? null : { rule: (listed ?? inside).rule, isInternal: true };
}

function refuseUrl(compiled: CompiledEndpoints, url: CanonicalUrl): Finding {
  const { texts } = compiled;
  const instead = texts.length === 0 ? 'No endpoint is allowed' : `Endpoints you may use: ${listSome(texts)}`;
  const place = quoteForMessage(`${url.origin}${url.path}`);
  if (url.hostKind === 'address') {
    const reason = `${place} names an address; hosts are named, and only internalEndpoints may name addresses`;
    return deny('ENDPOINT_NOT_ALLOWED', reason, { rule: compiled.rule, instead });
  }
  return deny('ENDPOINT_NOT_ALLOWED', `${compiled.rule.id} does not allow ${place}`, { rule: compiled.rule, instead });
}

function refuseMethod(compiled: CompiledEndpoints, method: string): Finding {
  const instead =
    compiled.methods.size === 0 ? 'No method is allowed' : `Methods you may use: ${listSome([...compiled.methods])}`;
  const reason = `${compiled.rule.id} does not allow the method ${quoteForMessage(method, 40)}`;
  return deny('ENDPOINT_METHOD', reason, { rule: compiled.rule, instead });
}

function confirmRequest({ rule, text }: Bound<RequestPattern>): Finding {
  const reason = `${rule.id} asks for a confirmation of requests to ${quoteForMessage(text, 80)}`;
  return {
    effect: 'confirm',
    code: 'ENDPOINT_CONFIRMATION',
    rule,
    reason,
    instead: 'Use a request that needs no confirmation',
  };
}
