/**
 * A path as deny rules see it: its segments, each with every spelling that some file system takes for it. Segments that
 * are empty or `.` are left out; `..` stays.
 */
export type FoldedPath = readonly (readonly string[])[];

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

/**
 * Text without the differences that some file system overlooks: NFKC (so full-width and compatibility forms), letter case
 * with full folding, and code points that nobody sees.
 */
export function foldText(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const plain = text.replace(INVISIBLE, '').normalize('NFKC');
  // Upper case first makes ß and ss, ſ and s, ς and σ one; the last step undoes the context rule of the final sigma.
  return plain.toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
}

/** The segments of a path, folded as a whole first: what folds to a separator separates. */
export function foldPath(text: string): FoldedPath {
  const folded: (readonly string[])[] = [];
  for (const segment of foldText(text).split('/')) {
    if (segment !== '' && segment !== '.') folded.push(spellings(segment));
  }
  return folded;
}

const SINGLE_DOTS = '..';

/** The segment as it is; without trailing dots and spaces; and without a `:stream`. */
function spellings(segment: string): readonly string[] {
  const colon = segment.indexOf(':');
  const last = segment.charCodeAt(segment.length - 1);
  if (colon < 0 && last !== 0x2e && last !== 0x20) return [segment];
  if (segment === SINGLE_DOTS) return [segment];
  const found = new Set([segment, trimEnd(segment)]);
  if (colon > 0) found.add(trimEnd(segment.slice(0, colon)));
  found.delete('');
  return [...found];
}

function trimEnd(segment: string): string {
  let end = segment.length;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end -= 1;
  return segment.slice(0, end);
}
