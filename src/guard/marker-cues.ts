import type { Cue } from './cue.ts';
import type { WordSet } from './lexicon.ts';
import type { Marker } from './markers.ts';
import type { Family } from './rules.ts';
import type { Sentence } from './sentence.ts';

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

/** What a marker says, alone and together with a command right behind it. */
export function markerCues({ kind, start, end }: Marker, sentence: Sentence, command: WordSet, index: number): Cue[] {
  const [family, weight, why] = MARKERS[kind];
  const cue: Cue = { id: `marker-${kind}`, family, weight, why, start, end, sentence: index, quoted: false };
  if (kind === 'reasoning' || kind === 'data-url' || !isCommandBehind(end, sentence, command)) return [cue];
  const last = Math.max(end, sentence.ends[sentence.words - 1] ?? end);
  // A line "user: …" stands in many a configuration.
  const framed = kind === 'role-line' ? FRAMED.weight - 0.4 : FRAMED.weight;
  return [cue, { ...FRAMED, weight: framed, start, end: last, sentence: index, quoted: false }];
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
