import { type GlobCase, type GlobSegment, matchesSegment } from './glob-segment.ts';

/** `**`: any number of segments. */
export const DEEP = 'deep';

/** A glob over the segments of a path. */
export type PathGlob = readonly (GlobSegment | typeof DEEP)[];

/** The spellings of each segment of a path; one that matches is enough. */
export type Spelled = readonly (readonly string[])[];

/** True when the glob matches the path or a folder above it. */
export const matchesPrefix = (glob: PathGlob, path: Spelled, how: GlobCase): boolean =>
  matches(glob, path, path.length, how, true);

/** True when the glob matches exactly the first `length` segments. */
export const matchesExactly = (glob: PathGlob, path: Spelled, length: number, how: GlobCase): boolean =>
  matches(glob, path, length, how, false);

/** Goes back to the last `**` only: after a later one, an earlier one never needs to take more. */
function matches(glob: PathGlob, path: Spelled, length: number, how: GlobCase, prefix: boolean): boolean {
  let piece = 0;
  let at = 0;
  let resumePiece = -1;
  let resumeAt = 0;
  for (;;) {
    const current = glob[piece];
    if (current === undefined && (prefix || at === length)) return true;
    if (current === DEEP) {
      resumePiece = piece;
      resumeAt = at;
      piece += 1;
    } else if (current !== undefined && at < length && matchesSpellings(current, path[at] ?? [], how)) {
      piece += 1;
      at += 1;
    } else if (resumePiece >= 0 && resumeAt < length) {
      resumeAt += 1;
      at = resumeAt;
      piece = resumePiece + 1;
    } else return false;
  }
}

function matchesSpellings(segment: GlobSegment, spellings: readonly string[], how: GlobCase): boolean {
  for (const spelling of spellings) if (matchesSegment(segment, spelling, how)) return true;
  return false;
}
