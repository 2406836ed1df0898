import { type GlobSegment, readGlobSegment } from './glob-segment.ts';
import { foldText } from './path-fold.ts';
import { DEEP, type PathGlob } from './path-glob.ts';

/** An entry of `allowedPaths`, read but not yet bound to a root. */
export interface AllowedEntry {
  readonly isAbsolute: boolean;
  /** The segments as written, without `.` and empty ones; null for a glob. `..` may lead. */
  readonly plain: readonly string[] | null;
  /** Compared exactly; null for a plain entry. */
  readonly glob: PathGlob | null;
  /** The glob means folders and everything in them; otherwise it must match the whole path. */
  readonly isFolder: boolean;
}

/** An entry of `deniedPaths`: a gitignore pattern. */
export interface DeniedEntry {
  /** `!entry`: exempts exactly what it matches. */
  readonly isExemption: boolean;
  /** Begins with `/`: counted from the root, and also read as an absolute path. */
  readonly isRooted: boolean;
  /** Folded, for denials; as written, for exemptions. */
  readonly glob: PathGlob;
  /** As written, and over UTF-8 bytes as git reads it: where folding changes how many characters there are, or a class. */
  readonly exact: { readonly written: PathGlob; readonly bytes: PathGlob };
  /** It holds `[…]`, which folding can turn around even in ASCII. */
  readonly hasClass: boolean;
}

const ANY_SEGMENT: GlobSegment = { tokens: [{ kind: 'any-run' }], literal: null };
const WILDCARDS = /[*?[\\]/;
const asWritten = (text: string): string => text;
const EDGE_SPACE = /^\s|(?:[^\\]|^)\s$/;
const BRACES = /(?:[^\\]|^)\{[^{}]*,[^{}]*\}/;

/** What is wrong with any entry, whichever list it stands in. */
function troubleOf(entry: string): string | null {
  if (entry.trim() === '') return 'an empty path';
  if (EDGE_SPACE.test(entry)) return 'a space at its edge, which readers take away or keep: remove it, or write [ ]';
  if (entry.includes('[:')) return 'classes such as [:digit:] are not read here: write [0-9]';
  if (BRACES.test(entry)) return '{a,b} has no meaning in gitignore: write one entry for each';
  if (entry.startsWith('~')) return '~ is not expanded: write the path out';
  if (/^[a-z]:[\\/]/i.test(entry) || entry.startsWith('//'))
    return 'paths are written with single / and without drives';
  return null;
}

/** @returns the entry, or what is wrong with it */
export function readAllowedEntry(entry: string): AllowedEntry | string {
  const trouble = troubleOf(entry) ?? (entry.startsWith('!') ? '! has no meaning here: use deniedPaths' : null);
  if (trouble !== null) return trouble;
  const isAbsolute = entry.startsWith('/');
  const parts = entry.split('/').filter((part) => part !== '' && part !== '.');
  if (!WILDCARDS.test(entry)) {
    return climbsLater(parts, isAbsolute) ?? { isAbsolute, plain: parts, glob: null, isFolder: true };
  }
  if (parts.includes('..')) return '.. has no meaning in a glob: write an absolute path';
  const glob = readGlob(parts, asWritten);
  if (typeof glob === 'string') return glob;
  // `x/**` is everything inside x, not x itself.
  const inside = glob.at(-1) === DEEP ? [...glob, ANY_SEGMENT] : glob;
  return { isAbsolute, plain: null, glob: inside, isFolder: entry.endsWith('/') };
}

function climbsLater(parts: readonly string[], isAbsolute: boolean): string | null {
  const firstName = parts.findIndex((part) => part !== '..');
  const climbs = parts.slice(isAbsolute ? 0 : Math.max(firstName, 0)).includes('..');
  return climbs && (isAbsolute || firstName >= 0) ? '.. may only lead a path' : null;
}

/** @returns the entry, or what is wrong with it */
export function readDeniedEntry(entry: string): DeniedEntry | string {
  const isExemption = entry.startsWith('!');
  const pattern = isExemption ? entry.slice(1) : entry;
  const trouble = troubleOf(pattern) ?? (pattern.startsWith('#') ? '# begins a comment in gitignore: write \\#' : null);
  if (trouble !== null) return trouble;
  const parts = pattern.split('/').filter((part) => part !== '');
  // `./x` matches nothing in gitignore; who writes it means `/x`.
  const isRooted = pattern.startsWith('/') || parts[0] === '.';
  const names = parts.filter((part) => part !== '.');
  if (names.includes('..')) return '.. has no meaning here: write an absolute path';
  if (names.length === 0) return 'it would deny everything: write **';
  const glob = readGlob(names, isExemption ? asWritten : foldText);
  if (typeof glob === 'string') return glob;
  const isAnchored = isRooted || pattern.slice(0, -1).includes('/');
  const written = readGlob(names, asWritten);
  const bytes = readGlob(names.map(asBytes), asWritten);
  if (typeof written === 'string') return written;
  if (typeof bytes === 'string') return bytes;
  return {
    ...{ isExemption, isRooted, hasClass: pattern.includes('['), glob: withDepth(glob, isAnchored) },
    exact: { written: withDepth(written, isAnchored), bytes: withDepth(bytes, isAnchored) },
  };
}

/** Text as the bytes of its UTF-8 form, one character each. */
export const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** A pattern without a slash matches at any depth; `x/**` is everything inside x. */
function withDepth(glob: PathGlob, isAnchored: boolean): PathGlob {
  const inside = glob.at(-1) === DEEP ? [...glob, ANY_SEGMENT] : glob;
  return isAnchored || inside[0] === DEEP ? inside : [DEEP, ...inside];
}

function readGlob(parts: readonly string[], fold: (text: string) => string): PathGlob | string {
  const glob: (GlobSegment | typeof DEEP)[] = [];
  for (const part of parts) {
    if (part === '**') {
      if (glob.at(-1) !== DEEP) glob.push(DEEP);
      continue;
    }
    if (fold(part).includes('/')) return 'a character that reads as / elsewhere';
    const segment = readGlobSegment(part, fold);
    if (typeof segment === 'string') return segment;
    glob.push(segment);
  }
  return glob;
}
