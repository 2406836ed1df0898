import { quoteForMessage, remedyOf } from '../core/index.ts';
import type { CompiledPolicy, CompiledTool } from './compiled.ts';
import { evaluateCondition } from './condition.ts';
import { judgeCredentials } from './credential-literals.ts';
import type { RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { deny, type Finding, stronger, type Trace, traced } from './finding.ts';
import { costOf } from './limits.ts';
import { decideRate } from './rate-limit.ts';

/** `requireSecretManager`: no credential stands in the arguments. */
export function judgeSecrets(
  { rule }: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  const at = rule.requireSecretManager;
  if (at === null) return null;
  const found = judgeCredentials(facts.arguments);
  const finding = found === null ? null : { ...found, rule: at };
  return traced(trace, 'credentials', quoteForMessage(facts.tool), finding, 'no argument looks like a credential');
}

/** `requiresConfirmation: always` and `when`; what restricts holds also where it cannot be told. */
export function judgeConfirmation(
  { rule: { confirmation } }: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  const { always, suspicious, when } = confirmation;
  const subject = quoteForMessage(facts.tool);
  if (always !== null)
    return traced(trace, 'confirmation', subject, ask(always, `${always.id} asks for every call`), '');
  const doubt = suspicious === null ? null : judgeSuspicion(suspicious, facts, trace);
  if (when === null || doubt !== null) return doubt;
  const { tool, runs, uncertain } = facts;
  const isolation = facts.isolation?.achieved ?? '';
  const known = { tool, runs, uncertain, ...(isolation === '' ? {} : { isolation }) };
  const input = { arguments: facts.arguments, principal: { ...facts.principal }, facts: known };
  const truth = evaluateCondition(when.condition, input);
  const reason = truth === true ? 'its condition holds' : 'the call lacks what its condition needs';
  const finding = truth === false ? null : ask(when.rule, `${when.rule.id} asks for a confirmation: ${reason}`);
  return traced(trace, 'confirmation', subject, finding, 'its condition does not hold');
}

/** Whether a rule for the tool asks for a yes when the guard finds the call suspicious: then somebody has to look. */
export const asksWhenSuspicious = ({ tools, also }: CompiledPolicy, tool: string): boolean =>
  (tools.get(tool)?.rule.confirmation.suspicious ?? null) !== null ||
  (also !== undefined && asksWhenSuspicious(also, tool));

/** Where nobody looked, it cannot be told. */
function judgeSuspicion(rule: RuleReference, { tool, suspicion }: CallFacts, trace: Trace): Finding | null {
  const reason = suspicion === undefined ? 'whether the call is suspicious cannot be told' : suspicion;
  const finding = reason === null ? null : ask(rule, `${rule.id} asks for a confirmation: ${reason}`);
  return traced(trace, 'confirmation', quoteForMessage(tool), finding, 'the guard finds nothing suspicious');
}

const ask = (rule: RuleReference, reason: string): Finding => ({
  ...{ effect: 'confirm', code: 'CONFIRMATION_REQUIRED', rule, reason },
  instead: remedyOf('CONFIRMATION_REQUIRED'),
});

/** `cost: ARGUMENT`: what a call costs has to be known before it runs. */
export function judgeCost(
  { rule, obligations }: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  const { cost } = rule;
  if (cost === null || typeof cost === 'number' || !obligations.limits.some(({ kind }) => kind === 'spend'))
    return null;
  const said = costOf(cost, facts.arguments);
  const name = quoteForMessage(cost.argument);
  const reason = `the argument ${name} says what the call costs, and is no number from 0 on`;
  const finding = said === null ? deny('ARGUMENT_VALUE', reason, { rule: rule.rule }) : null;
  return traced(trace, 'cost', name, finding, `costs ${said}`);
}

/**
 * Limits of calls in a window, where the calls before are given as facts: to explain, and in cases of a test. At the gate
 * they are not, and the keeper counts (`obligations.limits`).
 */
export function judgeRate(
  { obligations: { limits } }: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  const { history, now } = facts;
  if (history === undefined || now === undefined) return null;
  let found: Finding | null = null;
  for (const { kind, max, windowMs, rule } of limits) {
    if (kind !== 'calls') continue;
    const { finding } = decideRate({ maxCalls: max, windowMs, rule }, history, now);
    traced(trace, 'rate limit', quoteForMessage(facts.tool), finding, `${history.length} calls before this one`);
    found = stronger(found, finding);
  }
  return found;
}
