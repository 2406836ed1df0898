import { isPlainUri, matchesUri } from '../policy/index.ts';

/** Longest beginning of a template that is looked at, in UTF-16 code units: no URI is longer. */
const MAX_BEGINNING = 2_048;

/**
 * Whether some URI of a template (RFC 6570) could be one that these patterns of `resources:` open, judged by what stands before its first
 * expression; a template without one is the URI itself. ATTACKER-CONTROLLED: `template`.
 */
export function isTemplateOpen(patterns: readonly { readonly text: string }[], template: string): boolean {
  const end = template.indexOf('{');
  if (end < 0) return isPlainUri(template) && patterns.some(({ text }) => matchesUri(text, template));
  if (end > MAX_BEGINNING) return false;
  const beginning = template.slice(0, end);
  return patterns.some(({ text }) => mayBegin(text, beginning));
}

/**
 * Whether something that begins so matches the pattern; see `matchesUri`. Takes time in proportion to the product of the
 * lengths, at most.
 */
function mayBegin(pattern: string, beginning: string): boolean {
  const parts = pattern.match(/\*\*|./gsu) ?? [];
  let reached = withSkipped(parts, [0]);
  for (const character of beginning) {
    const next = [...reached].flatMap((at) => stepsFrom(parts[at], at, character));
    reached = withSkipped(parts, next);
    if (reached.size === 0) return false;
  }
  return true;
}

function stepsFrom(part: string | undefined, at: number, character: string): number[] {
  if (part === '**' || (part === '*' && character !== '/')) return [at];
  return part === character ? [at + 1] : [];
}

/** The places, and those behind stars that stand for nothing. */
function withSkipped(parts: readonly string[], places: readonly number[]): ReadonlySet<number> {
  const all = new Set(places);
  // A set hands out what is added while it is walked.
  for (const at of all) if (parts[at] === '*' || parts[at] === '**') all.add(at + 1);
  return all;
}
