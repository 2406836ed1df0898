import { type View, ViewBuilder } from './view.ts';

/**
 * One escape: \u0073 and \u{73}, \x73, %73, =73, &#115; and &#x73;, a named entity, a backslash before anything else. A
 * backslash may stand there many times, as JSON inside JSON writes it.
 */
const ESCAPE =
  /\\{1,8}u([0-9A-Fa-f]{4})|\\{1,8}u\{([0-9A-Fa-f]{1,6})\}|(?:\\{1,8}x|%|=)([0-9A-Fa-f]{2})|&#([0-9]{1,7});?|&#[xX]([0-9A-Fa-f]{1,6});?|&(amp|lt|gt|quot|apos);|\\{1,8}([^\\])/g;

const NAMED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);
const CONTROLS: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
]);

/** The text with its escapes read, each once; undefined where it has none. */
export function unescapeText(text: string): View | undefined {
  if (!/[\\%=&]/.test(text)) return undefined;
  let builder: ViewBuilder | undefined;
  let kept = 0;
  for (const match of text.matchAll(ESCAPE)) {
    builder ??= new ViewBuilder();
    builder.keep(text, kept, match.index);
    kept = match.index + match[0].length;
    builder.put(meaning(match), match.index, kept);
  }
  builder?.keep(text, kept, text.length);
  return builder?.view;
}

function meaning([, four, braced, two, decimal, hex, named, plain]: RegExpMatchArray): string {
  if (named !== undefined) return NAMED.get(named) ?? '';
  if (plain !== undefined) return CONTROLS.get(plain) ?? plain;
  const point = decimal !== undefined ? Number(decimal) : Number.parseInt(four ?? braced ?? two ?? hex ?? '0', 16);
  return point > 0x10ffff ? '\ufffd' : String.fromCodePoint(point);
}
