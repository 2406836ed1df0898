import type { Answer } from '../approvals/index.ts';
import { isSallyportError } from '../core/index.ts';
import { INSIDE_VARIABLE, type WaitingCall } from '../gate/index.ts';
import { opensText, screenText, sendAnswer } from './approval-answers.ts';
import { withOperator } from './approvals-commands.ts';
import { askOnTerminal, isAttended } from './ask-terminal.ts';
import { readDuration } from './duration.ts';
import { reportError, safeLines, type Terminal } from './output.ts';
import type { CommonFlags } from './settings.ts';

/** Tells whoever looks after a serving command that a call waits, and how to answer. */
export const noteOfWaiting =
  (terminal: Terminal, { state }: Pick<CommonFlags, 'state'>) =>
  ({ tool, request, expiresAt, advisory }: WaitingCall): void => {
    const where = state === undefined ? '' : ` --state ${state}`;
    const until = new Date(expiresAt).toISOString();
    const note = advisory ? ' (advisory: the agent could answer for itself)' : '';
    terminal.err(
      safeLines(
        `sallyport: a call of ${tool} waits for a person until ${until}: sallyport approvals approve ${request}${where}${note}`,
      ),
    );
  };

export interface WaitFlags {
  /** How long a call waits for a person: `2m`. */
  readonly wait?: string;
}

/** How long calls wait, as the flags say. @throws SallyportError USAGE */
export const readWait = ({ wait }: WaitFlags): { readonly approvalWaitMs?: number } =>
  wait === undefined ? {} : { approvalWaitMs: readDuration(wait) };

/** What answers the calls of one command: a person who sits here, or one who reads the note. Close it. */
export interface InlineAnswers {
  readonly onApprovalWaiting: (waiting: WaitingCall) => void;
  /** Takes a question that nobody needs to answer any more off the terminal. */
  close(): Promise<void>;
}

const ONCE: Answer = { kind: 'approve', scope: { kind: 'once' }, full: true };
const NO: Answer = { kind: 'deny', reason: 'denied at the terminal' };

/** Asks on the terminal where a person sits at it; else says how to answer from another one. */
export function answerInline(terminal: Terminal, flags: CommonFlags): InlineAnswers {
  const over = new AbortController();
  const asked = new Set<string>();
  let asking: Promise<void> = Promise.resolve();
  const note = noteOfWaiting(terminal, flags);
  const isPerson = isAttended() && process.env[INSIDE_VARIABLE] === undefined;
  return {
    onApprovalWaiting: (waiting) => {
      // A wait that goes on is no other question.
      if (asked.has(waiting.request)) return;
      asked.add(waiting.request);
      if (!isPerson) return note(waiting);
      asking = askHere(terminal, flags, waiting, over.signal).catch((error: unknown) => {
        if (!isSallyportError(error)) throw error;
        if (over.signal.aborted) return;
        reportError({ ...terminal, json: false }, error);
        note(waiting);
      });
    },
    close: async () => {
      over.abort();
      await asking;
    },
  };
}

async function askHere(
  terminal: Terminal,
  flags: CommonFlags,
  { request }: WaitingCall,
  signal: AbortSignal,
): Promise<void> {
  await withOperator(flags, async (keeper) => {
    const view = await keeper.approval(request);
    terminal.err(`${screenText(view)}\n${opensText(view, ONCE)}`);
    const said = await askOnTerminal('Say yes? [y/N] ', signal);
    if (said !== null) await sendAnswer(keeper, view, said ? ONCE : NO, null);
    return 0;
  });
}
