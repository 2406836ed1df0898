/** Times that somebody behind us could decode a path; one that still changes then hides something. */
const MAX_ROUNDS = 6;

/** Encodings that are no UTF-8 but that lax decoders read as ASCII: over-long forms, and `%uXXXX`. */
const LAX_ENCODING = /%(?:c[01]|e0%[89]|f0%8|u[0-9a-f]{4})/i;

/**
 * What a path becomes when its percent-encoding is decoded again and again: each reading that differs, the given one
 * first; `null` when it hides something (over-long forms, more than six layers).
 *
 * ATTACKER-CONTROLLED: `path`.
 */
export function decodedPaths(path: string): readonly string[] | null {
  const readings = [path];
  let current = path;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    if (LAX_ENCODING.test(current)) return null;
    const decoded = decodeOnce(current);
    if (decoded === current) return readings;
    readings.push(decoded);
    current = decoded;
  }
  return null;
}

/** Decodes runs of `%XX` that are UTF-8; everything else stands for itself. */
function decodeOnce(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      // One byte that is no UTF-8 must not shield its neighbours.
      return run.replaceAll(/%[0-7][0-9a-f]/gi, (byte) => String.fromCharCode(Number.parseInt(byte.slice(1), 16)));
    }
  });
}

/**
 * The segments of a decoded path as the laxest server reads them: NFKC, backslash as slash, parameters (`;x`) and trailing
 * or leading white space removed.
 */
export const laxSegments = (decoded: string): readonly string[] =>
  decoded
    .normalize('NFKC')
    .split(/[/\\]/)
    .map((segment) => (segment.split(';')[0] ?? '').trim());

/** Why a normalised path (RFC 3986 6.2.2) could still mean another one to the server; `null` if it cannot. */
export function troubleInPath(path: string): string | null {
  const readings = decodedPaths(path);
  if (readings === null) return 'its path hides characters in lax or repeated percent-encoding';
  for (const reading of readings) {
    if (/\p{Cc}/u.test(reading)) return 'its path has an encoded control character';
    if (laxSegments(reading).some(isDots)) return 'its path has a dot segment in disguise';
  }
  return null;
}

const isDots = (segment: string): boolean => segment === '.' || segment === '..';

/** Percent-encoding in its one canonical form (RFC 3986 6.2.2.1 and 6.2.2.2): capitals, unreserved characters decoded. */
export const normaliseEncoding = (text: string): string =>
  text.replaceAll(/%[0-9a-f]{2}/gi, (encoded) => {
    const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : encoded.toUpperCase();
  });
