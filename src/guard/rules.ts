import type { Lexicon, WordSet } from './lexicon.ts';
import { RULE_TABLE } from './rule-table.ts';
import { IDENTIFIER, SINK } from './sentence.ts';

/** What rules look for. */
const FAMILIES = [
  'override',
  'new-task',
  'address',
  'role',
  'priority',
  'secrecy',
  'consent',
  'exfiltrate',
  'reveal',
  'tool',
  'hijack',
  'output',
  'memory',
  'persona',
  'authority',
  'stage',
  'demand',
  'urgency',
  'action',
  'framed',
] as const;

/** What a rule looks for: findings of one family add up once. */
export type Family = (typeof FAMILIES)[number];

/** One step of a compiled rule. */
export interface Step {
  /** How many words behind the step before it is looked for. */
  readonly gap: number;
  /** A command must be able to begin with it. */
  readonly begins: boolean;
  readonly words: WordSet;
  /** Flags that fit as well as the words. */
  readonly shapes: number;
}

/** A rule as the matcher takes it. */
export interface Rule {
  readonly index: number;
  readonly id: string;
  readonly family: Family;
  readonly weight: number;
  readonly why: string;
  readonly head: Step;
  readonly tail: readonly Step[];
  readonly unless: WordSet | null;
}

/** All rules, and by entry of the lexicon those that may begin with the word. */
export interface RuleBook {
  readonly rules: readonly Rule[];
  readonly byEntry: readonly (readonly Rule[])[];
}

/** The rules over the words of a lexicon. */
export function compileRules(lexicon: Lexicon): RuleBook {
  const rows = RULE_TABLE.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const rules = rows.map((row, index) => compileRule(lexicon, row, index));
  const byEntry = Array.from({ length: lexicon.size }, (_, entry) =>
    entry === 0 ? [] : rules.filter(({ head }) => head.words[entry] === 1),
  );
  return { rules, byEntry };
}

function compileRule(lexicon: Lexicon, row: string, index: number): Rule {
  const [id = '', name = '', weight = '', steps = '', why = '', unless] = row.split(' ; ');
  const family = FAMILIES.find((each) => each === name);
  const [head, ...tail] = steps.split(' ').map((step) => compileStep(lexicon, step));
  if (family === undefined || head === undefined) throw new RangeError(`the rule ${id} has no family or no steps`);
  const never = unless === undefined ? null : lexicon.words(unless);
  return { index, id, family, weight: Number(weight), why, head, tail, unless: never };
}

const SHAPES: ReadonlyMap<string, number> = new Map([
  ['SINK', SINK],
  ['IDENTIFIER', IDENTIFIER],
]);

function compileStep(lexicon: Lexicon, text: string): Step {
  const begins = text.startsWith('^');
  const [first = '', second] = (begins ? text.slice(1) : text).split(':');
  const [gap, names] = second === undefined ? [1, first] : [Number(first), second];
  const classes = names.split('|').filter((name) => !SHAPES.has(name));
  const shapes = names.split('|').reduce((sum, name) => sum | (SHAPES.get(name) ?? 0), 0);
  const words = classes.length === 0 ? new Uint8Array(lexicon.size) : lexicon.words(classes.join('|'));
  return { gap, begins, words, shapes };
}
