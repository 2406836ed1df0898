import type { JsonObject } from '../core/index.ts';
import type { PolicyEntry } from './policy.ts';
import { addProblem, type PolicyReading, referTo, textsAt } from './reading.ts';

/** Where a rule stands: its id and the pointer to it. */
export interface RulePlace {
  readonly reading: PolicyReading;
  readonly id: string;
  readonly pointer: string;
}

/** The texts of a list with their places; null when the rule has no such key. */
export function readEntries(
  { reading, id, pointer }: RulePlace,
  value: JsonObject,
  key: string,
): readonly PolicyEntry[] | null {
  const texts = textsAt(value, key);
  if (texts === null) return null;
  return Object.freeze(
    texts.map((text, index) =>
      Object.freeze({ text, rule: referTo(reading, `${id}.${key}[${index}]`, `${pointer}/${key}/${index}`, 'value') }),
    ),
  );
}

/** Reports every entry that `trouble` finds something wrong with. */
export function checkEntries(
  { reading, pointer }: RulePlace,
  key: string,
  entries: readonly PolicyEntry[],
  trouble: (text: string) => string | null,
): void {
  for (const [index, { text }] of entries.entries()) {
    const found = trouble(text);
    if (found !== null)
      addProblem(reading, `${pointer}/${key}/${index}`, `this entry cannot be used: ${found}`, 'Mend the entry');
  }
}
