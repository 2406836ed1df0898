import { createLexicon, type Lexicon, type WordSet } from './lexicon.ts';
import { compileRules, type RuleBook } from './rules.ts';

/** The rules and the word sets that reading needs: made once. */
export interface Reader {
  readonly lexicon: Lexicon;
  readonly book: RuleBook;
  readonly security: WordSet;
  readonly injection: WordSet;
  readonly rotated: WordSet;
  readonly example: WordSet;
  readonly command: WordSet;
}

/** A reader over the built-in words and rules. */
export function createReader(): Reader {
  const lexicon = createLexicon();
  return {
    lexicon,
    book: compileRules(lexicon),
    security: lexicon.words('SECURITY'),
    injection: lexicon.words('INJECTION'),
    rotated: lexicon.words('ROTATED'),
    example: lexicon.words('EXAMPLE|REPORTED'),
    command: lexicon.words('PLEASE|ACTION|YOU|MUST|OVERRIDE|REVEAL|SEND|CALL|RESPOND|FOLLOW'),
  };
}
