/** What an invisible or control character is there for. */
export type InvisibleKind = 'control' | 'zero-width' | 'bidi' | 'tag' | 'selector' | 'joiner' | 'mark';

const between = (code: number, first: number, last: number): boolean => code >= first && code <= last;

/**
 * The kind of an invisible or control code point, null for what can be seen and for white space. Source: Unicode 16
 * Default_Ignorable_Code_Point, Bidi_Control and Cc, without tab, line feed, form feed and carriage return.
 */
export function invisibleKind(code: number): InvisibleKind | null {
  if (code < 0x20) return code === 9 || code === 10 || code === 12 || code === 13 ? null : 'control';
  if (code < 0x7f) return null;
  if (code < 0xa0) return 'control';
  if (code < 0x2000) return lowKind(code);
  if (code < 0xe0000) return middleKind(code);
  if (between(code, 0xe0100, 0xe01ef)) return 'selector';
  return code <= 0xe0fff ? 'tag' : null;
}

function lowKind(code: number): InvisibleKind | null {
  if (code === 0xad || code === 0x34f || code === 0x115f || code === 0x1160) return 'zero-width';
  if (code === 0x17b4 || code === 0x17b5 || between(code, 0x180b, 0x180f)) return 'zero-width';
  return code === 0x61c ? 'mark' : null;
}

function middleKind(code: number): InvisibleKind | null {
  if (code === 0x200c || code === 0x200d) return 'joiner';
  if (code === 0x200e || code === 0x200f) return 'mark';
  if (between(code, 0x202a, 0x202e) || between(code, 0x2066, 0x2069)) return 'bidi';
  if (code === 0x200b || between(code, 0x2060, 0x206f) || code === 0xfeff) return 'zero-width';
  if (between(code, 0xfe00, 0xfe0f)) return 'selector';
  if (code === 0x3164 || code === 0xffa0 || between(code, 0xfff0, 0xfffb)) return 'zero-width';
  return between(code, 0x1bca0, 0x1bca3) || between(code, 0x1d173, 0x1d17a) ? 'zero-width' : null;
}

/** Letters that joiners shape: Arabic and its kin, the scripts of India and South-East Asia, Mongolian. */
export const isShapedLetter = (code: number): boolean => invisibleKind(code) === null && isOfShapedScript(code);

const isOfShapedScript = (code: number): boolean =>
  between(code, 0x600, 0x8ff) ||
  between(code, 0x900, 0xdff) ||
  between(code, 0xf00, 0x109f) ||
  between(code, 0x1780, 0x18aa) ||
  between(code, 0xfb50, 0xfdff) ||
  between(code, 0xfe70, 0xfefc);

/** Letters of scripts that run from right to left. */
export const isRightToLeft = (code: number): boolean =>
  (between(code, 0x590, 0x8ff) && code !== 0x61c) || between(code, 0xfb1d, 0xfdff) || between(code, 0xfe70, 0xfefc);

const PICTURE = /\p{Extended_Pictographic}|\p{Emoji_Modifier}/u;

/** Pictures and skin tones: what an emoji is joined from. */
export const isPicture = (code: number): boolean => code > 0xa8 && PICTURE.test(String.fromCodePoint(code));

const isIdeograph = (code: number): boolean => between(code, 0x2e80, 0x9fff) || between(code, 0x20000, 0x3ffff);

/**
 * Whether a variation selector means something behind a character: any behind an ideograph, text or emoji style behind a
 * picture or a digit of a keycap, the first behind a sign. What means nothing can carry a hidden byte.
 */
export function takesSelector(base: number, selector: number): boolean {
  if (isIdeograph(base)) return true;
  const isStyle = selector === 0xfe0e || selector === 0xfe0f;
  if (isStyle) return isPicture(base) || between(base, 0x30, 0x39) || base === 0x23 || base === 0x2a || isSign(base);
  return selector === 0xfe00 && isSign(base);
}

const isSign = (code: number): boolean => between(code, 0x2190, 0x2bff);
