import type { CredentialPlace } from './credential-table.ts';

const LABELS = /^(?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/;
const LABEL_LENGTH = 96;
/** What tells a key from a sentence about one: a line of it, near its beginning. */
const BODY = /[A-Za-z0-9+/=]{40}/;
const BODY_WITHIN = 512;
/** Shortest and longest text of a key between its first and its last line. */
const LEAST = 40;
const MOST = 32_768;

/**
 * Finds private keys in PEM, with line breaks of any kind (also `\n` of JSON) or none. Each search for a last line is
 * remembered, so that a text full of first lines takes no longer than another.
 */
export class PrivateKeys {
  static readonly BEGIN = '-----BEGIN ';
  readonly #text: string;
  #nextEnd = -1;

  constructor(text: string) {
    this.#text = text;
  }

  /** The key whose first line has its label at a place; a key that is cut off goes to the end of the text. */
  beginningAt(label: number): CredentialPlace | undefined {
    const first = LABELS.exec(this.#text.slice(label, label + LABEL_LENGTH))?.[0];
    if (first === undefined) return undefined;
    const from = label + first.length;
    const end = this.#endBehind(from);
    if (end - from < LEAST || end - from > MOST) return undefined;
    if (!BODY.test(this.#text.slice(from, from + BODY_WITHIN))) return undefined;
    const close = this.#text.indexOf('-----', end + 5);
    return { start: label - PrivateKeys.BEGIN.length, end: close < 0 || close > end + LABEL_LENGTH ? end : close + 5 };
  }

  /** Where the next line of dashes begins, or the text ends. */
  #endBehind(from: number): number {
    if (this.#nextEnd < from) {
      const found = this.#text.indexOf('-----', from);
      this.#nextEnd = found < 0 ? this.#text.length : found;
    }
    return this.#nextEnd;
  }
}
