import { hashStart, hashStep, type Lexicon, type WordSet } from './lexicon.ts';
import {
  BEGINS,
  createSentence,
  IDENTIFIER,
  nextSentence,
  type Place,
  QUOTED,
  SENTENCE_WORDS,
  type Sentence,
  SINK,
} from './sentence.ts';
import type { Region } from './structure.ts';

/** Takes a sentence; it is reused after the call. */
export type VisitSentence = (sentence: Sentence) => void;

/** Longest word of a script without spaces. */
const UNSPACED_LENGTH = 8;
/** Characters of a word that are looked at: no listed word is longer. */
const WORD_LENGTH = 32;

const isLower = (code: number): boolean => code >= 97 && code <= 122;
const isUpper = (code: number): boolean => code >= 65 && code <= 90;
const isDigit = (code: number): boolean => code >= 48 && code <= 57;

/** Letters of scripts that set no spaces between words, and Hangul, whose particles cling to the word. */
const isUnspaced = (code: number): boolean =>
  (code >= 0x3040 && code <= 0x30ff) ||
  (code >= 0x3400 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xe00 && code <= 0xe7f);

/** 0 none, 1 word character, 2 unspaced letter. */
function kindOf(code: number): number {
  if (code < 0x80) return isLower(code | 32) || isDigit(code) ? 1 : 0;
  if (code < 0x2000) return code < 0xc0 ? 0 : code === 0xd7 || code === 0xf7 ? 0 : isUnspaced(code) ? 2 : 1;
  if (code < 0x2c00) return 0;
  if (code >= 0x3000 && code <= 0x303f) return 0;
  return isUnspaced(code) ? 2 : code >= 0xd800 && code <= 0xdfff ? 0 : code >= 0xff00 && code <= 0xff0f ? 0 : 1;
}

interface State {
  readonly text: string;
  readonly lexicon: Lexicon;
  readonly visit: VisitSentence;
  readonly sentence: Sentence;
  /** Words behind which a command may begin. */
  readonly lead: WordSet;
  /** Flags of the next word. */
  begins: boolean;
  /** First word inside an open quotation, -1 when none is open. */
  quote: number;
}

/**
 * Reads the text of a reading sentence by sentence. `regions` (sorted, not overlapping) tell which parts stand apart from the
 * text around them. Linear in the text.
 */
export function splitSentences(text: string, regions: readonly Region[], lexicon: Lexicon, visit: VisitSentence): void {
  const state: State = {
    text,
    lexicon,
    visit,
    sentence: createSentence(),
    lead: lexicon.words('LEAD|PLEASE|MUST|NOW'),
    begins: true,
    quote: -1,
  };
  let at = 0;
  for (const { start, end, place, breaks } of regions) {
    readPart(state, at, start, 'visible');
    if (breaks) endSentence(state);
    if (place !== 'skipped') readPart(state, start, end, place);
    at = end;
  }
  readPart(state, at, text.length, 'visible');
  endSentence(state);
}

function endSentence(state: State): void {
  const { sentence } = state;
  if (sentence.words > 0) {
    state.visit(sentence);
    nextSentence(sentence, false);
  }
  state.begins = true;
  state.quote = -1;
}

function readPart(state: State, from: number, to: number, place: Place): void {
  if (from >= to) return;
  const { text, sentence } = state;
  if (place !== sentence.place) {
    endSentence(state);
    sentence.place = place;
  }
  for (let at = from; at < to; ) {
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    if (kind === 1) at = readWord(state, at, to);
    else if (kind === 2) at = readUnspaced(state, at, to);
    else {
      if (code !== 32) readMark(state, at, code);
      at += 1;
    }
  }
}

