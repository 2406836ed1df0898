import type { JsonValue } from '../core/index.ts';
import type { Effect } from '../policy/index.ts';

/** A call whose decision differs. */
export interface Change {
  readonly id: string;
  readonly tool: string;
  readonly before: Effect;
  readonly after: Effect;
  readonly ruleBefore: string;
  readonly ruleAfter: string;
}

/** What changes, over which calls. */
export interface Comparison {
  /** Calls that were decided twice. */
  readonly compared: number;
  /** Calls that could not be: their arguments were erased, or their case cannot be run. */
  readonly left: number;
  readonly changes: readonly Change[];
}

const RANK: Readonly<Record<Effect, number>> = { allow: 0, confirm: 1, deny: 2 };

/** True when the call may do more than before. */
export const isWider = ({ before, after }: Change): boolean => RANK[after] < RANK[before];

/** Widens: any call is decided more permissively; a change may widen and narrow. */
const directionOf = (changes: readonly Change[]): string => {
  if (changes.length === 0) return 'same';
  if (!changes.some(isWider)) return 'narrows';
  return changes.every(isWider) ? 'widens' : 'widens and narrows';
};

export const comparisonJson = ({ compared, left, changes }: Comparison): JsonValue => ({
  ...{ compared, left, change: directionOf(changes), widens: changes.some(isWider) },
  changes: changes.map((change) => ({ ...change, change: isWider(change) ? 'widens' : 'narrows' })),
});

/** One line a change, the wider ones first, and what it comes to. Not yet escaped for a terminal. */
export function renderComparison({ compared, left, changes }: Comparison): string {
  const ordered = [...changes.filter(isWider), ...changes.filter((change) => !isWider(change))];
  const lines = ordered.map(
    (change) =>
      `${isWider(change) ? 'WIDENS ' : 'narrows'}  ${change.id}  ${change.tool}  ${change.before} → ${change.after}` +
      `  (${change.ruleBefore} → ${change.ruleAfter})`,
  );
  const unread = left === 0 ? '' : `; ${left} could not be decided`;
  const direction = changes.length === 0 ? 'no decision changes' : `the change ${directionOf(changes)}`;
  return [...lines, `${changes.length} of ${compared} calls change: ${direction}${unread}`].join('\n');
}
