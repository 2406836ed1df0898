import { type Blob, findBlobs, inflated } from './blobs.ts';
import type { RedactionLimits } from './limits.ts';
import type { Registry, SecretEntry, SecretSpan } from './registry.ts';
import { leading } from './spans.ts';
import { squash, unveil } from './squash.ts';
import { unescapeText } from './unescape.ts';
import { through, type View } from './view.ts';
import { searchView, spansBehind } from './view-search.ts';

/** What is left to spend on one text. */
interface Budget {
  length: number;
  blobs: number;
  complete: boolean;
}

/**
 * Values that a text holds in ways that the needles do not write: between escapes of any kind, squashed, or inside encoded
 * blobs to a depth. Of a blob that holds one, everything goes. `complete` says that no limit cut the search short.
 */
export function nestedSpans(
  registry: Registry,
  text: string,
  limits: RedactionLimits,
): { spans: readonly (readonly SecretSpan[])[]; complete: boolean } {
  const budget = { length: limits.decodeLength, blobs: limits.decodeBlobs, complete: true };
  const search = new NestedSearch(registry, limits, budget);
  if (text.length > limits.decodeLength) budget.complete = false;
  const readings = search.readingsOf(text);
  const spans = [squash(text), ...readings, ...readings.map(squashed)].flatMap((view) =>
    view === undefined ? [] : [searchView(registry, view)],
  );
  spans.push(search.blobSpans(text.slice(0, limits.decodeLength), limits.decodeDepth));
  for (const view of readings) spans.push(search.blobSpansOf(view));
  return { spans, complete: budget.complete };
}

class NestedSearch {
  readonly #registry: Registry;
  readonly #limits: RedactionLimits;
  readonly #budget: Budget;
  /** Blobs that were opened and held nothing, with the depth that was left: views repeat them. */
  readonly #clean = new Set<string>();

  constructor(registry: Registry, limits: RedactionLimits, budget: Budget) {
    this.#registry = registry;
    this.#limits = limits;
    this.#budget = budget;
  }

  /** The text without what is not seen, and with its escapes read once, twice and so on. White space stays in all. */
  readingsOf(text: string): View[] {
    const readings: View[] = [];
    let view = unveil(text);
    if (view !== undefined) readings.push(view);
    for (let depth = 0; depth < this.#limits.decodeDepth; depth++) {
      const next = unescapeText(view?.text ?? text);
      if (next === undefined) break;
      view = view === undefined ? next : through(view, next);
      readings.push(view);
    }
    return readings;
  }

  blobSpans(text: string, depth: number): SecretSpan[] {
    const spans: SecretSpan[] = [];
    for (const blob of findBlobs(text)) {
      const entry = this.#held(text, blob, depth);
      if (entry === undefined) continue;
      const place = { start: blob.start, end: blob.end };
      spans.push({ ...place, members: [{ ...place, entry, nested: true }] });
    }
    return spans;
  }

  blobSpansOf(view: View): SecretSpan[] {
    return spansBehind(view, this.blobSpans(view.text.slice(0, this.#limits.decodeLength), this.#limits.decodeDepth));
  }

  #held(text: string, { kind, start, end, decode }: Blob, depth: number): SecretEntry | undefined {
    const encoded = text.slice(start, end);
    const key = `${depth} ${kind} ${encoded}`;
    if (this.#clean.has(key)) return undefined;
    if (this.#budget.length < encoded.length || this.#budget.blobs === 0) {
      this.#budget.complete = false;
      return undefined;
    }
    this.#budget.length -= encoded.length;
    this.#budget.blobs--;
    for (const decoded of decode()) {
      const entry = this.#inBytes(decoded, depth);
      if (entry !== undefined) return entry;
    }
    this.#clean.add(key);
    return undefined;
  }

  #inBytes(bytes: string, depth: number): SecretEntry | undefined {
    const unpacked = inflated(bytes, Math.max(1, this.#budget.length));
    if (unpacked === null) this.#budget.complete = false;
    this.#budget.length -= unpacked?.length ?? 0;
    return this.#inText(bytes, depth) ?? (typeof unpacked === 'string' ? this.#inText(unpacked, depth) : undefined);
  }

  #inText(text: string, depth: number): SecretEntry | undefined {
    if (text.length < this.#limits.needleLength) return undefined;
    const readings = isNoise(text) ? [] : this.readingsOf(text).map((view) => view.text);
    for (const each of [text, ...readings]) {
      const entry = firstOf(this.#registry.search(each)) ?? this.#squashed(each);
      if (entry !== undefined) return entry;
    }
    if (depth <= 1) return undefined;
    for (const each of [text, ...readings]) {
      const entry = firstOf(this.blobSpans(each, depth - 1));
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  #squashed(text: string): SecretEntry | undefined {
    if (isNoise(text)) return undefined;
    const view = squash(text);
    return view === undefined ? undefined : firstOf(this.#registry.search(view.text));
  }
}

/** How much of what was decoded is looked at to tell text from bytes. */
const NOISE_WITHIN = 256;

/** Bytes that are no text, as base64 read at the wrong place gives: they are searched as they are, not as text. */
function isNoise(text: string): boolean {
  const length = Math.min(text.length, NOISE_WITHIN);
  let strange = 0;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7e || (unit < 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09)) strange++;
  }
  return strange * 4 > length;
}

const squashed = (view: View): View | undefined => {
  const flat = squash(view.text);
  return flat === undefined ? undefined : through(view, flat);
};

const firstOf = (spans: readonly SecretSpan[]): SecretEntry | undefined => {
  const [span] = spans;
  return span === undefined ? undefined : leading(span)?.entry;
};
