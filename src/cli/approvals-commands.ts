import { resolve } from 'node:path';
import type { Answer } from '../approvals/index.ts';
import { asJson } from '../approvals/index.ts';
import type { JsonObject } from '../core/index.ts';
import {
  type ApprovalSummary,
  type ApprovalView,
  defaultStateFolder,
  joinKeeper,
  type Keeper,
} from '../keeper/index.ts';
import { opensText, screenText, sendAnswer, wholeScreen } from './approval-answers.ts';
import { readScopeFlags, type ScopeFlags } from './approval-scope.ts';
import { askOnTerminal } from './ask-terminal.ts';
import { type OperatorFlags, readOperatorKey } from './operator-key.ts';
import { refuseInside } from './operator-only.ts';
import { answer, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

export interface AnswerFlags extends CommonFlags, OperatorFlags {
  readonly yes?: boolean;
}

/** `approvals list`: what waits for a person. */
export function approvalsList(terminal: Terminal, flags: CommonFlags): Promise<number> {
  return withOperator(flags, async (keeper) => {
    const waiting = await keeper.approvals();
    const json = waiting.map((summary): JsonObject => JSON.parse(JSON.stringify(summary)));
    answer(terminal, json, waiting.map(summaryLine).join('\n') || 'Nothing waits for a person.');
    if (waiting.length > 0)
      terminal.err('Look at one, and answer: sallyport approvals show ID, then approve ID or deny ID');
    return 0;
  });
}

/** `approvals show ID`: the whole of what waits, as it will be executed. */
export function approvalsShow(terminal: Terminal, id: string, flags: CommonFlags): Promise<number> {
  return withOperator(flags, async (keeper) => {
    const view = await keeper.approval(id);
    answer(terminal, viewJson(view), screenText(view));
    return 0;
  });
}

/** `approvals approve ID`: shows the whole, asks, and says yes. Exits 1 where nobody agreed. */
export function approvalsApprove(terminal: Terminal, id: string, flags: AnswerFlags & ScopeFlags): Promise<number> {
  const scope = readScopeFlags(flags, Date.now());
  return answerAs(terminal, id, flags, { kind: 'approve', scope, full: true });
}

/** `approvals deny ID`: says no. */
export function approvalsDeny(
  terminal: Terminal,
  id: string,
  flags: AnswerFlags & { readonly reason: string },
): Promise<number> {
  return answerAs(terminal, id, { ...flags, yes: true }, { kind: 'deny', reason: flags.reason });
}

function answerAs(terminal: Terminal, id: string, flags: AnswerFlags, said: Answer): Promise<number> {
  const key = readOperatorKey(flags);
  return withOperator(flags, async (keeper) => {
    // INVARIANT: what is shown is what is answered: both are this one view.
    const view = await keeper.approval(id);
    if (said.kind === 'approve') terminal.err(`${screenText(view)}\n${opensText(view, said)}`);
    if (flags.yes !== true && (await askOnTerminal('Say yes? [y/N] ')) !== true) {
      terminal.err('Not approved. The call goes on waiting; say no with: sallyport approvals deny ID');
      return 1;
    }
    const receipt = await sendAnswer(keeper, view, said, key);
    const opens = opensText(view, said);
    const done = {
      granted: `Approved. ${opens}`,
      denied: 'Denied.',
      waiting: 'Recorded: more people have to say yes.',
    };
    answer(terminal, { request: id, ...receipt, advisory: view.advisory }, done[receipt.kind]);
    return 0;
  });
}

/** INVARIANT: over a connection of an operator, which asks for no call. @throws SallyportError OPERATOR_ONLY */
export async function withOperator(
  flags: Pick<CommonFlags, 'state'>,
  use: (keeper: Keeper) => Promise<number>,
): Promise<number> {
  refuseInside();
  const state = resolve(flags.state ?? defaultStateFolder());
  const keeper = await joinKeeper({ state, reachable: [], role: 'operator' });
  try {
    return await use(keeper);
  } finally {
    await keeper.close('the command ended');
  }
}

function summaryLine({ id, tool, agent, user, expiresAt, people, yes }: ApprovalSummary): string {
  const said = people > 1 ? `, ${yes.length} of ${people} said yes` : '';
  return safeLines(`${id}  ${tool}  ${agent} for ${user}  until ${new Date(expiresAt).toISOString()}${said}`);
}

const viewJson = (view: ApprovalView): JsonObject => {
  const { id, digest, createdAt, expiresAt, binding } = view.request;
  const screen: JsonObject = JSON.parse(JSON.stringify(wholeScreen(view)));
  return { id, digest, createdAt, expiresAt, advisory: view.advisory, screen, binding: asJson(binding) };
};
