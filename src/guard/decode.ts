import { invisibleKind } from './invisible.ts';
import { type Reading, readingWriter } from './reading.ts';

/** A decoded reading, and what invisible characters spelled on the way. */
export interface Decoded {
  readonly reading: Reading;
  /** Text spelled in tag characters or variation selectors, which only a machine reads. */
  readonly smuggled: readonly Smuggled[];
}

/** Text that invisible characters spell out. */
interface Smuggled {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly origin: 'tags' | 'selectors';
}

/** Anything but printable ASCII, and what begins an entity, a percent escape or a backslash escape. */
const NEEDS_DECODING = /[^\t\n\r\x20-\x7e]|&[#A-Za-z]|%[0-9A-Fa-f][0-9A-Fa-f]|\\[nrtux"/]/;

/**
 * Reads `source` with entities, percent and backslash escapes decoded, invisible and control characters and terminal
 * escapes left out, compatibility letters beyond the basic plane folded. Encodings inside encodings are opened `depth` times. Linear.
 */
export function decodeReading(source: Reading, depth: number): Decoded {
  let reading = source;
  const smuggled: Smuggled[] = [];
  for (let round = 0; round < depth && NEEDS_DECODING.test(reading.text); round++) {
    const once = decodeOnce(reading);
    smuggled.push(...once.smuggled);
    reading = once.reading;
    if (!once.hasEscapes) break;
  }
  return { reading, smuggled };
}

interface Once extends Decoded {
  readonly hasEscapes: boolean;
}

function decodeOnce(source: Reading): Once {
  const { text, offsets } = source;
  const writer = readingWriter(text.length);
  const hidden = hiddenText();
  let hasEscapes = false;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const from = offsets === null ? at : (offsets[at] ?? 0);
    if (code < 0x80 && code >= 0x20 && code !== 0x26 && code !== 0x25 && code !== 0x5c && code !== 0x7f) {
      writer.put(code, from);
      at += 1;
      continue;
    }
    if (code >= 0xa0 && code < 0xd800 && code !== 0x2028 && code !== 0x2029 && invisibleKind(code) === null) {
      writer.put(code, from);
      at += 1;
      continue;
    }
    const step = code < 0x80 ? decodeAscii(text, at, code) : decodeWide(text, at);
    for (const unit of step.units) writer.put(unit, from);
    hidden.take(step, from);
    if (step.isEscape) hasEscapes = true;
    at += step.length;
  }
  const end = offsets === null ? text.length : (offsets[text.length] ?? 0);
  return { reading: { ...source, ...writer.finish(end) }, smuggled: hidden.finish(end), hasEscapes };
}

interface Step {
  readonly units: readonly number[];
  readonly length: number;
  readonly isEscape?: boolean;
  /** The code point, where it hides. */
  readonly hides?: number;
}

function decodeAscii(text: string, at: number, code: number): Step {
  if (code === 0x26) return decodeEntity(text, at);
  if (code === 0x25) return decodePercent(text, at);
  if (code === 0x5c) return decodeBackslash(text, at);
  if (code === 0x1b) return { units: [], length: terminalEscapeLength(text, at) };
  return { units: invisibleKind(code) === null ? [code] : [], length: 1 };
}

/** Length of the terminal escape at `at` (ESC or a C1 control): CSI, OSC and other strings, or two characters. ECMA-48. */
export function terminalEscapeLength(text: string, at: number): number {
  const isEscape = text.charCodeAt(at) === 0x1b;
  const kind = isEscape ? text.charCodeAt(at + 1) : text.charCodeAt(at) - 0x40;
  let end = at + (isEscape ? 2 : 1);
  if (kind === 0x5b) {
    while (end < text.length && text.charCodeAt(end) >= 0x20 && text.charCodeAt(end) <= 0x3f) end += 1;
    return Math.min(text.length, end + (isFinal(text.charCodeAt(end)) ? 1 : 0)) - at;
  }
  if (kind === 0x5d || kind === 0x50 || kind === 0x58 || kind === 0x5e || kind === 0x5f)
    return stringLength(text, at, end);
  return Math.min(isFinal(kind) || (kind >= 0x20 && kind < 0x7f) ? end : at + 1, text.length) - at;
}

