import { foldText } from './path-fold.ts';

/**
 * What a path becomes when somebody decodes its percent-encoding, once and twice; null when that would add a separator, a
 * dot segment or a control character, or when an encoding is not UTF-8 (over-long forms hide separators).
 */
export function percentReadings(given: string): readonly string[] | null {
  const readings: string[] = [];
  let current = given;
  for (let round = 0; round < 2 && current.includes('%'); round++) {
    const decoded = decode(current);
    if (decoded === null || addsStructure(current, decoded)) return null;
    if (decoded === current) break;
    readings.push(decoded);
    current = decoded;
  }
  return readings;
}

/** Decodes runs of `%XX`; a percent sign without two hexadecimal digits stands for itself. */
function decode(text: string): string | null {
  let failed = false;
  const decoded = text.replaceAll(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch (error) {
      if (!(error instanceof URIError)) throw error;
      failed = failed || /%(?:c[01]|e0%[89]|f0%8)/i.test(run);
      return run;
    }
  });
  return failed ? null : decoded;
}

function addsStructure(before: string, after: string): boolean {
  const parts = segmentsOf(after);
  if (parts.length !== segmentsOf(before).length) return true;
  if (/[\p{Cc}\\]/u.test(after)) return true;
  const dotsBefore = segmentsOf(before).filter(isDots).length;
  return parts.filter(isDots).length !== dotsBefore;
}

const segmentsOf = (path: string): string[] => foldText(path).split('/');
const isDots = (segment: string): boolean => segment === '.' || segment === '..';
