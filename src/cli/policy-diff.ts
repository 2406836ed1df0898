import { SallyportError } from '../core/index.ts';
import { type LoadedPolicy, loadPolicy } from '../gate/index.ts';
import type { Policy } from '../policy/index.ts';
import { readCases } from './case-file.ts';
import { loadForCases } from './case-policies.ts';
import { openCaseRunner } from './case-run.ts';
import { toolsOfCases } from './case-tools.ts';
import { type Change, type Comparison, comparisonJson, isDifferent, renderComparison } from './decision-change.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import { deciderOf, recordedCalls, toolsBeside } from './recorded-calls.ts';
import { type CommonFlags, gateSettings, settingsOf } from './settings.ts';

export interface PolicyDiffFlags extends CommonFlags {
  readonly tools?: string;
  readonly cases?: readonly string[];
  readonly log?: boolean;
}

interface Pair {
  /** Policy file in force. */
  readonly a: string;
  /** Policy file to come. */
  readonly b: string;
}

/** Said with every answer about a log. */
export const AS_IT_IS_NOW: string =
  'Decided on the files as they are now, which may have changed since; names were not looked up, and rates count nothing.';

/** `policy diff A B`: calls whose decision changes. Exits 0 when none does, 1 when one does. */
export async function policyDiff(terminal: Terminal, pair: Pair, flags: PolicyDiffFlags): Promise<number> {
  const { cases = [], log = false } = flags;
  if (cases.length === 0 && !log)
    throw new SallyportError('USAGE', 'name the calls to compare: --cases FILE... or --log');
  const parts = [
    ...(cases.length === 0 ? [] : [await diffCases(pair, cases, flags.tools)]),
    ...(log ? [await diffLog(pair, flags)] : []),
  ];
  return report(terminal, merge(parts), log);
}

function report(terminal: Terminal, comparison: Comparison, isLog: boolean): number {
  answer(terminal, comparisonJson(comparison), safeLines(renderComparison(comparison)));
  if (isLog && !terminal.json) terminal.err(AS_IT_IS_NOW);
  return isDifferent(comparison) ? 1 : 0;
}

const merge = (parts: readonly Comparison[]): Comparison => ({
  compared: parts.reduce((sum, { compared }) => sum + compared, 0),
  left: parts.reduce((sum, { left }) => sum + left, 0),
  changes: parts.flatMap(({ changes }) => changes),
  mode: parts.find(({ mode }) => mode !== null)?.mode ?? null,
});

const modeChange = (before: Policy, after: Policy): Comparison['mode'] =>
  before.mode === after.mode ? null : { before: before.mode, after: after.mode };

async function diffCases({ a, b }: Pair, cases: readonly string[], tools: string | undefined): Promise<Comparison> {
  return compareOverCases({ before: await loadForCases(a), after: await loadForCases(b), cases, tools });
}

/** Two policies as cases see them, and the cases that are decided by both. */
export interface CaseComparison {
  readonly before: Policy;
  readonly after: Policy;
  readonly cases: readonly string[];
  readonly tools: string | undefined;
}

/** Each case under both policies, whichever policy it names. @throws SallyportError CASES_INVALID */
export async function compareOverCases(comparison: CaseComparison): Promise<Comparison> {
  const { before: first, after: second } = comparison;
  const list = readCases(comparison.cases);
  const runner = openCaseRunner(toolsOfCases(comparison.tools));
  const changes: Change[] = [];
  let left = 0;
  try {
    for (const one of list) {
      const [before, after] = [await runner.run(one, first), await runner.run(one, second)];
      if (before.got === 'error' || after.got === 'error') left += 1;
      else if (before.got !== after.got)
        changes.push({
          ...{ id: one.id, tool: one.tool, before: before.got, after: after.got },
          ...{ ruleBefore: before.rule, ruleAfter: after.rule },
        });
    }
  } finally {
    runner.close();
  }
  return { compared: list.length - left, left, changes, mode: modeChange(first, second) };
}

/** Each recorded call under both policies, over the folder that the first one guards. */
async function diffLog({ a, b }: Pair, flags: PolicyDiffFlags): Promise<Comparison> {
  const { state } = settingsOf(flags);
  const before = await loadPolicy({ policy: a });
  const after = await loadPolicy({ policy: b, root: before.root });
  return compareOverLog({ before, after, state, lockBeside: a });
}

/** Two policies, and the log whose calls are decided by both. */
export interface LogComparison {
  readonly before: LoadedPolicy;
  readonly after: LoadedPolicy;
  readonly state: string;
  /** The policy file whose lock says which tools of servers there are. */
  readonly lockBeside: string;
}

/** The recorded calls whose decision differs. @throws SallyportError AUDIT_NOT_FOUND, AUDIT_CORRUPT, AUDIT_INTEGRITY */
export async function compareOverLog({ before, after, state, lockBeside }: LogComparison): Promise<Comparison> {
  const [decideBefore, decideAfter] = [
    deciderOf(before, { state, tools: await toolsBeside(lockBeside, before) }),
    deciderOf(after, { state, tools: await toolsBeside(lockBeside, after) }),
  ];
  const { calls, erased } = await recordedCalls(state);
  const changes: Change[] = [];
  for (const call of calls) {
    const [old, now] = [await decideBefore(call), await decideAfter(call)];
    if (old.effect === now.effect) continue;
    changes.push({
      ...{ id: `#${call.seq}`, tool: call.tool, before: old.effect, after: now.effect },
      ...{ ruleBefore: old.rule, ruleAfter: now.rule },
    });
  }
  return { compared: calls.length, left: erased, changes, mode: modeChange(before.policy, after.policy) };
}

/** `policy replay`: what was decided then against what would be decided now. Exits 0 when nothing differs, 1 when something does. */
export async function policyReplay(terminal: Terminal, flags: CommonFlags): Promise<number> {
  const settings = settingsOf(flags);
  const loaded: LoadedPolicy = await loadPolicy(gateSettings(settings));
  const tools = await toolsBeside(settings.policyFile, loaded);
  const decide = deciderOf(loaded, { state: settings.state, tools });
  const { calls, erased } = await recordedCalls(settings.state);
  const changes: Change[] = [];
  for (const call of calls) {
    const { effect, rule } = await decide(call);
    if (effect === call.decision) continue;
    changes.push({
      ...{ id: `#${call.seq}`, tool: call.tool, before: call.decision, after: effect },
      ...{ ruleBefore: call.rule, ruleAfter: rule },
    });
  }
  return report(terminal, { compared: calls.length, left: erased, changes, mode: null }, true);
}
