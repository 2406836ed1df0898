import { type ErrorCode, quoteForMessage, remedyOf } from '../core/index.ts';
import type { Effect, RuleReference } from './decision.ts';

/** A check that did not pass. */
export interface Finding {
  readonly effect: 'confirm' | 'deny';
  readonly code: ErrorCode;
  readonly rule: RuleReference;
  readonly reason: string;
  readonly instead: string;
}

/** One check of an explanation: what was looked at, what came of it. */
export interface ExplainedStep {
  /** `principal`, `tool`, `isolation`, `argument`, `path`, `outcome`. */
  readonly check: string;
  /** What was looked at, quoted. */
  readonly subject: string;
  readonly effect: Effect;
  readonly rule: RuleReference | null;
  readonly detail: string;
}

/** Where an explanation is collected; `null` while only the decision counts, which then ends at the first denial. */
export type Trace = ExplainedStep[] | null;

/** The rule of what no policy file states. */
export const builtInRule = (code: ErrorCode): RuleReference => ({ id: `builtin.${code}` });

/** A denial by a rule, or by a built-in one when none is given. */
export const deny = (
  code: ErrorCode,
  reason: string,
  more: { rule?: RuleReference; instead?: string } = {},
): Finding => ({
  effect: 'deny',
  code,
  rule: more.rule ?? builtInRule(code),
  reason,
  instead: more.instead ?? remedyOf(code),
});

export const confirm = (code: ErrorCode, reason: string, instead: string): Finding => ({
  effect: 'confirm',
  code,
  rule: builtInRule(code),
  reason,
  instead,
});

/** Notes a check in an explanation and hands its finding on. */
export function traced(
  trace: Trace,
  check: string,
  subject: string,
  finding: Finding | null,
  passed: string,
): Finding | null {
  trace?.push({
    check,
    subject,
    effect: finding?.effect ?? 'allow',
    rule: finding?.rule ?? null,
    detail: finding?.reason ?? passed,
  });
  return finding;
}

/** The stronger of two findings; of equals the first. */
export const stronger = (first: Finding | null, second: Finding | null): Finding | null =>
  first === null || (first.effect === 'confirm' && second?.effect === 'deny') ? second : first;

const MAX_LISTED = 5;

/** Up to five items for a sentence: policy text, quoted. */
export function listSome(items: readonly string[]): string {
  const shown = items.slice(0, MAX_LISTED).map((item) => quoteForMessage(item, 80));
  return items.length > MAX_LISTED ? `${shown.join(', ')} and ${items.length - MAX_LISTED} more` : shown.join(', ');
}
