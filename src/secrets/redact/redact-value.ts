import { escapePointer, isJsonObject, type JsonObject, type JsonValue } from '../../core/index.ts';
import type { RedactionLimits } from './limits.ts';
import type { RedactedText, RedactionHit } from './redact-text.ts';

/** A hit in a JSON value: the pointer says in which string or key, in the redacted value. */
interface ValueHit extends RedactionHit {
  readonly pointer: string;
}

export interface RedactedValue {
  /** Frozen through and through. */
  readonly value: JsonValue;
  readonly hits: readonly ValueHit[];
  /** True if a string or a part that lies too deep was replaced by an empty one or by null. */
  readonly withheld: boolean;
  readonly complete: boolean;
}

/** A copy of a value in which every string, key and long number went through `redact`. */
export function redactJson(
  value: JsonValue,
  redact: (text: string) => RedactedText,
  limits: RedactionLimits,
): RedactedValue {
  const walk = new Walk(redact, limits);
  const copy = walk.copy(value, '', 0);
  return { value: copy, hits: walk.hits, withheld: walk.withheld, complete: walk.complete };
}

class Walk {
  readonly hits: ValueHit[] = [];
  withheld = false;
  complete = true;
  readonly #redact: (text: string) => RedactedText;
  readonly #limits: RedactionLimits;

  constructor(redact: (text: string) => RedactedText, limits: RedactionLimits) {
    this.#redact = redact;
    this.#limits = limits;
  }

  copy(value: JsonValue, pointer: string, depth: number): JsonValue {
    if (typeof value === 'string') return this.#text(value, pointer);
    if (typeof value === 'number') return this.#number(value, pointer);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= this.#limits.valueDepth) {
      this.withheld = true;
      return null;
    }
    return isJsonObject(value)
      ? this.#object(value, pointer, depth)
      : Object.freeze(value.map((item, at) => this.copy(item, `${pointer}/${at}`, depth + 1)));
  }

  #object(value: JsonObject, pointer: string, depth: number): JsonObject {
    const entries: [string, JsonValue][] = [];
    const taken = new Set<string>();
    for (const [key, item] of Object.entries(value)) {
      const name = this.#freeKey(this.#text(key, pointer), taken);
      taken.add(name);
      entries.push([name, this.copy(item, `${pointer}/${escapePointer(name)}`, depth + 1)]);
    }
    return Object.freeze(Object.fromEntries(entries));
  }

  /** A number of a value that is all digits gives it away, too. */
  #number(value: number, pointer: string): JsonValue {
    const text = String(value);
    if (text.length < this.#limits.needleLength) return value;
    const redacted = this.#text(text, pointer);
    return redacted === text ? value : redacted;
  }

  #text(text: string, pointer: string): string {
    if (text.length < this.#limits.needleLength) return text;
    const redacted = this.#redact(text);
    this.withheld ||= redacted.withheld;
    this.complete &&= redacted.complete;
    for (const hit of redacted.hits) if (this.hits.length < this.#limits.hits) this.hits.push({ ...hit, pointer });
    return redacted.text;
  }

  /** A key that no other has, and that redaction leaves as it is. */
  #freeKey(key: string, taken: ReadonlySet<string>): string {
    if (!taken.has(key)) return key;
    for (let number = 2; ; number++) {
      const free = `${key}~${number}`;
      if (!taken.has(free) && this.#redact(free).text === free) return free;
    }
  }
}
