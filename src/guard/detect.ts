import { type BlobBudget, openBlobs } from './blobs.ts';
import { decodeReading } from './decode.ts';
import type { GuardLimits } from './guard-limits.ts';
import { createLexicon, type Lexicon, type WordSet } from './lexicon.ts';
import { findMarkers, type Marker } from './markers.ts';
import { hasWord, matchRules } from './match.ts';
import { originalSpan, type Reading, type Span } from './reading.ts';
import { compileRules, type Family, type Rule, type RuleBook } from './rules.ts';
import { QUOTED, type Sentence } from './sentence.ts';
import { isRot13, readLeet, readRot13, readSpaced } from './spelling.ts';
import { splitSentences } from './split.ts';
import { findRegions } from './structure.ts';

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
  readonly place: Sentence['place'];
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
}

/** The rules and the word sets that reading needs: made once. */
export interface Reader {
  readonly lexicon: Lexicon;
  readonly book: RuleBook;
  readonly security: WordSet;
  readonly injection: WordSet;
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
    example: lexicon.words('EXAMPLE|REPORTED'),
    command: lexicon.words('PLEASE|ACTION|YOU|MUST|OVERRIDE|REVEAL|SEND|CALL|RESPOND|FOLLOW'),
  };
}

/** Sentences for which a mention of attacks on models counts. */
const PROSE = 6;

/** Reads one reading with all rules. Linear. */
export function readCues(reading: Reading, reader: Reader): ReadingCues {
  const { lexicon, book, security, injection, example, command } = reader;
  const { text } = reading;
  const markers = findMarkers(text);
  const sentences: CuedSentence[] = [];
  let [index, words, securityWords, nextMarker, lastInjection] = [0, 0, 0, 0, -PROSE];
  splitSentences(text, findRegions(text), lexicon, (sentence) => {
    words += sentence.words;
    const securityCount = countWords(sentence, security);
    securityWords += securityCount;
    const followsInjectionProse = index - lastInjection < PROSE;
    if (securityCount > 0 && hasWord(sentence, injection)) lastInjection = index;
    const start = sentence.starts[0] ?? 0;
    const end = sentence.ends[sentence.words - 1] ?? start;
    const cues: Cue[] = [];
    matchRules(book, sentence, ({ rule, ...where }) => cues.push({ ...where, ...pick(rule), sentence: index }));
    for (let marker = markers[nextMarker]; marker !== undefined && marker.start < end; marker = markers[++nextMarker]) {
      cues.push(...markerCues(marker, sentence, command, index));
    }
    if (cues.length > 0) {
      const isExample = hasWord(sentence, example);
      const { place } = sentence;
      const unquoted = countUnquoted(sentence);
      sentences.push({ index, start, end, place, cues, isSecurityProse: securityCount > 0, isExample, followsInjectionProse, unquoted });
    }
    index += 1;
  });
  return { reading, sentences, words, securityShare: words === 0 ? 0 : (securityWords * 100) / words };
}

const pick = ({ id, family, weight, why }: Rule): Pick<Rule, 'id' | 'family' | 'weight' | 'why'> => ({ id, family, weight, why });

function countWords({ entries, words }: Sentence, set: WordSet): number {
  let count = 0;
  for (let word = 0; word < words; word++) count += set[entries[word] ?? 0] ?? 0;
  return count;
}

function countUnquoted({ flags, words }: Sentence): number {
  let count = 0;
  for (let word = 0; word < words; word++) if (((flags[word] ?? 0) & QUOTED) === 0) count += 1;
  return count;
}

/** Weight of a conversation marker, and what it imitates. */
const MARKERS: Readonly<Record<Marker['kind'], readonly [Family, number, string]>> = Object.freeze({
  template: ['role', 1.8, 'has tokens of a chat template'],
  'role-object': ['role', 1.8, 'imitates a message of a conversation'],
  'pseudo-tag': ['role', 1.3, 'imitates a tag of a prompt'],
  'role-line': ['role', 1.1, 'imitates a turn of a conversation'],
  heading: ['role', 0.9, 'imitates the frame of a prompt'],
  reasoning: ['hijack', 0.9, 'imitates the reasoning of an agent'],
  'data-url': ['exfiltrate', 1.6, 'has an address with a place for data'],
});

const FRAMED = {
  id: 'command-in-frame',
  family: 'framed',
  weight: 1.3,
  why: 'gives a command in the voice of somebody in the conversation',
} as const;

/** Characters between a marker and the command that it frames. */
const FRAME = 12;

function markerCues({ kind, start, end }: Marker, sentence: Sentence, command: WordSet, index: number): Cue[] {
  const [family, weight, why] = MARKERS[kind];
  const cue: Cue = { id: `marker-${kind}`, family, weight, why, start, end, sentence: index, quoted: false };
  if (kind === 'reasoning' || kind === 'data-url' || !isCommandBehind(end, sentence, command)) return [cue];
  const last = Math.max(end, sentence.ends[sentence.words - 1] ?? end);
  return [cue, { ...FRAMED, start, end: last, sentence: index, quoted: false }];
}

