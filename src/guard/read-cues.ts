import type { Cue, CuedSentence, ReadingCues } from './cue.ts';
import type { WordSet } from './lexicon.ts';
import { markerCues } from './marker-cues.ts';
import { findMarkers } from './markers.ts';
import { hasWord, matchRules } from './match.ts';
import type { Reader } from './reader.ts';
import type { Reading } from './reading.ts';
import { QUOTED, type Sentence } from './sentence.ts';
import { splitSentences } from './split.ts';
import { findRegions } from './structure.ts';

/** Sentences for which a mention of attacks on models counts. */
const PROSE = 6;

/** Reads one reading with all rules. Linear. */
export function readCues(reading: Reading, reader: Reader): ReadingCues {
  const { lexicon, book, security, injection, rotated, example, command } = reader;
  const { text } = reading;
  const markers = findMarkers(text);
  const sentences: CuedSentence[] = [];
  let [index, words, rotatedWords, securityWords, nextMarker, lastInjection] = [0, 0, 0, 0, 0, -PROSE];
  splitSentences(text, findRegions(text), lexicon, (sentence) => {
    words += sentence.words;
    const securityCount = countWords(sentence, security);
    securityWords += securityCount;
    rotatedWords += countWords(sentence, rotated);
    const followsInjectionProse = index - lastInjection < PROSE;
    if (securityCount > 0 && hasWord(sentence, injection)) lastInjection = index;
    const start = sentence.starts[0] ?? 0;
    const end = sentence.ends[sentence.words - 1] ?? start;
    const cues: Cue[] = [];
    matchRules(book, sentence, (rule, at, to, quoted) => {
      const { id, family, weight, why } = rule;
      cues.push({ id, family, weight, why, start: at, end: to, sentence: index, quoted });
    });
    for (let marker = markers[nextMarker]; marker !== undefined && marker.start < end; marker = markers[++nextMarker]) {
      cues.push(...markerCues(marker, sentence, command, index));
    }
    if (cues.length > 0) {
      const isExample = hasWord(sentence, example);
      const { place } = sentence;
      const unquoted = countUnquoted(sentence);
      sentences.push({
        index,
        start,
        end,
        place,
        cues,
        isSecurityProse: securityCount > 0,
        isExample,
        followsInjectionProse,
        unquoted,
      });
    }
    index += 1;
  });
  return { reading, sentences, words, rotatedWords, securityShare: words === 0 ? 0 : (securityWords * 100) / words };
}

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
