/** Where a word stands, as far as the guard cares. */
export type Place = 'visible' | 'hidden' | 'attribute' | 'code';

/** Most words of one sentence; a longer one goes on in the next, which takes the last words along. */
export const SENTENCE_WORDS = 96;
/** Words that a sentence takes over from one that was cut. */
const CARRIED_WORDS = 16;

/** The words of one sentence: parallel arrays, reused from sentence to sentence. */
export interface Sentence {
  words: number;
  /** Entries of the lexicon; 0 for a word that is not listed. */
  readonly entries: Int32Array;
  /** Offsets in the reading. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of BEGINS, QUOTED, SINK, IDENTIFIER. */
  readonly flags: Uint8Array;
  place: Place;
}

/** A command may begin with this word: it is the first, or stands behind punctuation or a word such as "please". */
export const BEGINS = 1;
/** It stands in a quotation. */
export const QUOTED = 2;
/** It is part of an e-mail address or a URL. */
export const SINK = 4;
/** It is spelled like a name in a program. */
export const IDENTIFIER = 8;

/** An empty sentence. */
export const createSentence = (): Sentence => ({
  words: 0,
  entries: new Int32Array(SENTENCE_WORDS),
  starts: new Int32Array(SENTENCE_WORDS),
  ends: new Int32Array(SENTENCE_WORDS),
  flags: new Uint8Array(SENTENCE_WORDS),
  place: 'visible',
});

/** Empties a sentence; with `carry` it keeps its last words. */
export function nextSentence(sentence: Sentence, carry: boolean): void {
  const from = sentence.words - (carry ? CARRIED_WORDS : 0);
  if (carry) {
    for (const list of [sentence.entries, sentence.starts, sentence.ends, sentence.flags]) {
      list.copyWithin(0, from, sentence.words);
    }
  }
  sentence.words -= from;
}
