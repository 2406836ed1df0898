import type { Reading, Span } from './reading.ts';
import type { Family } from './rules.ts';
import type { Place } from './sentence.ts';

/** Something that a rule saw, before it is weighed. */
export interface Cue {
  readonly id: string;
  readonly family: Family;
  readonly weight: number;
  readonly why: string;
  readonly start: number;
  readonly end: number;
  /** Number of the sentence it stands in. */
  readonly sentence: number;
  readonly quoted: boolean;
}

/** A sentence with cues: where it is, and what speaks against taking it at its word. */
export interface CuedSentence extends Span {
  readonly index: number;
  readonly place: Place;
  readonly cues: Cue[];
  readonly isSecurityProse: boolean;
  /** Shortly before it, the text speaks of attacks on models. */
  readonly followsInjectionProse: boolean;
  readonly isExample: boolean;
  /** Words that stand in no quotation. */
  readonly unquoted: number;
}

/** All that was seen in one reading. */
export interface ReadingCues {
  readonly reading: Reading;
  readonly sentences: readonly CuedSentence[];
  /** Share of words that speak of security, in percent, and the number of words. */
  readonly securityShare: number;
  readonly words: number;
  /** Words that look rotated by thirteen letters. */
  readonly rotatedWords: number;
}