const isFinal = (code: number): boolean => code >= 0x40 && code <= 0x7e;

/** Longest terminal string (a title, a link) that counts as one; an unclosed one hides no more than its opening. */
const TERMINAL_STRING = 2_048;

function stringLength(text: string, at: number, from: number): number {
  const limit = Math.min(text.length, from + TERMINAL_STRING);
  for (let end = from; end < limit; end++) {
    const code = text.charCodeAt(end);
    if (code === 7 || code === 0x9c) return end + 1 - at;
    if (code === 0x1b) return (text.charCodeAt(end + 1) === 0x5c ? end + 2 : end) - at;
    // Ends at any other control too, so that many unclosed openings are not read many times.
    if (code === 10 || (code >= 0x80 && code < 0xa0)) break;
  }
  return from - at;
}

/** Entities by name that stand for ASCII; others are rare in attacks and harmless as they are. */
const ENTITIES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    lt: 60,
    gt: 62,
    amp: 38,
    quot: 34,
    apos: 39,
    nbsp: 32,
    Tab: 9,
    NewLine: 10,
    excl: 33,
    num: 35,
    dollar: 36,
    percnt: 37,
    lpar: 40,
    rpar: 41,
    ast: 42,
    plus: 43,
    comma: 44,
    period: 46,
    sol: 47,
    colon: 58,
    semi: 59,
    equals: 61,
    quest: 63,
    commat: 64,
    lsqb: 91,
    lbrack: 91,
    bsol: 92,
    rsqb: 93,
    rbrack: 93,
    lowbar: 95,
    grave: 96,
    lcub: 123,
    lbrace: 123,
    verbar: 124,
    vert: 124,
    rcub: 125,
    rbrace: 125,
    shy: 0xad,
    ZeroWidthSpace: 0x200b,
    zwj: 0x200d,
    zwnj: 0x200c,
  }),
);

/** Longest name or number of an entity that is looked at. */
const ENTITY_LENGTH = 16;

function decodeEntity(text: string, at: number): Step {
  const isNumber = text.charCodeAt(at + 1) === 0x23;
  let end = at + (isNumber ? 2 : 1);
  while (end < at + ENTITY_LENGTH && isAlphanumeric(text.charCodeAt(end))) end += 1;
  const hasEnd = text.charCodeAt(end) === 0x3b;
  const name = text.slice(at + 1, end);
  // A browser takes a number also without its semicolon.
  const value = isNumber ? entityNumber(name) : hasEnd ? ENTITIES.get(name) : undefined;
  if (value === undefined) return { units: [0x26], length: 1 };
  return decoded(value, end - at + (hasEnd ? 1 : 0));
}

const isAlphanumeric = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);

function entityNumber(name: string): number | undefined {
  const isHex = name[1] === 'x' || name[1] === 'X';
  const digits = name.slice(isHex ? 2 : 1);
  if (!(isHex ? /^[0-9A-Fa-f]{1,6}$/ : /^[0-9]{1,7}$/).test(digits)) return undefined;
  return Number.parseInt(digits, isHex ? 16 : 10);
}

/** A decoded code point, which may be invisible itself. */
function decoded(code: number, length: number): Step {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return { units: [0xfffd], length, isEscape: true };
  if (invisibleKind(code) !== null) return { units: [], length, hides: code, isEscape: true };
  return { units: unitsOf(code), length, isEscape: true };
}

function decodePercent(text: string, at: number): Step {
  const first = hexByte(text, at + 1);
  if (first === -1) return { units: [0x25], length: 1 };
  if (first < 0x80) return decoded(first, 3);
  const more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
  let code = first & (0x3f >> more);
  for (let index = 1; index <= more; index++) {
    const next = text.charCodeAt(at + index * 3) === 0x25 ? hexByte(text, at + index * 3 + 1) : -1;
    if (next === -1 || (next & 0xc0) !== 0x80) return { units: [0x25], length: 1 };
    code = (code << 6) | (next & 0x3f);
  }
  return more === 0 ? { units: [0x25], length: 1 } : decoded(code, 3 + more * 3);
}

