import { readdirSync } from 'node:fs';
import { posix } from 'node:path';
import type { Limits } from '../core/index.ts';
import { globsOverlap } from '../policy/index.ts';

const WILD = /[*?[\]\\]/;

/**
 * The paths that a pattern of bash stands for now, at most `limits.patternMatches`: each is judged like one that was written
 * out. Errs on the side of more. What cannot be listed has no matches; bash cannot list it either.
 *
 * ATTACKER-CONTROLLED: `pattern`, and the names on the disk.
 */
export function expandPattern(
  pattern: string,
  start: string,
  { patternMatches }: Pick<Limits, 'patternMatches'>,
): readonly string[] {
  let found = [pattern.startsWith('/') ? '/' : ''];
  for (const segment of pattern.split('/')) {
    if (segment === '') continue;
    found = found.flatMap((folder) => (WILD.test(segment) ? namesIn(folder, segment, start) : [join(folder, segment)]));
    // INVARIANT: one more than the limit stays, so that policy sees that there are too many.
    found = found.slice(0, patternMatches + 1);
  }
  return found;
}

const join = (folder: string, name: string): string =>
  folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`;

function namesIn(folder: string, segment: string, start: string): string[] {
  try {
    // Some versions of bash let `.*` stand for `.` and `..` too.
    const names = ['.', '..', ...readdirSync(posix.resolve(start, folder === '' ? '.' : folder))];
    return names.filter((name) => globsOverlap(segment, escaped(name))).map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** A name is no pattern: what would be read as one counts as any character. */
const escaped = (name: string): string => name.replaceAll(/[*?[\]]/g, '?');
