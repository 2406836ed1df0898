import { isSallyportError, type JsonObject } from '../core/index.ts';
import type { LoadedPolicy } from '../gate/index.ts';
import { policyForCases } from '../policy/index.ts';
import { type Comparison, comparisonJson, renderComparison } from './decision-change.ts';
import { safeLines, type Terminal } from './output.ts';
import { AS_IT_IS_NOW, compareOverCases, compareOverLog } from './policy-diff.ts';
import type { Settings } from './settings.ts';

export interface CasesFlags {
  /** Files of labelled calls. */
  readonly cases?: readonly string[];
  /** File with definitions of the tools that the cases name. */
  readonly tools?: string;
}

/** A policy that was approved, and the one that is to be. */
interface PolicyPair {
  readonly before: LoadedPolicy;
  readonly after: LoadedPolicy;
}

/**
 * What a change of a policy does to calls: those of the log, and those of cases. Shown on standard error, the wider ones first.
 * @throws SallyportError CASES_INVALID
 */
export async function behaviouralDifferences(
  terminal: Terminal,
  pair: PolicyPair,
  { settings, flags }: { readonly settings: Settings; readonly flags: CasesFlags },
): Promise<JsonObject> {
  const log = await overLog(terminal, pair, settings);
  const cases = await overCases(pair, flags);
  if (log !== null && log.compared > 0) say(terminal, 'Recorded calls', log, AS_IT_IS_NOW);
  if (cases !== null) say(terminal, 'Cases', cases, 'Nothing of them was executed.');
  return {
    log: log === null ? null : comparisonJson(log),
    cases: cases === null ? null : comparisonJson(cases),
  };
}

const say = (terminal: Terminal, title: string, comparison: Comparison, note: string): void =>
  terminal.err(safeLines(`${title}:\n${renderComparison(comparison)}\n${note}`));

/** A log that is not there, or cannot be read, has no calls to show. */
async function overLog(
  terminal: Terminal,
  { before, after }: PolicyPair,
  { state, policyFile }: Settings,
): Promise<Comparison | null> {
  if ((process.env['SALLYPORT_KEEPER'] ?? '') !== '') {
    terminal.err('The calls that this keeper recorded cannot be read from here: none of them is shown.');
    return null;
  }
  try {
    return await compareOverLog({ before, after, state, lockBeside: policyFile });
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    if (error.code !== 'AUDIT_NOT_FOUND') terminal.err(safeLines(`warning: the log cannot be read: ${error.message}`));
    return null;
  }
}

async function overCases({ before, after }: PolicyPair, { cases = [], tools }: CasesFlags): Promise<Comparison | null> {
  if (cases.length === 0) return null;
  const [first, second] = [policyForCases(before.policy), policyForCases(after.policy)];
  return compareOverCases({ before: first, after: second, cases, tools });
}
