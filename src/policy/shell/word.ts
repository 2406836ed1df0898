/**
 * How much of a word is known before bash runs it: `static` (all of it), `glob` (names of files), `braces`, `pipe` (the
 * path of a process substitution), `output` (of commands that are judged themselves), `variable` (unknown).
 */
export type WordShape = 'static' | 'pipe' | 'glob' | 'braces' | 'output' | 'variable';

/** One word of a command, after quote removal. */
export interface Word {
  /** The value; for what is not static, the source text of the unknown pieces stands in it. */
  readonly text: string;
  readonly shape: WordShape;
  /** Some of it was quoted or escaped. */
  readonly quoted: boolean;
  /** Quoted, and contains white space or shell operators: text for a person, which denied patterns do not search (C6). */
  readonly data: boolean;
  /** An unknown piece is unquoted: bash may make several words of this one, or none. */
  readonly splits: boolean;
  /** The static text before the first unknown piece; all of a static word. */
  readonly lead: string;
}

const WHITE_SPACE_OR_OPERATOR = /[\s;&|<>()`]/;

/** A word of which everything is known. */
export const staticWord = (text: string, quoted = false): Word => ({
  text,
  shape: 'static',
  quoted,
  data: quoted && WHITE_SPACE_OR_OPERATOR.test(text),
  splits: false,
  lead: text,
});

/** Words of which nothing is known, as `xargs` appends them. */
export const unknownWord = (text: string): Word => ({
  text,
  shape: 'output',
  quoted: false,
  data: false,
  splits: true,
  lead: '',
});

const RANK: Readonly<Record<WordShape, number>> = { static: 0, pipe: 1, glob: 2, braces: 3, output: 4, variable: 5 };

/** Puts a word together piece by piece. */
export interface WordBuilder {
  add(text: string, shape: WordShape, inQuotes: boolean): void;
  finish(quoted: boolean): Word;
}

export function wordBuilder(): WordBuilder {
  let text = '';
  let lead = '';
  let shape: WordShape = 'static';
  let splits = false;
  return {
    add(piece, pieceShape, inQuotes) {
      text += piece;
      if (RANK[pieceShape] > RANK[shape]) shape = pieceShape;
      if (pieceShape !== 'static' && pieceShape !== 'pipe' && !inQuotes) splits = true;
      if (shape === 'static') lead += piece;
    },
    finish: (quoted) => ({
      text,
      shape,
      quoted,
      data: quoted && WHITE_SPACE_OR_OPERATOR.test(text),
      splits,
      lead,
    }),
  };
}

/** At most this many words come out of one word with braces. */
const MAX_BRACE_WORDS = 64;
const ONE_GROUP = /^([\w.\\/@:=+%-]*)\{([\w./@:=+%-]*(?:,[\w./@:=+%-]*)+)\}([\w./@:=+%-]*)$/;

/** The words that bash makes of one unquoted word with one comma list in braces; null when it is of another form. */
export function expandBraces(source: string): readonly Word[] | null {
  const group = ONE_GROUP.exec(source);
  if (group === null || source.includes('\\')) return null;
  const [, before = '', list = '', after = ''] = group;
  const alternatives = list.split(',');
  if (alternatives.length > MAX_BRACE_WORDS) return null;
  return alternatives.map((alternative) => staticWord(before + alternative + after)).filter((word) => word.text !== '');
}
