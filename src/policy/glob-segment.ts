/** One piece of a glob inside a segment. */
type Token =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'any-run' }
  | { readonly kind: 'any-one' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** A segment of a glob: `*`, `?`, `[a-z]`, `[!a-z]`, `\` before a character that stands for itself. Never a `/`. */
export interface GlobSegment {
  readonly tokens: readonly Token[];
  /** The text of a segment without wildcards, else null. */
  readonly literal: string | null;
}

/** How the text of a glob is compared: `exact`, or `folded` with text that went through `foldText`. */
export type GlobCase = 'exact' | 'folded';

/**
 * Reads one segment.
 * @returns the segment, or what is wrong with it
 */
export function readGlobSegment(source: string, fold: (text: string) => string): GlobSegment | string {
  const symbols = Array.from(source);
  const tokens: Token[] = [];
  for (let at = 0; at < symbols.length; ) {
    const symbol = symbols[at] ?? '';
    if (symbol === '[') {
      const read = readClass(symbols, at + 1);
      if (typeof read === 'string') return read;
      tokens.push(read.token);
      at = read.end;
    } else if (symbol === '*' || symbol === '?') {
      if (symbol === '?' || tokens.at(-1)?.kind !== 'any-run')
        tokens.push({ kind: symbol === '*' ? 'any-run' : 'any-one' });
      at += 1;
    } else {
      const escaped = symbol === '\\';
      const text = escaped ? symbols[at + 1] : symbol;
      if (text === undefined || (escaped && /[\p{L}\p{N}]/u.test(text)))
        return 'a backslash that escapes nothing: paths are written with /';
      appendText(tokens, text);
      at += escaped ? 2 : 1;
    }
  }
  return finish(tokens, fold);
}

function appendText(tokens: Token[], text: string): void {
  const last = tokens.at(-1);
  if (last?.kind === 'text') tokens[tokens.length - 1] = { kind: 'text', text: last.text + text };
  else tokens.push({ kind: 'text', text });
}

function finish(tokens: readonly Token[], fold: (text: string) => string): GlobSegment {
  const folded = tokens.map((token) => (token.kind === 'text' ? { kind: token.kind, text: fold(token.text) } : token));
  const [first] = folded;
  return { tokens: folded, literal: folded.length === 1 && first?.kind === 'text' ? first.text : null };
}

function readClass(
  symbols: readonly string[],
  start: number,
): { readonly token: Token; readonly end: number } | string {
  const negated = symbols[start] === '!' || symbols[start] === '^';
  const ranges: [number, number][] = [];
  let at = negated ? start + 1 : start;
  const first = at;
  const take = (): number | undefined => {
    if (symbols[at] === '\\') at += 1;
    return symbols[at++]?.codePointAt(0);
  };
  while (symbols[at] !== ']' || at === first) {
    const low = take();
    if (low === undefined) return 'a [ without its ]';
    const isRange = symbols[at] === '-' && symbols[at + 1] !== ']' && symbols[at + 1] !== undefined;
    if (isRange) at += 1;
    const high = isRange ? take() : low;
    if (high === undefined || high < low) return 'a range in […] that ends before it begins';
    ranges.push([low, high]);
  }
  return { token: { kind: 'class', negated, ranges }, end: at + 1 };
}

/**
 * True when the segment matches the whole text. Time grows with the product of the two lengths at worst: no input makes
 * it backtrack further than to the last `*`.
 */
export function matchesSegment({ tokens, literal }: GlobSegment, text: string, how: GlobCase): boolean {
  if (literal !== null) return literal === text;
  let token = 0;
  let at = 0;
  let resumeToken = -1;
  let resumeAt = 0;
  while (at < text.length || token < tokens.length) {
    const current = tokens[token];
    if (current?.kind === 'any-run') {
      if (token === tokens.length - 1) return true;
      resumeToken = token;
      resumeAt = at;
      token += 1;
      continue;
    }
    const taken = current === undefined ? 0 : takes(current, text, at, how);
    if (taken > 0) {
      token += 1;
      at += taken;
    } else if (resumeToken >= 0 && resumeAt < text.length) {
      resumeAt += 1;
      at = resumeAt;
      token = resumeToken + 1;
    } else return false;
  }
  return true;
}

/** How many characters of the text the token takes at this place; 0: it does not match. */
function takes(token: Token, text: string, at: number, how: GlobCase): number {
  if (token.kind === 'text') return text.startsWith(token.text, at) ? token.text.length : 0;
  const point = text.codePointAt(at);
  if (point === undefined) return 0;
  const length = point > 0xffff ? 2 : 1;
  if (token.kind === 'class') return inClass(token, point, how) ? length : 0;
  return length;
}

/** Folded text is in lower case: a class that was written in upper case means both, and so does a negated one. */
function inClass(token: Token & { readonly kind: 'class' }, point: number, how: GlobCase): boolean {
  const has = (candidate: number): boolean => token.ranges.some(([low, high]) => candidate >= low && candidate <= high);
  if (how === 'exact') return has(point) !== token.negated;
  const upper = String.fromCodePoint(point).toUpperCase().codePointAt(0) ?? point;
  return (has(point) || has(upper)) !== token.negated;
}
