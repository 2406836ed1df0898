import { type ErrorCode, escapeForTerminal, quoteForMessage, remedyOf } from '../core/index.ts';
import type { CompiledPolicy } from './compiled.ts';
import { mayBeAllowed } from './decide.ts';
import type { Decision, Obligations, RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { builtInRule, type ExplainedStep } from './finding.ts';
import { judge } from './judge.ts';

/** A decision with everything that was considered for it, also past the first denial. */
export interface Explanation {
  readonly tool: string;
  readonly decision: Decision;
  readonly steps: readonly ExplainedStep[];
}

/** Why the arguments of a call could not be read, if they could not. */
export type ArgumentTrouble = { readonly code: ErrorCode; readonly reason: string } | null;

/** Derives the decision of {@link decide} and keeps every step. */
export function explain(compiled: CompiledPolicy, facts: CallFacts, trouble: ArgumentTrouble = null): Explanation {
  const steps: ExplainedStep[] = [];
  const judged = judge(compiled, facts, steps);
  if (trouble === null || !mayBeAllowed(compiled, facts.tool, facts.principal)) {
    return Object.freeze({ tool: facts.tool, decision: judged, steps: Object.freeze(steps) });
  }
  const { code, reason } = trouble;
  const rule = builtInRule(code);
  const unread: ExplainedStep = {
    check: 'arguments',
    subject: quoteForMessage(facts.tool),
    effect: 'deny',
    rule,
    detail: reason,
  };
  const decision = {
    effect: 'deny' as const,
    rule,
    code,
    reason,
    instead: remedyOf(code),
    obligations: judged.obligations,
  };
  return Object.freeze({ tool: facts.tool, decision, steps: Object.freeze([unread, ...steps]) });
}

/** An explanation as lines of text, safe to print. */
export function renderExplanation({ tool, decision, steps }: Explanation): readonly string[] {
  const lines = steps.map(
    ({ check, subject, effect, rule, detail }) =>
      `${effect.padEnd(7)}  ${check} ${subject}: ${detail}${rule === null ? '' : `  [${describeRule(rule)}]`}`,
  );
  const verdict = decision.effect === 'allow' ? 'allow' : `${decision.effect} ${decision.code}`;
  lines.push('', `${verdict}: ${quoteForMessage(tool)}: ${decision.reason}  [${describeRule(decision.rule)}]`);
  lines.push(decision.effect === 'allow' ? describeObligations(decision.obligations) : decision.instead);
  return lines.map(escapeForTerminal);
}

const describeRule = ({ id, file, line }: RuleReference): string =>
  file === undefined || line === undefined ? id : `${id}, ${file}:${line}`;

function describeObligations({
  isolation,
  timeoutMs,
  maxLength,
  onInjection,
  boundary,
  outputSchemas,
  audit,
  limits,
  breakers,
}: Obligations): string {
  const where = isolation.length === 0 ? 'no isolation stated' : `isolation ${isolation.join(' or ')}`;
  const length = maxLength === null ? '' : `, at most ${maxLength} characters delivered`;
  const counted = [...limits, ...breakers].map(({ rule }) => rule.id).join(', ');
  const bounds = counted === '' ? '' : `, counted by ${counted}`;
  const injected = onInjection === 'quarantine' ? '' : `, results with instructions: ${onInjection}`;
  const shaped = `${boundary ? ', texts between boundaries' : ''}${outputSchemas.length > 0 ? ', held to a schema' : ''}`;
  return `obligations: ${where}, at most ${timeoutMs} ms${length}${injected}${shaped}${audit ? ', with payload detail in the record' : ''}${bounds}`;
}
