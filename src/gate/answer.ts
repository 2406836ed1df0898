import { basename } from 'node:path';
import { quoteForMessage, remedyOf } from '../core/index.ts';
import type { Decision, RuleReference } from '../policy/index.ts';
import type { NoYes } from './confirm.ts';
import type { InboundAsked, InboundDelivered, InboundFailed } from './inbound.ts';
import type { Asked, Delivered, Denied, Failed } from './result.ts';

type NotAllowed = Extract<Decision, { readonly code: unknown }>;

/** What the caller gets for a call that was not run: what, which rule, why, what would be allowed, which record. */
export function answerDenied(tool: string, decision: NotAllowed, record: number | null): Denied {
  const { rule, code, reason, instead } = decision;
  return Object.freeze({ kind: 'denied', code, rule, reason, instead, text: textOf(tool, decision, record), record });
}

/** As `answerDenied`, for a call that needed a yes and has none. */
export const answerUnconfirmed = (tool: string, { decision, request, retryAt }: NoYes, record: number | null): Denied =>
  Object.freeze({
    ...answerLater(tool, decision, { retryAt, record }),
    ...(request === null ? {} : { request }),
  });

/** As `answerDenied`, for a call that does not fit its limits now. `retryAt`: when it may; 0: that is not known. */
export const answerLimited = (
  tool: string,
  { decision, retryAt }: { readonly decision: NotAllowed; readonly retryAt: number },
  record: number | null,
): Denied => Object.freeze(answerLater(tool, decision, { retryAt: retryAt === 0 ? null : retryAt, record }));

interface Later {
  readonly retryAt: number | null;
  readonly record: number | null;
}

function answerLater(tool: string, decision: NotAllowed, { retryAt, record }: Later): Denied {
  const denied = answerDenied(tool, decision, record);
  if (retryAt === null) return denied;
  return { ...denied, text: `${denied.text}\nAgain: not before ${new Date(retryAt).toISOString()}`, retryAt };
}

function textOf(tool: string, { code, reason, rule, instead }: NotAllowed, record: number | null): string {
  const head = code === 'APPROVAL_PENDING' ? 'Not run yet, it waits for a person' : 'Denied';
  return [
    `${head}: ${nameTool(tool)} (${code})`,
    `Reason: ${reason}`,
    `Rule: ${nameRule(rule)}`,
    `Instead: ${instead}`,
    `Record: ${record ?? 'none, the log cannot be written'}`,
  ].join('\n');
}

/** What the caller gets for an admitted call that did not end well. */
export function answerFailed(tool: string, failed: InboundFailed, decision: Decision, record: number | null): Failed {
  const { code, reason } = failed;
  const lines = [
    `Failed: ${nameTool(tool)} (${code})`,
    `Reason: ${reason}`,
    `Instead: ${remedyOf(code)}`,
    `Record: ${record ?? 'none, the log cannot be written'}`,
  ];
  return Object.freeze({ kind: 'failed', code, reason, text: lines.join('\n'), rule: decision.rule, record });
}

/** What the caller gets for a call that ran. */
export function answerDelivered(delivered: InboundDelivered, decision: Decision, record: number): Delivered {
  const { content, structuredContent, isError, text } = delivered;
  return Object.freeze({
    kind: 'delivered',
    content,
    ...(structuredContent === undefined ? {} : { structuredContent }),
    isError,
    text,
    rule: decision.rule,
    record,
  });
}

/** What the caller gets for a call that waits for answers, or goes on as a task. */
export const answerAsked = ({ questions, state, task }: InboundAsked, decision: Decision, record: number): Asked =>
  Object.freeze({ kind: 'asked', questions, state, task, rule: decision.rule, record });

/** A model need not know where on the machine the policy lies. */
const nameRule = ({ id, file, line }: RuleReference): string =>
  file === undefined ? id : `${id} (${basename(file)}:${line})`;

/** ATTACKER-CONTROLLED: a name that no tool can have is quoted. */
const nameTool = (tool: string): string =>
  /^[A-Za-z0-9_-]{1,128}$|^mcp__[a-z0-9-]{1,20}:[A-Za-z/_]{1,64}$/.test(tool) ? tool : quoteForMessage(tool, 128);