function readWord(state: State, from: number, to: number): number {
  const { text, lexicon } = state;
  const { folding } = lexicon;
  let hash = hashStart;
  let other = hashStart;
  let isWide = false;
  let hasLower = false;
  let isIdentifier = false;
  let at = from;
  for (; at < to; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) {
      if (isLower(code)) hasLower = true;
      else if (isUpper(code)) {
        if (hasLower) isIdentifier = true;
      } else if (code === 0x27 && at + 1 < to && kindOf(text.charCodeAt(at + 1)) === 1) continue;
      else if (code === 0x2a && at > from && isWordAfterStars(text, at, to)) continue;
      else if (!isDigit(code)) break;
      const folded = isUpper(code) ? code | 32 : code;
      hash = hashStep(hash, folded);
      other = hashStep(other, folded);
      continue;
    }
    if (code === 0x2019 && at + 1 < to && kindOf(text.charCodeAt(at + 1)) === 1) continue;
    const plain = folding.plain(code);
    if (plain !== 0 && kindOf(code) !== 1) break;
    isWide = true;
    if (plain !== 0) hash = hashStep(hash, plain);
    const alike = folding.lookalike(code);
    if (alike !== 0) other = hashStep(other, alike);
  }
  const entry = at - from > WORD_LENGTH * 2 ? 0 : lexicon.find(hash) || (isWide ? lexicon.find(other) : 0);
  const isSnake = text.charCodeAt(at) === 0x5f || text.charCodeAt(from - 1) === 0x5f;
  addWord(state, entry, from, at, isIdentifier || isSnake ? IDENTIFIER : 0);
  return at;
}

/** Emphasis of Markdown inside a word does not end it. */
const isWordAfterStars = (text: string, at: number, to: number): boolean => {
  const next = text.charCodeAt(at + 1) === 0x2a ? at + 2 : at + 1;
  return next < to && isLower(text.charCodeAt(next) | 32);
};

/** The longest listed word that begins at `from`; one character without classes if there is none. */
function readUnspaced(state: State, from: number, to: number): number {
  const { text, lexicon } = state;
  let hash = hashStart;
  let [entry, end] = [0, from + 1];
  for (let at = from; at < Math.min(to, from + UNSPACED_LENGTH); at++) {
    const code = text.charCodeAt(at);
    if (kindOf(code) !== 2) break;
    hash = hashStep(hash, lexicon.folding.plain(code));
    const found = lexicon.find(hash);
    if (found !== 0) [entry, end] = [found, at + 1];
  }
  if (entry !== 0) addWord(state, entry, from, end, BEGINS);
  return end;
}

function addWord(state: State, entry: number, from: number, to: number, flags: number): void {
  const { sentence, lead } = state;
  if (sentence.words === SENTENCE_WORDS) {
    state.visit(sentence);
    nextSentence(sentence, true);
    state.quote = -1;
  }
  const word = sentence.words;
  sentence.entries[word] = entry;
  sentence.starts[word] = from;
  sentence.ends[word] = to;
  sentence.flags[word] = flags | (state.begins ? BEGINS : 0);
  sentence.words += 1;
  state.begins = lead[entry] === 1;
}

/** Anything that is no word: it may end a sentence, open or close a quotation, or let a command begin. */
function readMark(state: State, at: number, code: number): void {
  const { text } = state;
  switch (code) {
    case 0x2e:
    case 0x21:
    case 0x3f: {
      const next = text.charCodeAt(at + 1);
      const ends =
        next <= 32 ||
        Number.isNaN(next) ||
        next === 0x22 ||
        next === 0x27 ||
        next === 0x29 ||
        next === 0x5c ||
        next === 0x3c ||
        next === 0x7c ||
        next === 0x201d;
      if (ends && (next === 0x22 || next === 0x201d || next === 0x27)) closeQuote(state);
      // One or two words and a stop are no sentence: "Dr.", and commands taken apart.
      if (ends && (state.sentence.words > 2 || code !== 0x2e)) endSentence(state);
      state.begins = true;
      return;
    }
    case 0x0a:
    case 0x0c:
    case 0x0d:
      readLineEnd(state, at);
      return;
    case 0x3002:
    case 0xff01:
    case 0xff1f:
    case 0x7c:
      endSentence(state);
      return;
    case 0x22:
    case 0x27:
      if (isLeafEdge(text, at)) endSentence(state);
      else toggleQuote(state);
      return;
    case 0x60:
      toggleQuote(state);
      return;
    case 0x201c:
    case 0xab:
    case 0x2018:
    case 0x300c:
      state.quote = state.sentence.words;
      break;
    case 0x201d:
    case 0xbb:
    case 0x300d:
      closeQuote(state);
      break;
    case 0x40:
      if (isAddress(text, at)) markSink(state);
      return;
    case 0x3a:
      if (text.charCodeAt(at + 1) === 0x2f && text.charCodeAt(at + 2) === 0x2f) markSink(state);
      break;
    case 0x5f:
      return;
  }
  state.begins = true;
}

