import { SallyportError } from '../core/index.ts';
import type { Keeper, StopFlag } from '../keeper/index.ts';
import type { CallRequest } from './call.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { judgeAgain } from './judge-again.ts';
import { stopCovers } from './stop-covers.ts';

/** A call from its admission to its outcome. */
export interface RunningCall {
  /** Ends when the call may not go on; its reason is a SallyportError. */
  readonly signal: AbortSignal;
  /** Ends it, for whoever runs it: its time is over, or its caller gave up. */
  stop(reason: SallyportError): void;
  /** What was decided, with the obligations that came since: never fewer. */
  judgement(): Judgement;
  /** A person said yes to it: a policy that asks for a yes is no reason any more to end it. */
  confirmed(): void;
  /** Why it may not go on; null while it may. */
  stopped(): SallyportError | null;
  /** It is over. Idempotent. */
  end(): void;
}

/** The calls of a gate that were admitted, or are about to be, or wait for a yes. */
export interface RunningCalls {
  begin(house: House, request: CallRequest, judgement: Judgement): RunningCall;
  /** Judges each again under the policy of a house; what is not allowed any more is stopped. */
  judgeAll(house: House): void;
  /** Stops those that a stop flag covers. */
  stop(flag: StopFlag): void;
  /** Ends those that wait for a yes. */
  endWaiting(reason: SallyportError): void;
  readonly size: number;
}

interface Entry {
  readonly request: CallRequest;
  readonly controller: AbortController;
  readonly begun: number;
  /** Digests of the policies that it was judged by. */
  readonly policies: string;
  judgement: Judgement;
  confirmed: boolean;
  timer: NodeJS.Timeout | null;
}

/** State: one entry for each running call, owned here. */
export function openRunningCalls(): RunningCalls {
  const entries = new Set<Entry>();
  return {
    begin: (house, request, judgement) => {
      const controller = new AbortController();
      const entry: Entry = {
        ...{ request, judgement, controller, policies: policiesOf(house) },
        ...{ begun: performance.now(), confirmed: false, timer: null },
      };
      entries.add(entry);
      return {
        signal: controller.signal,
        stop: (reason) => controller.abort(reason),
        judgement: () => entry.judgement,
        confirmed: () => {
          entry.confirmed = true;
        },
        stopped: () => stopOf(controller.signal),
        end: () => {
          entries.delete(entry);
          if (entry.timer !== null) clearTimeout(entry.timer);
        },
      };
    },
    judgeAll: (house) => {
      for (const entry of [...entries]) judgeEntry(house, entry);
    },
    stop: (flag) => {
      for (const { request, controller } of [...entries]) {
        if (stopCovers(flag, request.principal))
          controller.abort(new SallyportError('STOPPED', 'the operator stopped calls like this'));
      }
    },
    endWaiting: (reason) => {
      for (const entry of [...entries]) if (isWaiting(entry)) entry.controller.abort(reason);
    },
    get size() {
      return entries.size;
    },
  };
}

const stopOf = ({ aborted, reason }: AbortSignal): SallyportError | null => {
  if (!aborted) return null;
  return reason instanceof SallyportError ? reason : new SallyportError('POLICY_CHANGED', 'the call was stopped');
};

const policiesOf = ({ policy, approved }: House): string => `${policy.digest} ${approved?.digest ?? ''}`;

const isWaiting = ({ judgement, confirmed }: Entry): boolean => judgement.decision.effect === 'confirm' && !confirmed;

function judgeEntry(house: House, entry: Entry): void {
  const { request, judgement, controller, begun, confirmed } = entry;
  if (isWaiting(entry)) {
    // The same policy in another epoch (the keeper is another process now) is no other policy.
    if (entry.policies === policiesOf(house)) return;
    // INVARIANT: what a person would say yes to was judged under the policy in force.
    controller.abort(new SallyportError('POLICY_CHANGED', 'the policy changed while the call waited for a yes'));
    return;
  }
  const again = judgeAgain(house, request, judgement);
  if (again.decision.effect === 'deny' || (again.decision.effect === 'confirm' && !confirmed)) {
    const reason = `the policy changed, and does not allow this call any more: ${again.decision.reason}`;
    controller.abort(new SallyportError('POLICY_CHANGED', reason));
    return;
  }
  entry.judgement = again;
  const { timeoutMs } = again.decision.obligations;
  if (timeoutMs === judgement.decision.obligations.timeoutMs || timeoutMs === 0) return;
  if (entry.timer !== null) clearTimeout(entry.timer);
  const late = (): void =>
    controller.abort(new SallyportError('TOOL_TIMEOUT', `the tool did not end within ${timeoutMs} ms`));
  entry.timer = setTimeout(late, Math.max(0, begun + timeoutMs - performance.now())).unref();
}

/** What runs when a stop is given ends at once; what is stopped already, the keeper does not admit. */
export function followStops(keeper: Keeper, stop: (flag: StopFlag) => void): () => void {
  return keeper.watch((event) => {
    if (event.type === 'stop') stop(event.flag);
    if (event.type !== 'reconnected') return;
    // A keeper that cannot say it now is lost again, and tells when it is back.
    keeper.stops().then(
      (flags) => {
        for (const flag of flags) stop(flag);
      },
      () => undefined,
    );
  });
}
