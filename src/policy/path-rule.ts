import type { GlobCase, GlobSegment } from './glob-segment.ts';
import type { AllowedEntry, DeniedEntry } from './path-entry.ts';
import { asBytes, readAllowedEntry, readDeniedEntry } from './path-entry.ts';
import { DEEP, matchesExactly, matchesPrefix, type PathGlob, type Spelled } from './path-glob.ts';
import { belowRoot, foldWhole, type PathTarget, writtenSegments, writtenWhole } from './path-target.ts';
import type { PolicyEntry } from './policy.ts';

/** An allowed entry bound to a root: an absolute path with everything below it, or a glob over absolute paths. */
export interface BoundAllowed {
  readonly entry: PolicyEntry;
  readonly folder: string | null;
  readonly glob: PathGlob | null;
  readonly isFolder: boolean;
}

interface BoundDenied {
  readonly entry: PolicyEntry;
  readonly pattern: DeniedEntry;
}

/** The path lists of one tool rule, bound to a root. */
export interface PathLists {
  /** `null`: the rule has no `allowedPaths`. */
  readonly allowed: readonly BoundAllowed[] | null;
  readonly denied: readonly BoundDenied[];
  readonly exempt: readonly BoundDenied[];
}

/** Beyond this depth an exemption does not count: each folder on the way would have to be judged for itself. */
const MAX_EXEMPT_DEPTH = 256;

/** Binds the lists of a rule. INVARIANT: its entries were read when the policy was, so each of them can be read. */
export function bindPathLists(
  allowed: readonly PolicyEntry[] | null,
  denied: readonly PolicyEntry[],
  root: string,
): PathLists {
  const patterns = denied.flatMap((entry) => {
    const pattern = readDeniedEntry(entry.text);
    return typeof pattern === 'string' ? [] : [{ entry, pattern }];
  });
  return {
    allowed: allowed?.flatMap((entry) => bindAllowed(entry, root)) ?? null,
    denied: patterns.filter(({ pattern }) => !pattern.isExemption),
    exempt: patterns.filter(({ pattern }) => pattern.isExemption),
  };
}

function bindAllowed(entry: PolicyEntry, root: string): BoundAllowed[] {
  const read = readAllowedEntry(entry.text);
  if (typeof read === 'string') return [];
  if (read.plain !== null) return [{ entry, folder: folderOf(read.plain, read, root), glob: null, isFolder: true }];
  const base = read.isAbsolute ? [] : root.split('/').filter((part) => part !== '');
  const above: PathGlob = base.map((part) => ({ tokens: [], literal: part }));
  return [{ entry, folder: null, glob: [...above, ...(read.glob ?? [])], isFolder: read.isFolder }];
}

/** The absolute path of a plain entry, `..` applied as text. */
function folderOf(parts: readonly string[], { isAbsolute }: AllowedEntry, root: string): string {
  const segments = isAbsolute ? [] : root.split('/').filter((part) => part !== '');
  for (const part of parts) {
    if (part === '..') segments.pop();
    else segments.push(part);
  }
  return `/${segments.join('/')}`;
}

/** The entry that allows a real path (absolute), if any. */
export function findAllowed(allowed: readonly BoundAllowed[], real: string): PolicyEntry | null {
  let segments: Spelled | null = null;
  for (const { entry, folder, glob, isFolder } of allowed) {
    if (folder !== null) {
      if (belowRoot(real, folder) !== null) return entry;
    } else if (glob !== null) {
      segments ??= real.split('/').flatMap((part) => (part === '' ? [] : [[part]]));
      if (
        isFolder ? matchesPrefix(glob, segments, 'exact') : matchesExactly(glob, segments, segments.length, 'exact')
      ) {
        return entry;
      }
    }
  }
  return null;
}

