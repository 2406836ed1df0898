/** Alternatives that `{a,b}` groups may multiply to. */
const MAX_ALTERNATIVES = 64;

/**
 * A filter for files: `*` and `?` stay within a segment, `**` stands for any number of segments, `{a,b}` for either. Without
 * `/` it is matched with the name alone. Everything else is literal, `[` too. Null if the groups multiply to too many.
 *
 * Matching takes time in proportion to pattern times path: no regular expression is made of what a caller wrote.
 * @example
 * compileNameGlob('*.{ts,tsx}')?.('src/a.tsx'); // true
 */
export function compileNameGlob(glob: string): ((path: string) => boolean) | null {
  const alternatives = expandBraces(glob);
  if (alternatives === null) return null;
  const patterns = alternatives.map((pattern) => pattern.split('/').filter((segment) => segment !== ''));
  const nameOnly = !glob.includes('/');
  return (path) => {
    const segments = path.split('/');
    const subject = nameOnly ? segments.slice(-1) : segments;
    return patterns.some((pattern) => matchWith(pattern, subject, '**', matchSegment));
  };
}

const matchSegment = (pattern: string, segment: string): boolean =>
  matchWith([...pattern], [...segment], '*', (wanted, character) => wanted === '?' || wanted === character);

/** Matches two sequences, where `star` stands for any run: goes back to the last star only, so never exponential. */
function matchWith(
  pattern: readonly string[],
  subject: readonly string[],
  star: string,
  matchOne: (pattern: string, subject: string) => boolean,
): boolean {
  let [at, from] = [0, 0];
  let retry: { at: number; from: number } | null = null;
  while (from < subject.length) {
    const wanted = pattern[at];
    if (wanted === star) {
      retry = { at: at + 1, from };
      at += 1;
    } else if (wanted !== undefined && matchOne(wanted, subject[from] ?? '')) {
      at += 1;
      from += 1;
    } else if (retry !== null) {
      retry = { at: retry.at, from: retry.from + 1 };
      ({ at, from } = retry);
    } else return false;
  }
  return pattern.slice(at).every((rest) => rest === star);
}

/** Innermost-first is not needed: groups do not nest here, and a brace without its partner is literal. */
function expandBraces(glob: string): string[] | null {
  let done: string[] = [''];
  let rest = glob;
  for (let open = rest.indexOf('{'); open >= 0; open = rest.indexOf('{')) {
    const close = rest.indexOf('}', open);
    if (close < 0) break;
    const choices = rest.slice(open + 1, close).split(',');
    if (done.length * choices.length > MAX_ALTERNATIVES) return null;
    const before = rest.slice(0, open);
    done = done.flatMap((start) => choices.map((choice) => start + before + choice));
    rest = rest.slice(close + 1);
  }
  return done.map((start) => start + rest);
}
