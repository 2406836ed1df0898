import type { JsonValue } from '../../core/index.ts';
import { DEFAULT_REDACTION_LIMITS, type RedactionLimits } from './limits.ts';
import {
  hitsOf,
  placeholderOf,
  type RedactedText,
  type RedactionHit,
  type RedactOptions,
  redactText,
} from './redact-text.ts';
import { type RedactedValue, redactJson } from './redact-value.ts';
import { HoldingStream, type RedactionStream } from './redaction-stream.ts';
import { type Registered, Registry } from './registry.ts';

interface RedactedBytes {
  readonly bytes: Uint8Array;
  readonly hits: readonly RedactionHit[];
  readonly withheld: boolean;
}

/** Knows values of secrets and takes them out of whatever it is given. Holds the values in memory, and nowhere else. */
export interface Redactor {
  /**
   * Registers a value; another one under the same tenant, name and version takes its place.
   *
   * @throws SallyportError SECRET_TOO_SHORT for a value that could be guessed by watching what is redacted,
   * SECRET_TOO_LARGE, SECRET_TOO_MANY; TypeError for a name that cannot stand in a placeholder
   */
  add(name: string, version: string, value: string | Uint8Array, tenant: string): void;
  /** Forgets a value: false if there was none. */
  remove(name: string, version: string, tenant: string): boolean;
  redactText(text: string, options?: RedactOptions): RedactedText;
  /** Bytes of any kind; text in them as UTF-8 or UTF-16. Never longer placeholders than in text. */
  redactBytes(bytes: Uint8Array, options?: Pick<RedactOptions, 'tenant'>): RedactedBytes;
  /** A frozen copy of a JSON value with every string, key and long number redacted. */
  redactValue(value: JsonValue, options?: RedactOptions): RedactedValue;
  /** For text that comes in chunks: the needles only, neither `squash` nor `deep`. */
  stream(options?: Pick<RedactOptions, 'tenant'>): RedactionStream;
  /** How much is known, and what the tables take. */
  readonly size: {
    readonly secrets: number;
    readonly needles: number;
    readonly length: number;
    readonly bytes: number;
  };
}

/**
 * Makes a redactor that knows no value yet.
 *
 * @example
 * const redactor = createRedactor();
 * redactor.add('aws-ssm:/prod/stripe', '3', value, 'default');
 * redactor.redactText(`key=${value}`, { tenant: 'default' }).text; // key=[redacted:aws-ssm:/prod/stripe]
 */
export function createRedactor(options: { readonly limits?: Partial<RedactionLimits> } = {}): Redactor {
  return new KnownValues({ ...DEFAULT_REDACTION_LIMITS, ...options.limits });
}

class KnownValues implements Redactor {
  readonly #limits: RedactionLimits;
  readonly #registry: Registry;

  constructor(limits: RedactionLimits) {
    this.#limits = limits;
    this.#registry = new Registry(limits);
  }

  get size() {
    const { size: secrets, index } = this.#registry;
    return { secrets, needles: index.needles, length: index.length, bytes: index.bytes };
  }

  add(name: string, version: string, value: string | Uint8Array, tenant: string): void {
    this.#registry.add({ tenant, name, version }, typeof value === 'string' ? Buffer.from(value, 'utf8') : value);
  }

  remove(name: string, version: string, tenant: string): boolean {
    const secret: Registered = { tenant, name, version };
    return this.#registry.remove(secret);
  }

  redactText(text: string, options: RedactOptions = {}): RedactedText {
    return redactText(this.#registry, text, options, this.#limits);
  }

  redactBytes(bytes: Uint8Array, { tenant }: Pick<RedactOptions, 'tenant'> = {}): RedactedBytes {
    const spans = this.#registry.search(latin1(bytes));
    if (spans.length === 0) return { bytes: Uint8Array.from(bytes), hits: [], withheld: false };
    const hits = hitsOf(spans, tenant).slice(0, this.#limits.hits);
    const parts: Uint8Array[] = [];
    let at = 0;
    for (const span of spans) {
      const placeholder = placeholderOf(this.#registry, span, tenant);
      if (placeholder === undefined) return { bytes: new Uint8Array(), hits, withheld: true };
      parts.push(bytes.subarray(at, span.start), Buffer.from(placeholder, 'utf8'));
      at = span.end;
    }
    const redacted = Buffer.concat([...parts, bytes.subarray(at)]);
    // A placeholder is proven safe as text; where it is not ASCII, its bytes are looked at again.
    const withheld = this.#registry.search(latin1(redacted)).length > 0;
    return { bytes: withheld ? new Uint8Array() : redacted, hits, withheld };
  }

  redactValue(value: JsonValue, options: RedactOptions = {}): RedactedValue {
    return redactJson(value, (text) => this.redactText(text, options), this.#limits);
  }

  stream({ tenant }: Pick<RedactOptions, 'tenant'> = {}): RedactionStream {
    return new HoldingStream(this.#registry, tenant, this.#limits);
  }
}

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
