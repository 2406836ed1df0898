/** Longest pattern that is compared. */
const MAX_LENGTH = 512;

type Piece = { readonly kind: 'any' | 'one' } | { readonly kind: 'text'; readonly text: string };

/** The pieces of one segment; a class in brackets counts as any one character. */
function piecesOf(segment: string): readonly Piece[] {
  return (segment.match(/\[[!^]?\]?[^\]]*\]|[\s\S]/g) ?? []).map((text): Piece => {
    if (text === '*') return { kind: 'any' };
    return text === '?' || text.length > 1 ? { kind: 'one' } : { kind: 'text', text: text.toLowerCase() };
  });
}

/** True when some name matches both segments. */
function segmentsOverlap(left: readonly Piece[], right: readonly Piece[]): boolean {
  const rows: boolean[][] = Array.from({ length: left.length + 1 }, () =>
    new Array<boolean>(right.length + 1).fill(false),
  );
  for (let i = left.length; i >= 0; i -= 1) {
    for (let j = right.length; j >= 0; j -= 1) {
      const row = rows[i];
      if (row !== undefined) row[j] = overlapAt(left, right, rows, i, j);
    }
  }
  return rows[0]?.[0] === true;
}

function overlapAt(
  left: readonly Piece[],
  right: readonly Piece[],
  rows: readonly boolean[][],
  i: number,
  j: number,
): boolean {
  const a = left[i];
  const b = right[j];
  if (a === undefined && b === undefined) return true;
  const at = (row: number, column: number): boolean => rows[row]?.[column] === true;
  if (a?.kind === 'any') return at(i + 1, j) || (b !== undefined && at(i, j + 1));
  if (b?.kind === 'any') return at(i, j + 1) || (a !== undefined && at(i + 1, j));
  if (a === undefined || b === undefined) return false;
  const same = a.kind === 'one' || b.kind === 'one' || (a.kind === 'text' && b.kind === 'text' && a.text === b.text);
  return same && at(i + 1, j + 1);
}

/** `*` and `?` of bash match no dot at the start of a name. */
const hides = (shell: string, other: string): boolean => /^[*?[]/.test(shell) && other.startsWith('.');

/**
 * True when a pattern of bash (`src/*.ts`) and a pattern of a policy (`**` crosses folders) may match one path, letter case
 * aside. Errs on the side of true.
 */
export function globsOverlap(shell: string, policy: string): boolean {
  if (shell.length > MAX_LENGTH || policy.length > MAX_LENGTH) return true;
  const left = shell.split('/').filter((segment) => segment !== '' && segment !== '.');
  const right = policy.split('/').filter((segment) => segment !== '');
  return pathsOverlap(left, right);
}

function pathsOverlap(left: readonly string[], right: readonly string[]): boolean {
  const [first, ...others] = left;
  const [wanted, ...rest] = right;
  if (wanted === '**') return pathsOverlap(left, rest) || (first !== undefined && pathsOverlap(others, right));
  // What lies in a folder that matches is covered too.
  if (wanted === undefined || first === undefined) return wanted === undefined;
  return !hides(first, wanted) && segmentsOverlap(piecesOf(first), piecesOf(wanted)) && pathsOverlap(others, rest);
}
