import { SallyportError } from './errors.ts';
import type { JsonValue } from './json.ts';
import { DEFAULT_LIMITS } from './limits.ts';

export interface StrictJsonLimits {
  /** UTF-8 bytes of the text. */
  readonly maxBytes: number;
  /** Containers inside each other. */
  readonly maxDepth: number;
}

/**
 * Reads JSON text that a stranger wrote into a frozen value. On top of RFC 8259 it refuses what two readers could
 * understand differently (I-JSON, RFC 7493): duplicate keys, lone surrogates, integers beyond 2^53-1, numbers beyond a
 * double, and the key `__proto__`.
 *
 * @throws SallyportError INPUT_NOT_JSON, INPUT_DUPLICATE_KEY, INPUT_LONE_SURROGATE, INPUT_NUMBER_RANGE,
 * INPUT_FORBIDDEN_KEY, INPUT_TOO_LARGE, INPUT_TOO_DEEP
 * @example
 * parseStrictJson('{"path":"src/a.ts"}'); // { path: 'src/a.ts' }
 */
export function parseStrictJson(text: string, limits: Partial<StrictJsonLimits> = {}): JsonValue {
  const maxBytes = limits.maxBytes ?? DEFAULT_LIMITS.argumentBytes;
  if (text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)) {
    throw new SallyportError('INPUT_TOO_LARGE', `expected at most ${maxBytes} bytes of JSON`);
  }
  if (!text.isWellFormed()) throw new SallyportError('INPUT_LONE_SURROGATE', 'the text has a lone surrogate');
  const scanner = new Scanner(text, limits.maxDepth ?? DEFAULT_LIMITS.argumentDepth);
  scanner.checkDepth();
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch (cause) {
    throw new SallyportError('INPUT_NOT_JSON', 'the text is not JSON', { cause });
  }
  scanner.checkTokens();
  return deepFreeze(value);
}

/** Freezes a JSON value and everything in it. */
export function deepFreeze<T extends JsonValue>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const child of Array.isArray(value) ? value : Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Walks the tokens of a text. `checkDepth` runs before `JSON.parse` (whose recursion it bounds); `checkTokens` runs
 * after it.
 * INVARIANT: `checkTokens` sees only text that `JSON.parse` accepted, so that it need not judge grammar, and what it
 * reads as a key or a number is what `JSON.parse` read.
 */
class Scanner {
  readonly #text: string;
  readonly #maxDepth: number;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  checkDepth(): void {
    let depth = 0;
    for (let at = 0; at < this.#text.length; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) at = this.#endOfString(at) - 1;
      else if (code === 0x7b || code === 0x5b) {
        depth += 1;
        if (depth > this.#maxDepth) {
          throw new SallyportError('INPUT_TOO_DEEP', `expected at most ${this.#maxDepth} levels of nesting`);
        }
      } else if (code === 0x7d || code === 0x5d) depth -= 1;
    }
  }

  checkTokens(): void {
    const keys: (Set<string> | null)[] = [];
    for (let at = 0; at < this.#text.length; ) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) {
        const end = this.#endOfString(at);
        this.#checkString(at, end, keys.at(-1) ?? null);
        at = end;
      } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) at = this.#checkNumber(at);
      else {
        if (code === 0x7b) keys.push(new Set());
        else if (code === 0x5b) keys.push(null);
        else if (code === 0x7d || code === 0x5d) keys.pop();
        at += 1;
      }
    }
  }

  #endOfString(start: number): number {
    let at = start + 1;
    while (at < this.#text.length) {
      const code = this.#text.charCodeAt(at);
      if (code === QUOTE) return at + 1;
      at += code === BACKSLASH ? 2 : 1;
    }
    return this.#text.length;
  }

  #checkString(start: number, end: number, keys: Set<string> | null): void {
    const raw = this.#text.slice(start + 1, end - 1);
    const value = raw.includes('\\') ? (JSON.parse(this.#text.slice(start, end)) as string) : raw;
    if (!value.isWellFormed()) throw new SallyportError('INPUT_LONE_SURROGATE', 'a string has a lone surrogate');
    if (keys === null || !this.#colonFollows(end)) return;
    if (value === '__proto__') throw new SallyportError('INPUT_FORBIDDEN_KEY', 'the key __proto__ is refused');
    if (keys.has(value)) throw new SallyportError('INPUT_DUPLICATE_KEY', 'an object has the same key twice');
    keys.add(value);
  }

  #colonFollows(at: number): boolean {
    for (let next = at; next < this.#text.length; next++) {
      const code = this.#text.charCodeAt(next);
      if (code === 0x3a) return true;
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return false;
    }
    return false;
  }

  #checkNumber(start: number): number {
    let end = start + 1;
    while (end < this.#text.length && /[0-9.eE+-]/.test(this.#text[end] ?? '')) end += 1;
    if (end - start < 16 && !/[eE]/.test(this.#text.slice(start, end))) return end;
    checkNumberRange(Number(this.#text.slice(start, end)));
    return end;
  }
}

/** Refuses what a double cannot hold exactly: integers beyond 2^53-1, infinities, NaN. */
export function checkNumberRange(value: number): void {
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    throw new SallyportError('INPUT_NUMBER_RANGE', 'a number is beyond what JSON readers agree on (2^53-1)');
  }
}
