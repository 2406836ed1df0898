import type { Place } from './sentence.ts';

/** A part of a reading that stands apart: read under its own place, or skipped as markup; `breaks` ends the sentence before it. */
export interface Region {
  readonly start: number;
  readonly end: number;
  readonly place: Place | 'skipped';
  readonly breaks: boolean;
}

/** Tags that do not end a sentence. */
const INLINE: ReadonlySet<string> = new Set(
  'a abbr b bdi bdo big cite code data dfn em font i ins kbd label mark q rp rt ruby s samp small span strike strong sub sup time tt u var wbr'.split(
    ' ',
  ),
);

/** Elements that are searched for the end of their own name. */
const HIDEABLE: ReadonlySet<string> = new Set(
  'div span p section article aside font td li ul template noscript script style input body header footer'.split(' '),
);

/** Shortest tag whose attributes are read as text. */
const ATTRIBUTES_LENGTH = 24;

/**
 * The parts of a text that are HTML: comments and hidden elements (a person does not see them), attributes, and tags as such.
 * Linear: each `<` looks ahead to the next `>`, which is found once.
 */
export function findRegions(text: string): Region[] {
  const regions: Region[] = [];
  const look = lookAhead(text);
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    const found = text.startsWith('<!--', at) ? comment(look, at) : tag(text, look, at);
    if (found === null) {
      at += 1;
      continue;
    }
    regions.push(found);
    at = found.end;
    if (found.hides === null) continue;
    // Elements of unknown names are closed by any tag, so that nobody can make us search for a thousand names.
    const close = look(HIDEABLE.has(found.hides) ? `</${found.hides}` : '</', at);
    if (close > at) regions.push({ start: at, end: close, place: found.isCode ? 'code' : 'hidden', breaks: true });
    at = Math.max(at, close);
  }
  return regions;
}

interface Found extends Region {
  /** Name of the element whose content is hidden or code. */
  readonly hides: string | null;
  readonly isCode: boolean;
}

/** `indexOf` that asks for each needle once as long as the answer lies ahead: linear over all calls with rising `from`. */
function lookAhead(text: string): (needle: string, from: number) => number {
  const answers = new Map<string, number>();
  return (needle, from) => {
    const known = answers.get(needle);
    if (known !== undefined && (known === -1 || known >= from)) return known;
    const found = text.indexOf(needle, from);
    answers.set(needle, found);
    return found;
  };
}

function comment(look: (needle: string, from: number) => number, at: number): Found | null {
  const end = look('-->', at + 4);
  if (end === -1) return null;
  return { start: at, end: end + 3, place: 'hidden', breaks: true, hides: null, isCode: false };
}

/** Longest tag. */
const TAG_LENGTH = 4_096;

function tag(text: string, look: (needle: string, from: number) => number, at: number): Found | null {
  const first = text.charCodeAt(at + 1);
  const isClosing = first === 0x2f;
  if (!isClosing && !isLetter(first)) return null;
  const close = look('>', at);
  if (close === -1 || close - at > TAG_LENGTH) return null;
  const name = tagName(text, at + (isClosing ? 2 : 1));
  const end = close + 1;
  const hasAttributes = !isClosing && end - at >= ATTRIBUTES_LENGTH + name.length;
  const isHidden =
    !isClosing && (name === 'template' || name === 'noscript' || (hasAttributes && hides(text.slice(at, end))));
  const isCode = !isClosing && (name === 'script' || name === 'style');
  const place = hasAttributes ? 'attribute' : 'skipped';
  return {
    start: at,
    end,
    place,
    breaks: hasAttributes || !INLINE.has(name),
    hides: isHidden || isCode ? name : null,
    isCode,
  };
}

const isLetter = (code: number): boolean => (code | 32) >= 97 && (code | 32) <= 122;

function tagName(text: string, from: number): string {
  let at = from;
  while (at < from + 24 && (isLetter(text.charCodeAt(at)) || (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57)))
    at += 1;
  return text.slice(from, at).toLowerCase();
}

/** Ways to hide an element: each a plain string in its attributes, white space left out, lower case. */
const HIDING = [
  'display:none',
  'visibility:hidden',
  'font-size:0',
  'font-size:1px',
  'opacity:0;',
  'opacity:0"',
  "opacity:0'",
  'opacity:0.0',
  'color:white',
  'color:#fff',
  'color:transparent',
  'left:-9',
  'top:-9',
  'text-indent:-9',
  'clip:rect(0',
  'height:0',
  'width:0',
  'max-height:0',
  'type="hidden"',
  'line-height:0',
] as const;

function hides(tag: string): boolean {
  const attributes = tag.toLowerCase().replace(/\s/g, '');
  return HIDING.some((way) => attributes.includes(way)) || /\shidden[\s=>]/i.test(tag);
}
