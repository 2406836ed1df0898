import type { Rule, RuleBook, Step } from './rules.ts';
import { BEGINS, QUOTED, type Sentence } from './sentence.ts';

/** Takes a rule that matched, with the offsets in the reading, and whether it stands in a quotation. */
export type TakeMatch = (rule: Rule, start: number, end: number, quoted: boolean) => void;

/** Finds the rules that match in a sentence, each once. A rule is tried from a word and looks a bounded number of words ahead. */
export function matchRules({ byEntry }: RuleBook, sentence: Sentence, take: TakeMatch): void {
  const { entries, flags, starts, ends, words } = sentence;
  let matched: Set<number> | null = null;
  for (let first = 0; first < words; first++) {
    const entry = entries[first] ?? 0;
    if (entry === 0) continue;
    const begins = ((flags[first] ?? 0) & BEGINS) !== 0;
    for (const rule of byEntry[entry] ?? []) {
      if ((rule.head.begins && !begins) || matched?.has(rule.index)) continue;
      const last = matchTail(rule.tail, sentence, first);
      if (last === -1 || (rule.unless !== null && hasWord(sentence, rule.unless))) continue;
      matched ??= new Set();
      matched.add(rule.index);
      const quoted = ((flags[first] ?? 0) & (flags[last] ?? 0) & QUOTED) !== 0;
      take(rule, starts[first] ?? 0, ends[last] ?? 0, quoted);
    }
  }
}

/** Each step takes the nearest word that fits: no going back, so a rule costs the sum of its gaps at most. */
function matchTail(tail: readonly Step[], sentence: Sentence, first: number): number {
  let last = first;
  for (const step of tail) {
    let at = last + 1;
    const limit = Math.min(sentence.words - 1, last + step.gap);
    while (at <= limit && !fits(step, sentence, at)) at += 1;
    if (at > limit) return -1;
    last = at;
  }
  return last;
}

function fits({ words, shapes, begins }: Step, { entries, flags }: Sentence, word: number): boolean {
  const flag = flags[word] ?? 0;
  return (words[entries[word] ?? 0] === 1 || (flag & shapes) !== 0) && (!begins || (flag & BEGINS) !== 0);
}

/** Whether a sentence has a word of a set. */
export function hasWord({ entries, words }: Sentence, set: Uint8Array): boolean {
  for (let word = 0; word < words; word++) if (set[entries[word] ?? 0] === 1) return true;
  return false;
}
