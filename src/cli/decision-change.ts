import type { JsonValue } from '../core/index.ts';
import type { Effect, Policy } from '../policy/index.ts';

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
  /** From one `mode:` to another; `null`: the same. `observe` lets pass what is denied: a widening without any change. */
  readonly mode: { readonly before: Policy['mode']; readonly after: Policy['mode'] } | null;
}

const RANK: Readonly<Record<Effect, number>> = { allow: 0, confirm: 1, deny: 2 };

/** True when the call may do more than before. */
const isWider = ({ before, after }: Change): boolean => RANK[after] < RANK[before];

const widens = ({ changes, mode }: Comparison): boolean => mode?.after === 'observe' || changes.some(isWider);

const narrows = ({ changes, mode }: Comparison): boolean =>
  mode?.after === 'enforce' || changes.some((change) => !isWider(change));

/** Widens: any call is decided more permissively. A change may widen and narrow. */
const directionOf = (comparison: Comparison): string =>
  [widens(comparison) ? 'widens' : '', narrows(comparison) ? 'narrows' : '']
    .filter((word) => word !== '')
    .join(' and ') || 'same';

/** True when a decision or the mode differs. */
export const isDifferent = (comparison: Comparison): boolean => directionOf(comparison) !== 'same';

export const comparisonJson = (comparison: Comparison): JsonValue => ({
  ...{ compared: comparison.compared, left: comparison.left },
  ...{ change: directionOf(comparison), widens: widens(comparison) },
  mode: comparison.mode === null ? null : { ...comparison.mode },
  changes: comparison.changes.map((change) => ({ ...change, change: isWider(change) ? 'widens' : 'narrows' })),
});

/** One line a change, the wider ones first, and what it comes to. Not yet escaped for a terminal. */
export function renderComparison(comparison: Comparison): string {
  const { compared, left, changes, mode } = comparison;
  const ordered = [...changes.filter(isWider), ...changes.filter((change) => !isWider(change))];
  const lines = ordered.map(
    (change) =>
      `${isWider(change) ? 'WIDENS ' : 'narrows'}  ${change.id}  ${change.tool}  ${change.before} → ${change.after}` +
      `  (${change.ruleBefore} → ${change.ruleAfter})`,
  );
  if (mode !== null) lines.unshift(`mode: ${mode.before} → ${mode.after}`);
  const unread = left === 0 ? '' : `; ${left} could not be decided`;
  const direction = isDifferent(comparison) ? `the change ${directionOf(comparison)}` : 'no decision changes';
  return [...lines, `${changes.length} of ${compared} calls change: ${direction}${unread}`].join('\n');
}
