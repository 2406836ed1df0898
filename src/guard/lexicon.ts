import { createFolding, type Folding } from './fold.ts';
import { ENGLISH } from './words.ts';
import { LANGUAGES } from './words-languages.ts';

/** Membership by entry of the lexicon: 1 where the word has one of the classes asked for. */
export type WordSet = Uint8Array;

/** What the guard knows about words: their classes, by an open hash table over the folded characters. */
export interface Lexicon {
  readonly folding: Folding;
  /** Number of the entry whose word has this hash, 0 for none. */
  find(hash: number): number;
  /** Entries and one more: 0 stands for a word that is not listed. */
  readonly size: number;
  /** The words of the classes named, joined with `|`. @throws RangeError for a class that nobody has */
  words(names: string): WordSet;
}

const FNV_PRIME = 0x01000193;

/** The first value of a word's hash (FNV-1a, 32 bits). */
export const hashStart: number = 0x811c9dc5 | 0;

/** The hash with one more folded code unit. */
export const hashStep = (hash: number, code: number): number => Math.imul(hash ^ code, FNV_PRIME);

/** Builds the lexicon from the word lists; some milliseconds, once. */
export function createLexicon(): Lexicon {
  const folding = createFolding();
  const entries = new Map<number, number>();
  const classes = new Map<string, number[]>();
  for (const list of [ENGLISH, LANGUAGES]) {
    for (const [name, words] of Object.entries(list)) {
      const members = classes.get(name) ?? [];
      classes.set(name, members);
      for (const word of words.split(/\s+/)) members.push(entryOf(entries, hashWord(folding, word)));
    }
  }
  const size = entries.size + 1;
  return { folding, find: tableOf(entries), size, words: (names) => wordSet(classes, names, size) };
}

function entryOf(entries: Map<number, number>, hash: number): number {
  const entry = entries.get(hash) ?? entries.size + 1;
  entries.set(hash, entry);
  return entry;
}

function hashWord(folding: Folding, word: string): number {
  let hash = hashStart;
  for (let at = 0; at < word.length; at++) {
    const code = word.charCodeAt(at);
    if (code === 0x27 || code === 0x2d || code === 0x5f) continue;
    const folded = folding.plain(code);
    if (folded !== 0) hash = hashStep(hash, folded);
  }
  return hash;
}

function wordSet(classes: ReadonlyMap<string, readonly number[]>, names: string, size: number): WordSet {
  const set = new Uint8Array(size);
  for (const name of names.split('|')) {
    const members = classes.get(name);
    if (members === undefined) throw new RangeError(`no word class ${name}`);
    for (const entry of members) set[entry] = 1;
  }
  return set;
}

/** Places of the hash table: a power of two, several times as many as there are words. */
const TABLE = 16_384;

// A word is known by its hash alone: 32 bits over a few thousand words. Who searches a word that collides finds one that makes
// the guard more suspicious, or one without meaning: never one that hides a listed word.
function tableOf(entries: ReadonlyMap<number, number>): Lexicon['find'] {
  const hashes = new Int32Array(TABLE);
  const numbers = new Int32Array(TABLE);
  for (const [hash, entry] of entries) {
    let place = hash & (TABLE - 1);
    while (numbers[place] !== 0) place = (place + 1) & (TABLE - 1);
    hashes[place] = hash;
    numbers[place] = entry;
  }
  return (hash) => {
    for (let place = hash & (TABLE - 1); ; place = (place + 1) & (TABLE - 1)) {
      const entry = numbers[place] ?? 0;
      if (entry === 0 || hashes[place] === hash) return entry;
    }
  };
}
