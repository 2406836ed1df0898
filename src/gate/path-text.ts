import type { Limits } from '../core/index.ts';
import type { PathTrouble, PathUse } from '../policy/index.ts';

/** Longest name of one segment that the file systems in use accept, in bytes (NAME_MAX). */
const SEGMENT_BYTES = 255;

// Control characters (C0, DEL, C1), line and paragraph separators, and bidirectional controls: no honest path needs them,
// and a person who reads the record or the listing would see another path than the kernel.
const UNPRINTABLE = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;
const URL_SCHEME = /^(?:file:|[a-z][a-z0-9+.-]*:\/\/)/i;
const DRIVE = /^[a-z]:/i;

/**
 * What is wrong with a path as text, before any look at the disk; null if nothing is. Percent-encoding is literal here
 * (policy judges its decoded forms).
 *
 * ATTACKER-CONTROLLED: `given`.
 */
export function troubleInText(
  given: string,
  use: PathUse,
  limits: Pick<Limits, 'pathBytes'>,
): PathTrouble['trouble'] | null {
  if (given === '') return 'PATH_MALFORMED';
  if (given.length > limits.pathBytes || Buffer.byteLength(given) > limits.pathBytes) return 'PATH_TOO_LONG';
  if (!given.isWellFormed() || UNPRINTABLE.test(given) || isForeign(given)) return 'PATH_MALFORMED';
  // What is written is a file: a path that can only name a folder is a mistake, whatever lies on the disk.
  if (use === 'file_write' && /(?:^|\/)\.{0,2}$/.test(given)) return 'PATH_MALFORMED';
  return hasLongSegment(given) ? 'PATH_TOO_LONG' : null;
}

/** Notations of shells, browsers and Windows: somebody behind us could expand them, and we do not. */
const isForeign = (given: string): boolean =>
  given.startsWith('~') ||
  given.startsWith('//') ||
  given.includes('\\') ||
  DRIVE.test(given) ||
  URL_SCHEME.test(given);

const hasLongSegment = (given: string): boolean =>
  given.length > SEGMENT_BYTES / 4 && given.split('/').some((segment) => Buffer.byteLength(segment) > SEGMENT_BYTES);
