/** The known word nearest to what was written, if one is near enough to be meant. */
export function didYouMean(written: string, known: readonly string[]): string | null {
  const plain = simplify(written);
  let best: { readonly word: string; readonly distance: number } | null = null;
  for (const word of known) {
    const distance = simplify(word) === plain ? 0 : editDistance(plain, simplify(word));
    if (distance <= Math.max(1, Math.floor(word.length / 4)) && distance < (best?.distance ?? 4))
      best = { word, distance };
  }
  return best?.word ?? null;
}

/** `allowed_paths`, `AllowedPaths` and `allowed-paths` are one word. */
const simplify = (word: string): string =>
  word
    .slice(0, 64)
    .toLowerCase()
    .replaceAll(/[_\s-]/g, '');

/** Insertions, deletions and replacements (Levenshtein) between two short words. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? a.length;
}