function hexByte(text: string, at: number): number {
  const [high, low] = [hexDigit(text.charCodeAt(at)), hexDigit(text.charCodeAt(at + 1))];
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The escapes of JSON and of most languages. */
function decodeBackslash(text: string, at: number): Step {
  switch (text.charCodeAt(at + 1)) {
    case 0x6e:
    case 0x72:
      return { units: [10], length: 2 };
    case 0x74:
      return { units: [32], length: 2 };
    case 0x22:
    case 0x2f:
      return { units: [text.charCodeAt(at + 1)], length: 2, isEscape: true };
    case 0x5c:
      return { units: [0x5c], length: 2, isEscape: true };
    case 0x78: {
      const code = hexByte(text, at + 2);
      return code === -1 ? { units: [0x5c], length: 1 } : decoded(code, 4);
    }
    case 0x75:
      return decodeUnicodeEscape(text, at);
    default:
      return { units: [0x5c], length: 1 };
  }
}

function decodeUnicodeEscape(text: string, at: number): Step {
  const unit = hexUnit(text, at);
  if (unit === -1) return { units: [0x5c], length: 1 };
  const low = unit >= 0xd800 && unit <= 0xdbff ? hexUnit(text, at + 6) : -1;
  if (low >= 0xdc00 && low <= 0xdfff) return decoded((unit - 0xd800) * 0x400 + (low - 0xdc00) + 0x10000, 12);
  return decoded(unit, 6);
}

function hexUnit(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x5c || text.charCodeAt(at + 1) !== 0x75) return -1;
  const [high, low] = [hexByte(text, at + 2), hexByte(text, at + 4)];
  return high === -1 || low === -1 ? -1 : high * 256 + low;
}

function decodeWide(text: string, at: number): Step {
  const code = text.codePointAt(at) ?? 0;
  const length = code > 0xffff ? 2 : 1;
  const kind = invisibleKind(code);
  if (kind === 'control' && code >= 0x80) return { units: [], length: terminalEscapeLength(text, at) };
  if (kind !== null) return { units: [], length, hides: code };
  if (code === 0x2028 || code === 0x2029) return { units: [10], length };
  return { units: length === 1 ? [code] : unitsOf(code), length };
}

/** Code units of a code point; letters beyond the basic plane that are a style of an ASCII letter become it. */
function unitsOf(code: number): readonly number[] {
  if (code <= 0xffff) return [code];
  // Letters in squares and circles on black, which have no compatibility form.
  if (code >= 0x1f150 && code <= 0x1f189) return [97 + ((code - 0x1f150) % 32)];
  const isStyled = (code >= 0x1d400 && code <= 0x1d7ff) || (code >= 0x1f100 && code <= 0x1f1ff);
  const folded = isStyled ? String.fromCodePoint(code).normalize('NFKC') : '';
  const text = folded.length === 1 ? folded : String.fromCodePoint(code);
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index));
}

interface HiddenText {
  take(step: Step, from: number): void;
  finish(end: number): readonly Smuggled[];
}

/** Shortest text in tags or selectors that is read; a flag or an emoji has fewer. */
const SMUGGLED_LENGTH = 8;

/** Reads what tag characters (U+E0020 to U+E007E) and variation selectors (one byte each) spell out. */
function hiddenText(): HiddenText {
  const texts = { tags: '', selectors: '' };
  const starts = { tags: 0, selectors: 0 };
  const ends = { tags: 0, selectors: 0 };
  const add = (origin: 'tags' | 'selectors', character: string, from: number): void => {
    if (texts[origin] === '') starts[origin] = from;
    texts[origin] += character;
    ends[origin] = from + 2;
  };
  return {
    take: ({ hides }, from) => {
      if (hides === undefined || hides < 0xfe00) return;
      if (hides >= 0xe0020 && hides <= 0xe007e) return add('tags', String.fromCharCode(hides - 0xe0000), from);
      const byte = hides <= 0xfe0f ? hides - 0xfe00 : hides >= 0xe0100 && hides <= 0xe01ef ? hides - 0xe0100 + 16 : -1;
      if (byte >= 0x20 && byte < 0x7f) add('selectors', String.fromCharCode(byte), from);
    },
    finish: (end) =>
      (['tags', 'selectors'] as const)
        .filter((origin) => texts[origin].length >= SMUGGLED_LENGTH)
        .map((origin) => ({ text: texts[origin], start: starts[origin], end: Math.min(ends[origin], end), origin })),
  };
}
