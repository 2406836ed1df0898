import { nestedSpans } from './decode-views.ts';
import type { Encoding } from './encodings.ts';
import type { RedactionLimits } from './limits.ts';
import type { Owner, Registry, SecretEntry, SecretSpan } from './registry.ts';
import { leading, type Match, mergeSpans } from './spans.ts';
import { squash } from './squash.ts';
import { searchView } from './view-search.ts';

/** Who reads the text, and how hard to look. */
export interface RedactOptions {
  /** Whose secrets may be named. Values of other tenants, and all of them where none is given, read `[redacted]`. */
  readonly tenant?: string;
  /** Also look past white space, zero-width characters, terminal sequences and HTML comments inside a value. */
  readonly squash?: boolean;
  /** Also look into encodings inside encodings; implies `squash`. For sessions that used a secret. */
  readonly deep?: boolean;
}

/** A value that was removed. */
export interface RedactionHit {
  /** Absent for a value of another tenant. */
  readonly name?: string;
  readonly version?: string;
  readonly foreign: boolean;
  /** Where it stood in the text of its round; the first round reads the text that was given. */
  readonly start: number;
  readonly length: number;
  readonly encoding: Encoding;
}

export interface RedactedText {
  readonly text: string;
  /** At most `limits.hits` of them. */
  readonly hits: readonly RedactionHit[];
  /** True if the whole text was withheld: no placeholder is safe, or it did not come to rest. `text` is empty then. */
  readonly withheld: boolean;
  /** False if `deep` left something unread, because a limit was reached. */
  readonly complete: boolean;
}

/**
 * Removes every known value from a text, round by round until nothing is found.
 *
 * INVARIANT: `redactText(redactText(x).text).text === redactText(x).text` with the same secrets and options: a text is
 * given back only after a round that found nothing in it.
 */
export function redactText(
  registry: Registry,
  text: string,
  options: RedactOptions,
  limits: RedactionLimits,
): RedactedText {
  const hits: RedactionHit[] = [];
  let complete = true;
  let now = text;
  for (let round = 0; round < limits.rounds; round++) {
    const found = findSpans(registry, now, options, limits);
    complete &&= found.complete;
    if (found.spans.length === 0) return { text: now, hits, withheld: false, complete };
    for (const hit of hitsOf(found.spans, options.tenant)) if (hits.length < limits.hits) hits.push(hit);
    const next = replaceSpans(registry, now, found.spans, options.tenant);
    if (next === undefined) break;
    now = next;
  }
  return { text: '', hits, withheld: true, complete };
}

/** Every hit of some spans, as the reader may know it. */
export const hitsOf = (spans: readonly SecretSpan[], tenant: string | undefined): RedactionHit[] =>
  spans.flatMap(({ members }) => members.map((match) => hitOf(match, tenant)));

/** The placeholder of a span for a reader; undefined where no safe one is left. */
export function placeholderOf(registry: Registry, span: SecretSpan, tenant: string | undefined): string | undefined {
  const match = leading(span);
  return registry.placeholders.of(match && ownerFor(match.entry, tenant)?.secret.name);
}

interface Found {
  readonly spans: readonly SecretSpan[];
  readonly complete: boolean;
}

function findSpans(
  registry: Registry,
  text: string,
  { squash: past, deep }: RedactOptions,
  limits: RedactionLimits,
): Found {
  const exact = registry.search(text);
  if (deep === true) {
    const nested = nestedSpans(registry, text, limits);
    return { spans: mergeSpans([exact, ...nested.spans]), complete: nested.complete };
  }
  const view = past === true ? squash(text) : undefined;
  return { spans: view === undefined ? exact : mergeSpans([exact, searchView(registry, view)]), complete: true };
}

function replaceSpans(
  registry: Registry,
  text: string,
  spans: readonly SecretSpan[],
  tenant: string | undefined,
): string | undefined {
  let out = '';
  let at = 0;
  for (const span of spans) {
    const placeholder = placeholderOf(registry, span, tenant);
    if (placeholder === undefined) return undefined;
    out += text.slice(at, span.start) + placeholder;
    at = span.end;
  }
  return out + text.slice(at);
}

function hitOf(match: Match<SecretEntry>, tenant: string | undefined): RedactionHit {
  const own = ownerFor(match.entry, tenant);
  const place = { start: match.start, length: match.end - match.start };
  const encoding = match.nested === true ? 'nested' : ((own ?? match.entry.owners[0])?.encoding ?? 'raw');
  if (own === undefined) return { foreign: true, ...place, encoding };
  return { name: own.secret.name, version: own.secret.version, foreign: false, ...place, encoding };
}

const ownerFor = (entry: SecretEntry, tenant: string | undefined): Owner | undefined =>
  tenant === undefined ? undefined : entry.owners.find(({ secret }) => secret.tenant === tenant);
