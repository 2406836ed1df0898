import {
  type Answer,
  challengeOf,
  type OperatorProof,
  renderScreen,
  type Screen,
  screenOf,
  stateScope,
  suggestRule,
  userIdMessage,
} from '../approvals/index.ts';
import type { AnswerReceipt, ApprovalView, Keeper } from '../keeper/index.ts';
import type { OperatorKey } from './operator-key.ts';
import { safeLines } from './output.ts';

/** The whole of what waits: nothing is cut, so that a yes may follow. */
export const wholeScreen = ({ request, last }: ApprovalView): Screen => screenOf(request.binding, last, true);

/** The screen of a request for a terminal. */
export function screenText(view: ApprovalView): string {
  const { id, expiresAt, binding } = view.request;
  const screen = { ...wholeScreen(view), complete: true };
  const rule = suggestRule(binding);
  const suggested = rule === null ? [] : ['A rule that would make the question unnecessary:', rule.yaml, rule.note];
  return safeLines([renderScreen(screen, { id, advisory: view.advisory, expiresAt }), ...suggested].join('\n'));
}

/** What a yes opens, in one sentence. */
export const opensText = ({ request }: ApprovalView, answer: Answer): string =>
  answer.kind === 'deny' ? 'Refuses this call.' : safeLines(stateScope(answer.scope, request.binding));

/**
 * Answers a request as it was shown. INVARIANT: the answer names the digest of what was on the screen: a request that became
 * another one meanwhile is not answered with it.
 */
export async function sendAnswer(
  keeper: Keeper,
  { request }: ApprovalView,
  answer: Answer,
  key: OperatorKey | null,
): Promise<AnswerReceipt> {
  const proof: OperatorProof =
    key === null
      ? { class: 'local' }
      : { class: 'user-id', operator: key.name, signature: key.sign(userIdMessage(challengeOf(request, answer))) };
  return keeper.answer(request.id, answer, proof);
}
