import { type JsonValue, SallyportError } from '../core/index.ts';
import { readCases } from './case-file.ts';
import { policiesAt } from './case-policies.ts';
import { openCaseRunner } from './case-run.ts';
import { type Judged, renderScore, scoreOf } from './case-score.ts';
import { toolsOfCases } from './case-tools.ts';
import { answer, safeLines, type Terminal } from './output.ts';

export interface PolicyTestFlags {
  readonly policies: string;
  readonly tools?: string;
  readonly cases: readonly string[];
  readonly json?: boolean;
}

/** `policy test`: runs labelled cases. Exits 1 when anything is wrong, 2 when policies, tools or cases cannot be used. */
export async function policyTest(terminal: Terminal, flags: PolicyTestFlags): Promise<number> {
  const judged = await judgeCases(flags);
  const score = scoreOf(judged);
  answer(terminal, JSON.parse(JSON.stringify(score)) as JsonValue, safeLines(renderScore(score, judged)));
  return score.correct === score.total ? 0 : 1;
}

/**
 * Runs the cases of some files, each under its policy. Nothing is executed, recorded or connected to.
 * @throws SallyportError CASES_INVALID, POLICY_UNREADABLE, POLICY_INVALID
 */
export async function judgeCases({
  policies,
  tools,
  cases,
}: Omit<PolicyTestFlags, 'json'>): Promise<readonly Judged[]> {
  if (cases.length === 0) throw new SallyportError('USAGE', 'name files of cases: --cases FILE...');
  const list = readCases(cases);
  const findPolicy = policiesAt(policies);
  const runner = openCaseRunner(toolsOfCases(tools));
  try {
    const judged: Judged[] = [];
    for (const one of list) judged.push([one, await runner.run(one, await findPolicy(one))]);
    return judged;
  } finally {
    runner.close();
  }
}
