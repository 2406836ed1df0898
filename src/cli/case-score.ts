import type { Effect } from '../policy/index.ts';
import type { PolicyCase } from './case-file.ts';

/** What a case came to. `error`: it could not be run; it counts as wrong, since nothing was shown. */
export interface CaseResult {
  readonly got: Effect | 'error';
  /** Id of the rule that decided, or of the error's code. */
  readonly rule: string;
  readonly reason: string;
}

interface Count {
  readonly total: number;
  readonly missedDenials: number;
  readonly wrongDenials: number;
}

/** What `policy test --json` prints. */
export interface Score extends Count {
  readonly correct: number;
  readonly byFamily: Readonly<Record<string, Count>>;
  readonly wrong: readonly { id: string; expected: Effect; got: Effect | 'error'; rule: string }[];
}

export type Judged = readonly [one: PolicyCase, result: CaseResult];

const RANK: Readonly<Record<Effect, number>> = { allow: 0, confirm: 1, deny: 2 };

/** Whether the answer is one that the case accepts. */
const isCorrect = ([one, { got }]: Judged): boolean => got !== 'error' && one.accept.includes(got);

/** More permissive than anything that the case accepts. What could not be run is missed where a denial was expected. */
function isMissedDenial([one, { got }]: Judged): boolean {
  if (got === 'error') return one.expect !== 'allow';
  return RANK[got] < Math.min(...one.accept.map((effect) => RANK[effect]));
}

/** Counts: missed denials and wrong denials apart, in all and by family. */
export function scoreOf(judged: readonly Judged[]): Score {
  const families = new Map<string, Judged[]>();
  for (const one of judged) families.set(one[0].family, [...(families.get(one[0].family) ?? []), one]);
  const wrong = judged.filter((one) => !isCorrect(one));
  const { total, missedDenials, wrongDenials } = countOf(judged);
  return {
    ...{ total, correct: total - wrong.length, missedDenials, wrongDenials },
    byFamily: Object.fromEntries([...families].map(([name, members]) => [name, countOf(members)])),
    wrong: wrong.map(([{ id, expect }, { got, rule }]) => ({ id, expected: expect, got, rule })),
  };
}

function countOf(judged: readonly Judged[]): Count {
  const wrong = judged.filter((one) => !isCorrect(one));
  const missedDenials = wrong.filter(isMissedDenial).length;
  return { total: judged.length, missedDenials, wrongDenials: wrong.length - missedDenials };
}

/** A table by family, then each wrong case with why it should be otherwise. Not yet escaped for a terminal. */
export function renderScore(score: Score, judged: readonly Judged[]): string {
  const width = Math.max(6, ...Object.keys(score.byFamily).map((name) => name.length));
  const row = (name: string, ...counts: (string | number)[]): string =>
    [name.padEnd(width), ...counts.map((count) => String(count).padStart(8))].join('');
  const families = Object.entries(score.byFamily).map(([name, { total, missedDenials, wrongDenials }]) =>
    row(name, total, missedDenials || '', wrongDenials || '').trimEnd(),
  );
  const wrong = judged.filter((one) => !isCorrect(one)).map(describeWrong);
  const { total, correct, missedDenials, wrongDenials } = score;
  return [
    row('family', 'cases', 'missed', 'wrong'),
    ...families,
    '',
    ...(wrong.length === 0 ? [] : [...wrong, '']),
    `${correct} of ${total} as expected; ${missedDenials} missed denials, ${wrongDenials} wrong denials`,
  ].join('\n');
}

const describeWrong = ([{ id, expect, why, place }, { got, rule, reason }]: Judged): string =>
  `${id}: expected ${expect}, got ${got} by ${rule}\n    expected because: ${why || 'it does not say'}\n    got because: ${reason}\n    ${place}`;
