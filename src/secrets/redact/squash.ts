import type { Place, View } from './view.ts';

/**
 * The text without what a reader does not see, or reads over: white space, control and zero-width characters, soft
 * hyphens, variation selectors, tag characters, terminal sequences, HTML comments. Undefined where nothing of it is there.
 */
export const squash = (text: string): View | undefined => withoutUnseen(text, UNSEEN);

/** The same, but white space stays, so that words do not run together. */
export const unveil = (text: string): View | undefined => withoutUnseen(text, UNSEEN_BUT_SPACE);

function withoutUnseen(text: string, unseen: Uint8Array): View | undefined {
  const first = firstOf(text, unseen);
  return first === undefined ? undefined : skipped(text, unseen, first);
}

function firstOf(text: string, unseen: Uint8Array): number | undefined {
  for (let at = 0; at < text.length; at++) if (unseen[text.charCodeAt(at)] !== 0) return at;
  return undefined;
}

/** Unit by unit into tables, because nearly every text has white space: strings for the pieces would take ten times as long. */
function skipped(text: string, unseen: Uint8Array, first: number): View | undefined {
  const reader = new Skipper(text);
  const units = new Uint16Array(text.length);
  const places = new Int32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at);
    const end = at < first || unseen[unit] === 0 ? at : reader.skip(at, unit);
    if (end > at) {
      at = end;
      continue;
    }
    units[length] = unit;
    places[length++] = at++;
  }
  if (length === text.length) return undefined;
  const kept = Buffer.from(units.buffer, 0, length * 2).toString('utf16le');
  const behind = ({ start, end }: Place) => ({ start: places[start] ?? 0, end: (places[end - 1] ?? 0) + 1 });
  return { text: kept, behind };
}

const ESCAPE = 0x1b;
const LESS_THAN = 0x3c;
const TAG_HIGH = 0xdb40;
/** Parameters of a terminal sequence that are taken for one. */
const PARAMETERS = 64;

const UNSEEN = unseenTable(() => false);
const UNSEEN_BUT_SPACE = unseenTable((character) => /\s/.test(character));

function unseenTable(seen: (character: string) => boolean): Uint8Array {
  const table = new Uint8Array(65_536);
  const invisible = /[\s\p{Cc}\p{Cf}\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]|[\u034f\u180b-\u180f\ufe00-\ufe0f]/u;
  for (let unit = 0; unit < table.length; unit++) {
    const character = String.fromCharCode(unit);
    if (invisible.test(character) && !seen(character)) table[unit] = 1;
  }
  table[LESS_THAN] = 1;
  table[TAG_HIGH] = 1;
  return table;
}

/** Finds the end of what is read over. Linear: each search for the end of something long is remembered. */
class Skipper {
  readonly #text: string;
  readonly #ahead = new Map<string, number>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Where what may not be seen at a place ends; the place itself if it is seen after all. */
  skip(at: number, unit: number): number {
    if (unit === LESS_THAN) return this.#comment(at);
    if (unit === TAG_HIGH) return this.#tag(at);
    return unit === ESCAPE ? this.#sequence(at) : at + 1;
  }

  #comment(at: number): number {
    if (!this.#text.startsWith('<!--', at)) return at;
    return this.#behind('-->', at + 4) ?? at;
  }

  #tag(at: number): number {
    const low = this.#text.charCodeAt(at + 1);
    return low >= 0xdc00 && low <= 0xdfff ? at + 2 : at;
  }

  #sequence(at: number): number {
    const kind = this.#text[at + 1];
    if (kind === ']') return this.#title(at);
    if (kind !== '[') return at + (kind === undefined ? 1 : 2);
    let end = at + 2;
    while (end < at + PARAMETERS && isParameter(this.#text.charCodeAt(end))) end++;
    return end < this.#text.length ? end + 1 : at + 2;
  }

  #title(at: number): number {
    const ends = [this.#behind('\x07', at), this.#behind('\x1b\\', at)].filter((end) => end !== undefined);
    return ends.length === 0 ? at + 2 : Math.min(...ends);
  }

  #behind(what: string, from: number): number | undefined {
    let place = this.#ahead.get(what) ?? -1;
    if (place < from) {
      const found = this.#text.indexOf(what, from);
      place = found < 0 ? Number.POSITIVE_INFINITY : found;
      this.#ahead.set(what, place);
    }
    return place === Number.POSITIVE_INFINITY ? undefined : place + what.length;
  }
}

const isParameter = (unit: number): boolean => unit >= 0x20 && unit <= 0x3f;
