import { LOOKALIKES } from './lookalike-table.ts';

/** Small capitals, which no normalisation turns into letters, in alphabetical order of what they pass for. */
const SMALL_CAPITALS =
  '\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f\u1d18\u01eb\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21 \u028f\u1d22';

/** Two foldings of the basic plane, one code unit to one, computed page by page when a page is first needed. */
export interface Folding {
  /** Lower case without diacritics and compatibility forms; 0 for a combining mark, which has no part in a word. */
  plain(code: number): number;
  /** The same, and what passes for an ASCII letter is that letter. */
  lookalike(code: number): number;
}

/** A fresh pair of folding tables (at most 256 KiB, filled on demand). */
export function createFolding(): Folding {
  const pages: (Uint16Array | undefined)[] = new Array(256);
  const lookalikes = lookalikeMap();
  const lookalikePages: (Uint16Array | undefined)[] = new Array(256);
  const plain = (code: number): number => {
    const page = pages[code >> 8];
    if (page !== undefined) return page[code & 255] ?? code;
    const built = buildPage(code >> 8, foldOne);
    pages[code >> 8] = built;
    return built[code & 255] ?? code;
  };
  const lookalike = (code: number): number => {
    const page = lookalikePages[code >> 8];
    if (page !== undefined) return page[code & 255] ?? code;
    const built = buildPage(
      code >> 8,
      (each) => lookalikes.get(each) ?? lookalikes.get(foldOne(each)) ?? foldOne(each),
    );
    lookalikePages[code >> 8] = built;
    return built[code & 255] ?? code;
  };
  return { plain, lookalike };
}

function lookalikeMap(): ReadonlyMap<number, number> {
  const map = new Map<number, number>();
  for (const [letter, characters] of Object.entries(LOOKALIKES)) {
    for (const character of characters) map.set(character.charCodeAt(0), letter.charCodeAt(0));
  }
  for (const [index, character] of [...SMALL_CAPITALS].entries()) map.set(character.charCodeAt(0), 97 + index);
  map.delete(32);
  return map;
}

function buildPage(page: number, fold: (code: number) => number): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, low) => fold((page << 8) | low));
}

const MARK = /^\p{M}$/u;

/** Spacing marks of scripts that need their marks (Indic, Thai) stay: only the marks of European letters go. */
const isDroppedMark = (code: number, character: string): boolean =>
  MARK.test(character) && (code < 0x370 || (code >= 0x483 && code <= 0x487) || (code >= 0x591 && code <= 0x6ff));

function foldOne(code: number): number {
  if (code >= 0xd800 && code <= 0xdfff) return code;
  const character = String.fromCharCode(code);
  if (isDroppedMark(code, character)) return 0;
  // Hangul and kana lose meaning when they are taken apart.
  if (code >= 0xac00 && code <= 0xd7a3) return code;
  if (code >= 0x3040 && code <= 0x30ff) return code;
  const parts = character.normalize('NFKD').toLowerCase().normalize('NFKD');
  const first = parts.codePointAt(0) ?? code;
  if (first > 0xffff) return code;
  return STROKED.get(first) ?? first;
}

/** Letters with strokes that Unicode does not take apart. */
const STROKED: ReadonlyMap<number, number> = new Map([
  [0xf8, 0x6f],
  [0x142, 0x6c],
  [0x111, 0x64],
  [0x131, 0x69],
  [0xe6, 0x61],
  [0x153, 0x6f],
  [0xdf, 0x73],
]);
