import type { Cue, CuedSentence, ReadingCues } from './cue.ts';
import { readCues } from './read-cues.ts';
import type { Reader } from './reader.ts';
import { originalSpan, type Reading, type Span } from './reading.ts';
import type { Family } from './rules.ts';
import type { Place } from './sentence.ts';
import { readRot13 } from './spelling.ts';

/** A passage that scored: the sentences around it, with what was seen. */
export interface Passage extends Span {
  readonly score: number;
  readonly cues: readonly Cue[];
  readonly reading: Reading;
  readonly place: Place;
}

/** How much a cue counts one sentence away. */
const NEIGHBOUR = 0.7;
/** Sentences farther apart than this many characters are no neighbours. */
const NEAR = 400;

/** The passages of a reading that are worth a closer look, one for each sentence with cues. */
function scorePassages({ reading, sentences, securityShare }: ReadingCues): Passage[] {
  const passages: Passage[] = [];
  for (let at = 0; at < sentences.length; at++) {
    if (mayMatter(sentences, at)) passages.push(scorePassage(reading, sentences, at, securityShare));
  }
  return passages;
}

function scorePassage(
  reading: Reading,
  sentences: readonly CuedSentence[],
  at: number,
  securityShare: number,
): Passage {
  const sentence = sentences[at];
  if (sentence === undefined) throw new RangeError('no such sentence');
  const families = new Map<Family, number>();
  const cues: Cue[] = [];
  let { end: start, end } = sentence;
  for (const near of [sentences[at - 1], sentence, sentences[at + 1]]) {
    if (near === undefined || !areNear(near, sentence)) continue;
    for (const cue of near.cues) {
      const weight = cue.weight * (near === sentence ? 1 : NEIGHBOUR) * trust(cue, near, securityShare);
      if (weight > (families.get(cue.family) ?? 0)) families.set(cue.family, weight);
      cues.push(cue);
      // A bare command beside the passage is no part of it.
      if (near !== sentence && cue.family === 'action') continue;
      start = Math.min(start, cue.start);
      end = Math.max(end, cue.end);
    }
  }
  let sum = 0;
  for (const weight of families.values()) sum += weight;
  const share = securityShare > 2 ? 0.6 : securityShare > 1 ? 0.8 : 1;
  const score = sum * placement(sentence.place, reading, sum) * share;
  return { ...originalSpan(reading, start, end), score, cues, reading, place: sentence.place };
}

/** Least sum of weights in three sentences that is worth a closer look. */
const WORTH = 1.6;

function mayMatter(sentences: readonly CuedSentence[], at: number): boolean {
  // A bare command beside a passage is no passage of its own.
  if (sentences[at]?.cues.every(({ family }) => family === 'action') === true) return false;
  let sum = 0;
  for (let near = at - 1; near <= at + 1; near++) for (const { weight } of sentences[near]?.cues ?? []) sum += weight;
  return sum >= WORTH;
}

const areNear = (one: CuedSentence, other: CuedSentence): boolean =>
  Math.abs(one.index - other.index) <= 2 && Math.max(one.start - other.end, other.start - one.end) < NEAR;

/** Words of its own that make a sentence one that quotes. */
const QUOTING = 4;

/** Words of a text that must be rotated ones before all of it is read rotated. */
const ROTATED_WORDS = 2;

/** All passages of a reading, and of the same text rotated by thirteen letters where it looks so. */
export function readPassages(reading: Reading, reader: Reader): Passage[] {
  const cues = readCues(reading, reader);
  const passages = scorePassages(cues);
  if (cues.rotatedWords < ROTATED_WORDS || reading.origin === 'rot13') return passages;
  return [...passages, ...readPassages(readRot13(reading), reader)];
}

/** What a quotation in a text about security is worth. */
function trust(
  { quoted }: Cue,
  { isSecurityProse, isExample, followsInjectionProse, unquoted }: CuedSentence,
  securityShare: number,
): number {
  if (quoted && (isSecurityProse || isExample || securityShare > 1)) return 0.3;
  if (quoted && unquoted >= QUOTING) return 0.6;
  if (followsInjectionProse) return quoted ? 0.4 : 0.45;
  return isSecurityProse && isExample ? 0.5 : 1;
}

function placement(place: Place, { origin }: Reading, sum: number): number {
  if (sum < 1) return 1;
  return (place === 'hidden' || place === 'attribute' ? 1.3 : 1) * (origin === 'text' ? 1 : 1.5);
}
