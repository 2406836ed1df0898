import type { JsonObject } from '../core/index.ts';
import {
  type Answer,
  type ApprovalView,
  challengeOf,
  plain,
  renderScreen,
  screenOf,
  withoutMarkup,
} from '../keeper/index.ts';

/** Characters of a screen in a notice; what is longer has no button for a yes. */
const MAX_SCREEN = 12_000;

const YES: Answer = { kind: 'approve', scope: { kind: 'once' }, full: true };
const NO: Answer = { kind: 'deny', reason: 'denied in the chat' };

/**
 * What the other side is told of a call that waits: its screen as text in which nothing is markup, and two answers with what a
 * credential signs for them. INVARIANT: there is an answer `approve` only where the whole screen stands beside it, and nothing in
 * it that would do for another request or a wider yes.
 */
export function noticeOf({ request, last, advisory }: ApprovalView, console: string | null): JsonObject {
  const { id, digest, expiresAt, binding } = request;
  const screen = { ...screenOf(binding, last, true), complete: true };
  const text = withoutMarkup(renderScreen(screen, { id, advisory, expiresAt }));
  const complete = text.length <= MAX_SCREEN;
  const { people } = binding.approvers;
  const offer = (answer: Answer): JsonObject => ({ answer: { ...answer }, challenge: challengeOf(request, answer) });
  return {
    ...{ kind: 'waiting', request: id, digest, expiresAt, advisory, people, tool: withoutMarkup(plain(binding.tool)) },
    screen: complete ? text : `${text.slice(0, MAX_SCREEN).toWellFormed()}…\nCUT: look at the whole before a yes.`,
    ...{ complete, console, approve: complete ? offer(YES) : null, deny: offer(NO) },
  };
}
