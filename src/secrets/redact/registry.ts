import { SallyportError } from '../../core/index.ts';
import { type Encoding, needlesOf } from './encodings.ts';
import type { RedactionLimits } from './limits.ts';
import { type Entry, NeedleIndex } from './needle-index.ts';
import { isSecretName, Placeholders, trimNeedle } from './placeholder.ts';
import { mergeSpans, type Span, SpanList } from './spans.ts';
import { estimateBits } from './strength.ts';

/** A value of a secret, by its name: the value itself is only in the needles. */
export interface Registered {
  readonly tenant: string;
  readonly name: string;
  readonly version: string;
}

/** A needle's way back to a secret. */
export interface Owner {
  readonly secret: Registered;
  readonly encoding: Encoding;
}

export type SecretEntry = Entry<Owner>;
export type SecretSpan = Span<SecretEntry>;

/** Every value that is known, and the search for all of them. */
export class Registry {
  readonly index: NeedleIndex<Owner> = new NeedleIndex();
  readonly placeholders: Placeholders = new Placeholders(this.index);
  readonly #limits: RedactionLimits;
  readonly #secrets = new Map<string, { readonly owned: readonly (readonly [string, Owner])[] }>();

  constructor(limits: RedactionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#secrets.size;
  }

  /** @throws SallyportError SECRET_TOO_SHORT, SECRET_TOO_LARGE, SECRET_TOO_MANY; TypeError for a name that cannot be shown */
  add(secret: Registered, value: Uint8Array): void {
    if (!isSecretName(secret.name)) throw new TypeError('expected a name of 1 to 256 plain characters');
    this.#judge(value);
    const key = keyOf(secret);
    const needles = needlesOf(value, this.#limits);
    if (!this.#secrets.has(key) && this.#secrets.size >= this.#limits.secrets)
      throw new SallyportError('SECRET_TOO_MANY', `expected at most ${this.#limits.secrets} secrets`);
    const length = needles.reduce((sum, { text }) => sum + text.length, this.index.length);
    if (length > this.#limits.needleTotal)
      throw new SallyportError('SECRET_TOO_MANY', `expected at most ${this.#limits.needleTotal} units of needles`);
    this.remove(secret);
    const owned = needles.map(({ text, encoding }) => {
      const needle = trimNeedle(text, this.#limits.needleLength);
      const owner = { secret, encoding };
      if (this.index.add(needle, owner)) this.placeholders.count(needle, 1);
      return [needle, owner] as const;
    });
    this.#secrets.set(key, { owned });
  }

  remove(secret: Registered): boolean {
    const key = keyOf(secret);
    const known = this.#secrets.get(key);
    for (const [needle, owner] of known?.owned ?? [])
      if (this.index.remove(needle, owner)) this.placeholders.count(needle, -1);
    return this.#secrets.delete(key);
  }

  /** Where values lie in a text, as they are. */
  search(text: string): readonly SecretSpan[] {
    return mergeSpans(
      this.index.layers(text.length).map(({ automaton, entries }) => {
        const list = new SpanList<SecretEntry>();
        automaton.scan(text, 0, (end, needle) => {
          const entry = entries[needle];
          if (entry !== undefined) list.push({ start: end - entry.needle.length, end, entry });
        });
        return list.spans;
      }),
    );
  }

  #judge(value: Uint8Array): void {
    const { valueBytes, needleLength, valueBits } = this.#limits;
    if (value.length > valueBytes)
      throw new SallyportError('SECRET_TOO_LARGE', `expected a value of at most ${valueBytes} bytes`);
    const text = new TextDecoder().decode(value).trim();
    if (text.length < needleLength || estimateBits(text) < valueBits)
      throw new SallyportError(
        'SECRET_TOO_SHORT',
        `expected a value of at least ${needleLength} characters that is worth ${valueBits} bits to guess`,
      );
  }
}

const keyOf = ({ tenant, name, version }: Registered): string => JSON.stringify([tenant, name, version]);