/** Longest name of a host that is looked at. */
const HOST_LENGTH = 64;

/** Whether the `@` at `at` stands in an e-mail address: a dot and a letter follow. */
function isAddress(text: string, at: number): boolean {
  for (let next = at + 1; next < at + HOST_LENGTH; next++) {
    const code = text.charCodeAt(next);
    if (code === 0x2e) return next > at + 1 && isLower(text.charCodeAt(next + 1) | 32);
    if (code !== 0x2d && kindOf(code) !== 1) return false;
  }
  return false;
}

/** The word before is part of an address. */
function markSink({ sentence }: State): void {
  const word = sentence.words - 1;
  if (word >= 0) sentence.flags[word] = (sentence.flags[word] ?? 0) | SINK;
}

function toggleQuote(state: State): void {
  state.begins = true;
  if (state.quote === -1) state.quote = state.sentence.words;
  else closeQuote(state);
}

function closeQuote(state: State): void {
  const { sentence } = state;
  for (let word = Math.max(0, state.quote); state.quote !== -1 && word < sentence.words; word++) {
    sentence.flags[word] = (sentence.flags[word] ?? 0) | QUOTED;
  }
  state.quote = -1;
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 9 || code === 13;

/** A quotation mark that opens or closes a leaf of JSON, of a Python value or of an attribute: it quotes nobody. */
function isLeafEdge(text: string, at: number): boolean {
  let next = at + 1;
  while (next < at + 4 && isSpace(text.charCodeAt(next))) next += 1;
  const after = text.charCodeAt(next);
  if (after === 0x7d || after === 0x5d || (after === 0x3a && text.charCodeAt(at - 1) !== 32)) return true;
  if (after === 0x2c && isQuoteMark(text.charCodeAt(skipSpaces(text, next + 1)))) return true;
  // A cell of a table in CSV.
  if (text.charCodeAt(at - 1) === 0x2c || text.charCodeAt(at - 1) === 0x3b) return true;
  let previous = at - 1;
  while (previous > at - 4 && isSpace(text.charCodeAt(previous))) previous -= 1;
  const before = text.charCodeAt(previous);
  return (
    before === 0x7b ||
    before === 0x5b ||
    before === 0x3d ||
    (before === 0x3a && isQuoteMark(text.charCodeAt(previous - 1)))
  );
}

const isQuoteMark = (code: number): boolean => code === 0x22 || code === 0x27;

function skipSpaces(text: string, from: number): number {
  let at = from;
  while (at < from + 4 && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

/** A line ends the sentence when it is blank, or when the next one begins like a list, a table, a heading, code. */
function readLineEnd(state: State, at: number): void {
  const { text } = state;
  let next = at + 1;
  while (next < at + 64 && (text.charCodeAt(next) === 32 || text.charCodeAt(next) === 9)) next += 1;
  const code = text.charCodeAt(next);
  const isProse = kindOf(code) !== 0 && !isDigit(code);
  if (!isProse) endSentence(state);
  state.begins = true;
}
