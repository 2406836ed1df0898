import type { RedactionLimits } from './limits.ts';
import type { Layer } from './needle-index.ts';
import { hitsOf, placeholderOf, type RedactionHit } from './redact-text.ts';
import type { Owner, Registry, SecretEntry, SecretSpan } from './registry.ts';
import { mergeSpans, SpanList } from './spans.ts';

/** Redacts a text that comes in chunks. What it gives does not depend on where the chunks end. */
export interface RedactionStream {
  /** Takes a chunk and gives what can be delivered. */
  write(chunk: string): string;
  /** Gives the rest. Nothing may be written afterwards. */
  end(): string;
  readonly hits: readonly RedactionHit[];
  /** True from when no safe placeholder was left: nothing more comes. */
  readonly withheld: boolean;
}

/** A search that goes on: its state, and what it found in the text that is held back. Places count from the beginning. */
interface Search {
  readonly layer: Layer<Owner>;
  readonly found: SpanList<SecretEntry>;
  state: number;
}

/**
 * Holds back what could still become part of a value, and no more: the longest end of the text with which a needle
 * begins, and every value that overlaps it.
 */
export class HoldingStream implements RedactionStream {
  readonly hits: RedactionHit[] = [];
  withheld = false;
  readonly #registry: Registry;
  readonly #tenant: string | undefined;
  readonly #limits: RedactionLimits;
  #searches: Search[] = [];
  #generation = -1;
  /** The text that was not given yet, and where it begins. */
  #held = '';
  #from = 0;

  constructor(registry: Registry, tenant: string | undefined, limits: RedactionLimits) {
    this.#registry = registry;
    this.#tenant = tenant;
    this.#limits = limits;
  }

  write(chunk: string): string {
    this.#read(chunk);
    return this.#give(this.#settled());
  }

  end(): string {
    this.#read('');
    return this.#give(this.#from + this.#held.length);
  }

  #read(chunk: string): void {
    const before = this.#held.length;
    this.#held += chunk;
    if (this.#generation === this.#registry.index.generation) {
      this.#scan(chunk, this.#from + before);
      return;
    }
    // Another set of needles: what is held is read anew by it.
    this.#searches = this.#registry.index
      .layers(this.#held.length)
      .map((layer) => ({ layer, found: new SpanList<SecretEntry>(), state: 0 }));
    this.#generation = this.#registry.index.generation;
    this.#scan(this.#held, this.#from);
  }

  #scan(text: string, base: number): void {
    for (const search of this.#searches) {
      const { automaton, entries } = search.layer;
      search.state = automaton.scan(text, search.state, (end, needle) => {
        const entry = entries[needle];
        if (entry === undefined) return;
        search.found.push({ start: base + end - entry.needle.length, end: base + end, entry });
      });
    }
  }

  /** Where what could still change begins. */
  #settled(): number {
    const end = this.#from + this.#held.length;
    const open = this.#searches.map(({ layer, state }) => end - layer.automaton.depthAt(state));
    let settled = Math.min(end, ...open);
    for (const span of this.#spans().toReversed()) if (span.end > settled) settled = Math.min(settled, span.start);
    return settled;
  }

  #spans(): readonly SecretSpan[] {
    return mergeSpans(this.#searches.map(({ found }) => found.spans));
  }

  #give(upTo: number): string {
    let out = '';
    for (const span of this.#spans()) {
      if (span.end > upTo) break;
      out += this.#cut(span.start) + this.#replace(span);
    }
    for (const { found } of this.#searches) found.forgetUpTo(upTo);
    out += this.#cut(upTo);
    return this.withheld ? '' : out;
  }

  /** Takes the held text up to a place. */
  #cut(upTo: number): string {
    const text = this.#held.slice(0, Math.max(0, upTo - this.#from));
    this.#held = this.#held.slice(text.length);
    this.#from += text.length;
    return text;
  }

  #replace(span: SecretSpan): string {
    this.#cut(span.end);
    for (const hit of hitsOf([span], this.#tenant)) if (this.hits.length < this.#limits.hits) this.hits.push(hit);
    const placeholder = placeholderOf(this.#registry, span, this.#tenant);
    if (placeholder === undefined) this.withheld = true;
    return placeholder ?? '';
  }
}
