import { type JsonObject, optional, shape, text } from '../core/index.ts';
import {
  type Answer,
  type ApprovalSummary,
  type ApprovalView,
  challengeOf,
  type OperatorProof,
  plain,
  readAnswer,
  readProof,
  type ScreenLine,
  screenOf,
  stateScope,
  suggestRule,
} from '../keeper/index.ts';
import type { Handler } from './context.ts';
import type { Receipts } from './seen.ts';

/** What waits. */
export const listRequests: Handler = async ({ keeper }) => ({ requests: (await keeper.approvals()).map(summaryJson) });

/** The screen of a request, cut where it is long: then there is no receipt for it. */
export const showRequest: Handler = async ({ keeper, receipts }, { name }) =>
  screenJson(await keeper.approval(name), false, receipts);

/** The whole of a request. */
export const showWhole: Handler = async ({ keeper, receipts }, { name }) =>
  screenJson(await keeper.approval(name), true, receipts);

const readChallenge = shape<{ answer: Answer; seen?: string }>({ answer: readAnswer, seen: optional(text(64)) });

/** What a credential proves for this answer, and what the answer opens. */
export const challengeRequest: Handler = async ({ keeper, receipts }, { name, body }) => {
  const { answer, seen = '' } = readChallenge(body, 'body');
  const view = await keeper.approval(name);
  if (answer.kind === 'approve') receipts.check(view, seen);
  const { request } = view;
  const opens = answer.kind === 'deny' ? 'Refuses this call.' : plain(stateScope(answer.scope, request.binding));
  return { challenge: challengeOf(request, answer), opens };
};

const readAnswering = shape<{ answer: Answer; seen?: string; proof: OperatorProof }>({
  ...{ answer: readAnswer, seen: optional(text(64)), proof: readProof },
});

/** Answers a request as it was shown. */
export const answerRequest: Handler = async ({ keeper, receipts }, { name, body }) => {
  const { answer, seen = '', proof } = readAnswering(body, 'body');
  if (answer.kind === 'approve') receipts.check(await keeper.approval(name), seen);
  return { ...(await keeper.answer(name, answer, proof)) };
};

const summaryJson = ({ id, tool, agent, user, createdAt, expiresAt, people, yes }: ApprovalSummary): JsonObject => ({
  ...{ id, tool: plain(tool), agent: plain(agent), user: plain(user) },
  ...{ createdAt, expiresAt, people, yes: yes.length },
});

/** INVARIANT: every text in it that a stranger wrote comes from `screenOf` or `plain`. */
function screenJson(view: ApprovalView, whole: boolean, receipts: Receipts): JsonObject {
  const { request, last, advisory } = view;
  const { id, digest, createdAt, expiresAt, binding, yes } = request;
  const screen = screenOf(binding, last, whole);
  const complete = whole || screen.complete;
  const { groups, people, ownUser } = binding.approvers;
  // A rule names values whole: it stands beside the whole screen only.
  const rule = complete ? suggestRule(binding) : null;
  return {
    ...{ id, digest, createdAt, expiresAt, advisory },
    screen: {
      ...{ title: screen.title, why: screen.why, gone: [...screen.gone], notes: [...screen.notes] },
      ...{ lines: screen.lines.map(lineJson), facts: screen.facts.map(lineJson) },
    },
    ...{ complete, seen: complete ? receipts.of(view) : null },
    arguments: Object.keys(binding.arguments).map(plain),
    approvers: { groups: groups.map(plain), people, ownUser },
    yes: yes.map((approver) => ({ operator: approver.operator, user: plain(approver.user), class: approver.class })),
    suggestion: rule === null ? null : { yaml: rule.yaml.split('\n').map(plain).join('\n'), note: plain(rule.note) },
  };
}

const lineJson = ({ name, value, change, cut }: ScreenLine): JsonObject => ({ name, value, change, cut });
