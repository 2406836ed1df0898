import { quoteForMessage, remedyOf } from '../core/index.ts';
import type { CompiledPolicy, CompiledTool } from './compiled.ts';
import { evaluateCondition } from './condition.ts';
import { judgeCredentials } from './credential-literals.ts';
import type { RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { deny, type Finding, type Trace, traced } from './finding.ts';
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
  const { always, when } = confirmation;
  if (always === null && when === null) return null;
  const subject = quoteForMessage(facts.tool);
  if (always !== null)
    return traced(trace, 'confirmation', subject, ask(always, `${always.id} asks for every call`), '');
  if (when === null) return null;
  const { tool, runs, uncertain } = facts;
  const isolation = facts.isolation?.achieved ?? '';
  const known = { tool, runs, uncertain, ...(isolation === '' ? {} : { isolation }) };
  const input = { arguments: facts.arguments, principal: { ...facts.principal }, facts: known };
  const truth = evaluateCondition(when.condition, input);
  const reason = truth === true ? 'its condition holds' : 'the call lacks what its condition needs';
  const finding = truth === false ? null : ask(when.rule, `${when.rule.id} asks for a confirmation: ${reason}`);
  return traced(trace, 'confirmation', subject, finding, 'its condition does not hold');
}

const ask = (rule: RuleReference, reason: string): Finding => ({
  ...{ effect: 'confirm', code: 'CONFIRMATION_REQUIRED', rule, reason },
  instead: remedyOf('CONFIRMATION_REQUIRED'),
});

/** `rateLimit`. INVARIANT: without a clock no call fits. */
export function judgeRate(
  { rule: { rateLimit } }: CompiledTool,
  facts: CallFacts,
  _compiled: CompiledPolicy,
  trace: Trace,
): Finding | null {
  if (rateLimit === null) return null;
  const { history = [], now } = facts;
  const finding =
    now === undefined
      ? deny('RATE_LIMITED', 'it is not known when the call was made', { rule: rateLimit.rule })
      : decideRate(rateLimit, history, now).finding;
  return traced(trace, 'rate limit', quoteForMessage(facts.tool), finding, `${history.length} calls before this one`);
}