/** The entries that allow a folder with everything in it, whatever will be there. */
export function findAllowedBelow(allowed: readonly BoundAllowed[], real: string): PolicyEntry | null {
  const segments: Spelled = real.split('/').flatMap((part) => (part === '' ? [] : [[part]]));
  for (const { entry, folder, glob, isFolder } of allowed) {
    if (folder !== null ? belowRoot(real, folder) !== null : glob !== null && holdsAll(glob, isFolder, segments))
      return entry;
  }
  return null;
}

/** `x/` and `x/**` hold everything below x; a glob that has to match the whole path does not. */
function holdsAll(glob: PathGlob, isFolder: boolean, segments: Spelled): boolean {
  if (isFolder && matchesPrefix(glob, segments, 'exact')) return true;
  const last = glob.at(-1);
  const endsOpen = glob.at(-2) === DEEP && last !== DEEP && last?.tokens.length === 1 && isAnyRun(last);
  return endsOpen && matchesPrefix(glob.slice(0, -2), segments, 'exact');
}

const isAnyRun = ({ tokens }: GlobSegment): boolean => tokens[0]?.kind === 'any-run';

/** A path as denials see it. What is not folded is made when a pattern needs it. */
interface Seen {
  readonly folded: Spelled;
  readonly written: () => Spelled;
  readonly bytes: () => Spelled;
  readonly isAscii: boolean;
}

const seeBelow = (target: PathTarget): Seen => see(target, target.folded, () => writtenSegments(target));
const seeWhole = (target: PathTarget): Seen => see(target, foldWhole(target), () => writtenWhole(target));

function see({ path }: PathTarget, folded: Spelled, read: () => Spelled): Seen {
  let written: Spelled | null = null;
  const once = (): Spelled => {
    written ??= read();
    return written;
  };
  return { folded, written: once, bytes: () => once().map((names) => names.map(asBytes)), isAscii: ASCII.test(path) };
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant.
const ASCII = /^[\x00-\x7f]*$/;

/**
 * INVARIANT: a denial holds if the pattern matches the folded path, or the path as written, or its bytes as git would:
 * folding makes two characters of ß, and turns `[!a-z]` around for `A`. ASCII without a class cannot differ.
 */
function denies({ glob, exact, hasClass }: DeniedEntry, seen: Seen, length: number | null): boolean {
  const fits = (wanted: PathGlob, path: Spelled, how: GlobCase): boolean =>
    length === null ? matchesPrefix(wanted, path, how) : matchesExactly(wanted, path, length, how);
  if (fits(glob, seen.folded, 'folded')) return true;
  if (seen.isAscii && !hasClass) return false;
  return fits(exact.written, seen.written(), 'exact') || fits(exact.bytes, seen.bytes(), 'exact');
}

/** The entry that denies one reading of a path, if any. */
export function findDenied(lists: PathLists, target: PathTarget): PolicyEntry | null {
  const below = seeBelow(target);
  for (const { entry, pattern } of lists.denied) {
    if (pattern.isRooted && denies(pattern, seeWhole(target), null)) return entry;
    if (!isReachable(pattern, target) || !denies(pattern, below, null)) continue;
    if (lists.exempt.length === 0 || !isExempt(lists, pattern, below)) return entry;
  }
  return null;
}

/** Outside of the root only patterns that match at any depth mean something; rooted ones are absolute paths there. */
const isReachable = (pattern: DeniedEntry, target: PathTarget): boolean =>
  target.below !== null || pattern.glob[0] === 'deep';

/**
 * gitignore: what a folder's denial takes with it cannot be exempted again. So each prefix that the pattern matches must
 * itself be exempted, exactly as it is written.
 */
function isExempt(lists: PathLists, pattern: DeniedEntry, seen: Seen): boolean {
  const { folded } = seen;
  const written = seen.written();
  if (folded.length > MAX_EXEMPT_DEPTH || written.length !== folded.length) return false;
  for (let length = 1; length <= folded.length; length++) {
    if (!denies(pattern, seen, length)) continue;
    if (!lists.exempt.some((exempt) => matchesExactly(exempt.pattern.glob, written, length, 'exact'))) return false;
  }
  return true;
}
