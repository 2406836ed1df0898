import { type CanonicalUrl, isUrlTrouble, quoteForMessage, readUrl } from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import { type EndpointPattern, namesUrl, readEndpointEntry, readInternalEntry, readMethod } from './endpoint-entry.ts';
import { type Bound, entriesFor, indexByOrigin, type OriginIndex } from './endpoint-index.ts';
import { listSome } from './finding.ts';
import type { EgressRule, PolicyEntry } from './policy.ts';

/** What wants out of a sandbox. ATTACKER-CONTROLLED: every field but `scheme`. */
export interface EgressQuestion {
  /** `tcp`: a tunnel whose content is not seen. */
  readonly scheme: 'http' | 'https' | 'tcp';
  readonly host: string;
  readonly port: number;
  /** Null for a tunnel. */
  readonly method: string | null;
  /** The absolute URL of the request; null for a tunnel. */
  readonly url: string | null;
}

/**
 * `internal`: exactly this endpoint was named as one whose address need not be public. `credentials`: those that the client
 * sends go through. `plain`: the tunnel may carry something else than TLS.
 */
export type EgressVerdict =
  | {
      readonly allowed: true;
      readonly rule: string;
      readonly internal: boolean;
      readonly credentials: boolean;
      readonly plain: boolean;
    }
  | { readonly allowed: false; readonly rule: string; readonly reason: string };

/** The egress list of one rule, ready to judge by. */
export interface CompiledEgress {
  readonly rule: RuleReference;
  readonly listed: OriginIndex;
  readonly internal: OriginIndex;
  readonly texts: readonly string[];
  /** `null`: every method. */
  readonly methods: ReadonlySet<string> | null;
  readonly terminateTls: boolean;
  readonly credentials: boolean;
}

/** INVARIANT: the entries were read when the policy was, so each of them can be read. */
export function compileEgress({
  rule,
  entries,
  internal,
  methods,
  terminateTls,
  credentials,
}: EgressRule): CompiledEgress {
  return Object.freeze({
    ...{ rule, terminateTls, credentials },
    listed: indexByOrigin(entries.flatMap((entry) => bind(entry, readEndpointEntry))),
    internal: indexByOrigin(internal.flatMap((entry) => bind(entry, readInternalEntry))),
    texts: [...entries, ...internal].map(({ text }) => text),
    methods: methods === null ? null : new Set(methods.flatMap(({ text }) => readMethod(text) ?? [])),
  });
}

function bind(
  { text, rule }: PolicyEntry,
  read: (text: string) => EndpointPattern | string,
): readonly Bound<EndpointPattern>[] {
  const pattern = read(text);
  return typeof pattern === 'string' ? [] : [{ pattern, text, rule }];
}

/** Judges a way out by the list of one rule; null stands for a rule without one. */
export function judgeEgress(egress: CompiledEgress | null, question: EgressQuestion): EgressVerdict {
  if (egress === null) return refuse('builtin.ENDPOINT_NOT_ALLOWED', 'the rule lists no host under egress');
  return question.scheme === 'tcp' ? judgeTunnel(egress, question) : judgeSeen(egress, question);
}

const refuse = (rule: string, reason: string): EgressVerdict => ({ allowed: false, rule, reason });

/** A tunnel may carry anything: only an entry that limits neither path nor method can allow it. */
function judgeTunnel(egress: CompiledEgress, { host, port }: EgressQuestion): EgressVerdict {
  const written = host.includes(':') ? `[${bare(host)}]` : host;
  const urls = ['https', 'http'].map((scheme) => readUrl(`${scheme}://${written}:${port}/`));
  const named = quoteForMessage(`${host}:${port}`);
  for (const url of urls) {
    if (isUrlTrouble(url)) return refuse(egress.rule.id, `${named} cannot be used: ${url.detail}`);
    // What is more than a host would be read as part of a URL.
    if (!leadsTo(url, host, port)) return refuse(egress.rule.id, `${named} is not a host and a port`);
    const found = findEntry(egress, url, (entry) => entry.path === null || entry.path === '');
    if (found !== null && egress.methods === null) return found;
  }
  return refuse(egress.rule.id, `${egress.rule.id} does not allow a tunnel to ${named}. ${listed(egress)}`);
}

/** A host without the brackets of an IPv6 address. */
const bare = (host: string): string => host.replace(/^\[|\]$/g, '');

const leadsTo = (url: CanonicalUrl, host: string, port: number): boolean =>
  url.port === port && url.host === bare(host).toLowerCase();

/** A request whose method and path are seen. */
function judgeSeen(egress: CompiledEgress, { scheme, host, port, method, url: text }: EgressQuestion): EgressVerdict {
  const url = readUrl(text ?? '');
  if (isUrlTrouble(url)) return refuse(egress.rule.id, `the URL cannot be used: ${url.detail}`);
  if (url.scheme !== scheme || !leadsTo(url, host, port))
    return refuse(egress.rule.id, 'the URL of the request does not lead where the connection does');
  const read = readMethod(method ?? '');
  if (read === null || egress.methods?.has(read) === false)
    return refuse(egress.rule.id, `${egress.rule.id} does not allow the method ${quoteForMessage(method ?? '', 40)}`);
  const found = findEntry(egress, url, (entry) => namesUrl(entry, url));
  if (found !== null) return found;
  const place = quoteForMessage(`${url.origin}${url.path}`);
  return refuse(egress.rule.id, `${egress.rule.id} does not allow ${place}. ${listed(egress)}`);
}

/** An internal endpoint allows its whole origin, unless listed entries limit the paths of that same origin. */
function findEntry(
  egress: CompiledEgress,
  url: CanonicalUrl,
  names: (entry: EndpointPattern) => boolean,
): EgressVerdict | null {
  const [inside] = entriesFor(egress.internal, url);
  const sameOrigin = entriesFor(egress.listed, url);
  const entry = sameOrigin.find(({ pattern }) => names(pattern));
  const rest = { credentials: egress.credentials, plain: url.scheme === 'http' };
  if (entry !== undefined) return { allowed: true, rule: entry.rule.id, internal: inside !== undefined, ...rest };
  if (inside === undefined || sameOrigin.length > 0) return null;
  return { allowed: true, rule: inside.rule.id, internal: true, ...rest };
}

const listed = ({ texts }: CompiledEgress): string =>
  texts.length === 0 ? 'No host is listed' : `Hosts that are listed: ${listSome(texts)}`;
