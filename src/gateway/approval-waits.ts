import type { CallOptions } from '../gate/index.ts';
import type { ClientRequest } from './exchange.ts';

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
export function approvalWait({ signal, progress }: Pick<ClientRequest, 'signal' | 'progress'>): ApprovalWait {
  if (progress === null) return { options: { signal }, end: () => undefined };
  let timer: NodeJS.Timeout | null = null;
  let told = 0;
  const stop = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  const tell = (request: string): void => {
    told += 1;
    progress({ progress: told * STEP, message: `The call waits for a person: ${request}` }).catch(stop); // nobody listens
  };
  const onApprovalWaiting: CallOptions['onApprovalWaiting'] = ({ request }) => {
    stop();
    tell(request);
    timer = setInterval(() => tell(request), TELL_MS).unref();
  };
  return { options: { signal, approvalWaitMs: Number.POSITIVE_INFINITY, onApprovalWaiting }, end: stop };
}
