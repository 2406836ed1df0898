/**
 * The form in which paths are compared with control files: equal for any two spellings that some file system takes for
 * the same file. NFKC, letter case folded, invisible code points removed (HFS+ and casefolding ext4 ignore them), and for each
 * segment no trailing dots and spaces and no `:stream` (NTFS). Used to refuse only: it equates more than any one file system.
 */
export function foldPath(path: string): string {
  const folded = ASCII.test(path) ? path.toLowerCase() : foldUnicode(path);
  return TRAILING.test(folded) ? folded.split('/').map(foldSegment).join('/') : folded;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;
const TRAILING = /[. ](?:\/|$)|:/;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

const foldUnicode = (path: string): string =>
  path.normalize('NFKC').replace(INVISIBLE, '').toUpperCase().toLowerCase().normalize('NFKC');

function foldSegment(segment: string): string {
  const stream = segment.indexOf(':');
  const name = stream > 0 ? segment.slice(0, stream) : segment;
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1;
  return end === 0 ? name : name.slice(0, end);
}