/** Whether a command begins right behind the offset `end`. */
function isCommandBehind(end: number, { starts, entries, words }: Sentence, command: WordSet): boolean {
  for (let word = 0; word < words; word++) {
    const start = starts[word] ?? 0;
    if (start > end + FRAME) return false;
    if (start >= end && command[entries[word] ?? 0] === 1) return true;
  }
  return false;
}

/** All readings of a text, and whether some of it was left unread for being too much. */
export interface Readings {
  readonly readings: readonly Reading[];
  readonly leftUnread: boolean;
}

/** Opens every encoding of a text, at most `limits.decodeDepth` deep. */
export function openReadings(text: string, reader: Reader, limits: GuardLimits): Readings {
  const budget: BlobBudget = { blobs: limits.blobs, length: limits.decodedLength };
  const readings: Reading[] = [];
  let layer: Reading[] = [{ text, offsets: null, within: null, origin: 'text', depth: 0 }];
  for (let depth = 0; depth <= limits.decodeDepth && layer.length > 0; depth++) {
    const next: Reading[] = [];
    for (const source of layer) {
      const { reading, smuggled } = decodeReading(source, limits.decodeDepth);
      readings.push(reading, ...respelled(reading, reader));
      for (const { text: hidden, start, end, origin } of smuggled) {
        readings.push({ text: hidden, offsets: null, within: source.within ?? { start, end }, origin, depth: depth + 1 });
      }
      next.push(...openBlobs(reading, budget));
    }
    layer = next;
  }
  return { readings, leftUnread: budget.blobs < 0 };
}

function respelled(reading: Reading, { lexicon }: Reader): Reading[] {
  const found: Reading[] = [];
  if (isRot13(reading.text)) found.push(readRot13(reading));
  const leet = readLeet(reading, lexicon);
  if (leet !== null) found.push(leet);
  const spaced = readSpaced(reading);
  if (spaced !== null) {
    found.push(spaced);
    const both = readLeet(spaced, lexicon);
    if (both !== null) found.push(both);
  }
  return found;
}

/** A passage that scored: the sentences around it, with what was seen. */
export interface Passage extends Span {
  readonly score: number;
  readonly cues: readonly Cue[];
  readonly reading: Reading;
  readonly place: Sentence['place'];
  /** Score of each family. */
  readonly families: ReadonlyMap<Family, number>;
}

/** How much a cue counts one sentence away. */
const NEIGHBOUR = 0.7;
/** Sentences farther apart than this many characters are no neighbours. */
const NEAR = 400;

/** The passages of a reading that have cues, each sentence with cues once. */
export function scorePassages({ reading, sentences, securityShare }: ReadingCues): Passage[] {
  return sentences.map((sentence, at) => {
    const families = new Map<Family, number>();
    const cues: Cue[] = [];
    for (const near of [sentences[at - 1], sentence, sentences[at + 1]]) {
      if (near === undefined || !areNear(near, sentence)) continue;
      for (const cue of near.cues) {
        const weight = cue.weight * (near === sentence ? 1 : NEIGHBOUR) * trust(cue, near, securityShare);
        if (weight > (families.get(cue.family) ?? 0)) families.set(cue.family, weight);
        cues.push(cue);
      }
    }
    let sum = 0;
    for (const weight of families.values()) sum += weight;
    const score = sum * placement(sentence.place, reading, sum) * (securityShare > 2 ? 0.6 : securityShare > 1 ? 0.8 : 1);
    const first = Math.min(sentence.start, ...cues.map(({ start }) => start));
    const last = Math.max(sentence.end, ...cues.map(({ end }) => end));
    return { ...originalSpan(reading, first, last), score, cues, reading, place: sentence.place, families };
  });
}

const areNear = (one: CuedSentence, other: CuedSentence): boolean =>
  Math.abs(one.index - other.index) <= 2 && Math.max(one.start - other.end, other.start - one.end) < NEAR;

/** Words of its own that make a sentence one that quotes. */
const QUOTING = 4;

/** What a quotation in a text about security is worth. */
function trust({ quoted }: Cue, { isSecurityProse, isExample, followsInjectionProse, unquoted }: CuedSentence, securityShare: number): number {
  if (quoted && (isSecurityProse || isExample || securityShare > 1)) return 0.3;
  if (quoted && unquoted >= QUOTING) return 0.6;
  if (followsInjectionProse) return quoted ? 0.4 : 0.6;
  return isSecurityProse && isExample ? 0.5 : 1;
}

function placement(place: Sentence['place'], { origin }: Reading, sum: number): number {
  if (sum < 1) return 1;
  return (place === 'hidden' || place === 'attribute' ? 1.3 : 1) * (origin === 'text' ? 1 : 1.5);
}
