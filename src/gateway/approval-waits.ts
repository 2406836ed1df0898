import { isJsonObject } from '../core/index.ts';
import type { CallOptions } from '../gate/index.ts';
import { DECISION_META_KEY } from './call-answer.ts';
import type { ClientAnswer, ClientRequest } from './exchange.ts';

/** How long a call waits for a person where nothing keeps it alive, in milliseconds: less than the minute that clients wait. */
export const APPROVAL_WAIT_MS = 50_000;

/** How often a client that asked for progress hears that its call still waits, in milliseconds. */
const TELL_MS = 10_000;
/** INVARIANT: progress rises (MCP): what a server reports afterwards is greater than what we count here. */
const STEP = 1e-6;

/** How a call of a client waits for a person. */
export interface ApprovalWait {
  readonly options: Pick<CallOptions, 'signal' | 'approvalWaitMs' | 'onApprovalWaiting'>;
  /** The call is over: nothing more is told. */
  end(): void;
}

/** A client that asked for progress is told that its call waits, and waits as long as the gate does; another one is answered in time. */
export function approvalWait(
  { signal, progress }: Pick<ClientRequest, 'signal' | 'progress'>,
  console: string | null,
): ApprovalWait {
  if (progress === null) return { options: { signal }, end: () => undefined };
  let timer: NodeJS.Timeout | null = null;
  let told = 0;
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  const tell = (request: string): void => {
    told += 1;
    const how = `answered with: sallyport approvals approve ${request}${console === null ? '' : `, or at ${console}`}`;
    const message = `The call waits for a person: ${request}; ${how}`;
    progress({ progress: told * STEP, message }).catch(stop); // nobody listens
  };
  const onApprovalWaiting: CallOptions['onApprovalWaiting'] = ({ request }) => {
    stop();
    tell(request);
    timer = setInterval(() => tell(request), TELL_MS).unref();
  };
  return { options: { signal, approvalWaitMs: Number.POSITIVE_INFINITY, onApprovalWaiting }, end: stop };
}

/** The answer, with the address of the console where a call still waits. INVARIANT: an address without the console's token. */
export function withConsole(answer: ClientAnswer, console: string | null): ClientAnswer {
  if (answer.kind !== 'result' || console === null) return answer;
  const { content, _meta } = answer.result;
  const decision = isJsonObject(_meta) ? _meta[DECISION_META_KEY] : undefined;
  if (!isJsonObject(decision) || decision['code'] !== 'APPROVAL_PENDING' || !Array.isArray(content)) return answer;
  const line = { type: 'text', text: `Answered at: ${console}` };
  return { ...answer, result: { ...answer.result, content: [...content, line] } };
}
