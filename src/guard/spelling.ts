import { hashStart, hashStep, type Lexicon } from './lexicon.ts';
import { type Reading, readingWriter } from './reading.ts';

/** Digits and signs that stand for letters. */
const LEET: ReadonlyMap<number, number> = new Map(
  Object.entries({ 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', 8: 'b', '@': 'a', $: 's' }).map(
    ([from, to]) => [from.charCodeAt(0), to.charCodeAt(0)] as const,
  ),
);

/** Words spelled with digits that must be known words before a text counts as spelled so. */
const LEET_WORDS = 3;

/** The text with digits read as letters, if some of its words only make sense that way; else null. Linear. */
export function readLeet(reading: Reading, lexicon: Lexicon): Reading | null {
  const text = reading.text.replace(/[013457@$8]/g, (sign) => String.fromCharCode(LEET.get(sign.charCodeAt(0)) ?? 32));
  let known = 0;
  for (const { index, 0: word } of reading.text.matchAll(/[A-Za-z0-9@$]{4,16}/g)) {
    if (!/[013457@$]/.test(word) || !/[A-Za-z]/.test(word)) continue;
    const read = text.slice(index, index + word.length).toLowerCase();
    if (lexicon.find(hashOf(read)) !== 0) known += 1;
    else if (word.includes('1') && lexicon.find(hashOf(read.replaceAll('i', 'l'))) !== 0) known += 1;
  }
  return known < LEET_WORDS
    ? null
    : { ...reading, text: leetWords(reading.text, lexicon), origin: 'leet', depth: reading.depth + 1 };
}

/** Each word in the reading that the lexicon knows; 1 stands for i or l. */
const leetWords = (text: string, lexicon: Lexicon): string =>
  text.replace(/[A-Za-z0-9@$]{2,16}/g, (word) => {
    if (!/[013457@$8]/.test(word)) return word;
    const read = word
      .replace(/[013457@$8]/g, (sign) => String.fromCharCode(LEET.get(sign.charCodeAt(0)) ?? 32))
      .toLowerCase();
    if (!word.includes('1') || lexicon.find(hashOf(read)) !== 0) return read;
    const other = word
      .toLowerCase()
      .replaceAll('1', 'l')
      .replace(/[03457@$8]/g, (sign) => String.fromCharCode(LEET.get(sign.charCodeAt(0)) ?? 32));
    return lexicon.find(hashOf(other)) !== 0 ? other : read;
  });

function hashOf(word: string): number {
  let hash = hashStart;
  for (let at = 0; at < word.length; at++) hash = hashStep(hash, word.charCodeAt(at));
  return hash;
}

/** Letters set apart by one space, dot, dash or underscore each, at least ten of them. */
const SPACED = /(?:[^\s.\-_*|][ .\-_*|]{1,3}){9,}[^\s.\-_*|](?![^\s.\-_*|])/g;

/** The text with letters drawn together that were set apart; two spaces part words. Null if there are none. */
export function readSpaced(reading: Reading): Reading | null {
  const { text, offsets } = reading;
  const writer = readingWriter(text.length);
  let any = false;
  let last = 0;
  const put = (code: number, at: number): void => writer.put(code, offsets === null ? at : (offsets[at] ?? 0));
  for (const { index, 0: run } of text.matchAll(SPACED)) {
    any = true;
    if (last > 0) put(10, last);
    for (let at = index; at < index + run.length; at++) {
      const code = text.charCodeAt(at);
      if (!isSeparator(code)) put(code, at);
      else if (isSeparator(text.charCodeAt(at + 1)) && !isSeparator(text.charCodeAt(at - 1))) put(32, at);
    }
    last = index + run.length;
  }
  if (!any) return null;
  const end = offsets === null ? last : (offsets[last] ?? 0);
  return { ...reading, ...writer.finish(end), origin: 'spaced', depth: reading.depth + 1 };
}

const isSeparator = (code: number): boolean =>
  code === 32 || code === 0x2e || code === 0x2d || code === 0x5f || code === 0x2a || code === 0x7c;

/** The text rotated by thirteen letters. */
export const readRot13 = (reading: Reading): Reading => ({
  ...reading,
  text: reading.text.replace(/[A-Za-z]/g, (letter) => {
    const code = letter.charCodeAt(0);
    const base = code < 97 ? 65 : 97;
    return String.fromCharCode(base + ((code - base + 13) % 26));
  }),
  origin: 'rot13',
  depth: reading.depth + 1,
});
