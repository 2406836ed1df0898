import type { NeedleIndex } from './needle-index.ts';

const WORD = 'redacted';
/** What stands around a placeholder: the first pair that no needle could grow together with. */
const FRAMES = [
  ['[', ']'],
  ['\u27e6', '\u27e7'],
  ['\u2588', '\u2588'],
] as const;

/** A name that may stand in a placeholder. */
export const isSecretName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9 ._:/?=#@+,-]{0,255}$/.test(name);

/**
 * A needle that could not grow together with `[redacted`: without the brackets at its ends, if enough is left. A bracket
 * that stood around a value then stays beside the placeholder.
 */
export function trimNeedle(needle: string, needleLength: number): string {
  const [[open, close]] = FRAMES;
  let text = needle;
  while (text.startsWith(close)) text = text.slice(1);
  for (let shared = sharedEnd(text, open + WORD); shared > 0; shared = sharedEnd(text, open + WORD))
    text = text.slice(0, -shared);
  return text.length >= needleLength ? text : needle;
}

/** How much of the beginning of `opening` the text ends with. */
function sharedEnd(text: string, opening: string): number {
  for (let length = Math.min(opening.length, text.length); length > 0; length--)
    if (text.endsWith(opening.slice(0, length))) return length;
  return 0;
}

/**
 * Chooses placeholders that nothing can be completed with.
 *
 * INVARIANT: a text in which every span was replaced by a placeholder of this class holds no needle. A needle in it would
 * have to lie in a placeholder, contain one, begin in one or end in one. `#isSafe` has asked the automata about the first
 * and the third, `#threats` has counted the needles that end in, or contain, the beginning of one.
 */
export class Placeholders {
  readonly #index: NeedleIndex<unknown>;
  #generation = -1;
  #named = new Map<string, string>();
  /** For each frame, how many needles end in its opening or contain it. */
  readonly #threats = FRAMES.map(() => 0);

  constructor(index: NeedleIndex<unknown>) {
    this.#index = index;
  }

  /** The placeholder of a name, or of none; undefined where the needles leave no safe one. */
  of(name: string | undefined): string | undefined {
    if (this.#generation !== this.#index.generation) {
      this.#generation = this.#index.generation;
      this.#named = new Map();
    }
    const known = this.#named.get(name ?? '');
    if (known !== undefined) return known;
    const placeholder = this.#choose(name);
    if (placeholder !== undefined && this.#named.size < 65_536) this.#named.set(name ?? '', placeholder);
    return placeholder;
  }

  /** Counts a needle that came (1) or went (-1). */
  count(needle: string, by: 1 | -1): void {
    for (const [at, [open]] of FRAMES.entries())
      if (threatens(needle, open + WORD)) this.#threats[at] = (this.#threats[at] ?? 0) + by;
  }

  #choose(name: string | undefined): string | undefined {
    for (const [at, [open, close]] of FRAMES.entries()) {
      if ((this.#threats[at] ?? 0) > 0) continue;
      const forms = name === undefined ? [WORD] : [`${WORD}:${name}`, WORD];
      const safe = forms.map((form) => open + form + close).find((form) => this.#isSafe(form));
      if (safe !== undefined) return safe;
    }
    return undefined;
  }

  #isSafe(placeholder: string): boolean {
    return this.#index.layers(0).every(({ automaton }) => {
      let clean = true;
      const state = automaton.scan(placeholder, 0, () => {
        clean = false;
      });
      return clean && automaton.depthAt(state) === 0;
    });
  }
}

const threatens = (needle: string, opening: string): boolean =>
  needle.includes(opening) || sharedEnd(needle, opening) > 0;
