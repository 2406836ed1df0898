import { type ErrorCode, SallyportError } from '../core/index.ts';
import type { Admission } from '../keeper/index.ts';
import { allowsPath } from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import type { House } from './house.ts';
import type { Judgement } from './judge.ts';
import { isOutOfReach } from './observe.ts';
import { openPath } from './open-path.ts';
import type { OpenedPath } from './opened-path.ts';
import { type Placement, startPlaced } from './placement.ts';
import { planRun } from './planned-run.ts';
import type { RunningCall } from './running-calls.ts';
import { sendFor, type WayOut } from './send.ts';
import { handOver } from './spawn.ts';
import { NeedsAnswers, type ToolContext, type ToolOutput } from './tool.ts';

/** What came back, as it came back. ATTACKER-CONTROLLED: everything in it. */
export type Executed =
  /** `parsed`: the same, copied and read, without the secrets that were in it. */
  | { readonly kind: 'returned'; readonly output: unknown; readonly parsed?: ToolOutput }
  | { readonly kind: 'asked'; readonly asked: NeedsAnswers }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly message: string };

/** Step 9: runs the tool until it ends, its time is over, the caller gives up, or it may not go on. Never rejects. */
export async function execute(
  house: House,
  request: CallRequest,
  running: RunningCall,
  { placement, admission }: { readonly placement: Placement | null; readonly admission: Admission },
): Promise<Executed> {
  const judgement = running.judgement();
  const tool = judgement.parsed.registered?.tool;
  if (tool === undefined) return { kind: 'failed', code: 'TOOL_UNKNOWN', message: 'there is no such tool' };
  const stopped = running.stopped();
  if (stopped !== null) return failure(stopped);
  const timeoutMs = judgement.decision.obligations.timeoutMs || house.limits.upstreamMs;
  const way = sendFor(house, judgement, { signal: running.signal, admission });
  const watch = watchRun(running, request.signal, timeoutMs);
  try {
    const context = contextOf({ house, request, placement, way }, judgement, running.signal);
    const { spawn } = request;
    const result =
      spawn === null ? tool.execute(judgement.facts.arguments, context) : handOver(spawn, context, house.guard);
    // A tool that does not stop when told goes on without us; what it returns later is dropped.
    const output = await Promise.race([result, watch.reached]);
    return { kind: 'returned', output };
  } catch (error) {
    return failure(error);
  } finally {
    watch.clear();
    way?.close();
  }
}

interface Executing {
  readonly house: House;
  readonly request: CallRequest;
  readonly placement: Placement | null;
  readonly way: WayOut | null;
}

function contextOf(executing: Executing, judgement: Judgement, signal: AbortSignal): ToolContext {
  const { house, request, placement, way } = executing;
  const paths: Record<string, OpenedPath> = {};
  for (const [pointer, { use, reading }] of Object.entries(judgement.facts.paths)) {
    if ('trouble' in reading || (judgement.facts.command !== undefined && pointer.startsWith('command:'))) continue;
    const judgeChild = (child: typeof reading): boolean =>
      allowsPath(house.latest().compiled(), judgement.parsed.name, use, child) ||
      (judgement.observed !== undefined && !isOutOfReach(use, child));
    paths[pointer] = openPath(reading, {
      root: house.root,
      use,
      control: house.control,
      limits: house.limits,
      judgeChild,
    });
  }
  const run = planRun(house, judgement);
  return {
    ...{ signal, paths, root: house.root, session: request.principal.session, principal: request.principal },
    ...(request.exchange === null ? {} : { exchange: request.exchange }),
    ...(way === null ? {} : { send: way.send }),
    ...(run === null ? {} : { run }),
    ...(run === null || placement === null
      ? {}
      : {
          start: (options) => {
            const { principal, surface } = request;
            const origin = { principal, surface, tool: judgement.parsed.name };
            return startPlaced(house, placement, run, { ...options, ...origin, signal });
          },
        }),
  };
}

/** ATTACKER-CONTROLLED: what was thrown may be anything, and looking at it may throw again. */
function failure(thrown: unknown): Executed {
  try {
    if (thrown instanceof NeedsAnswers) return { kind: 'asked', asked: thrown };
    if (thrown instanceof SallyportError) return { kind: 'failed', code: thrown.code, message: thrown.message };
    const message: unknown = thrown instanceof Error ? thrown.message : thrown;
    if (typeof message === 'string') return { kind: 'failed', code: 'TOOL_FAILED', message };
    return { kind: 'failed', code: 'TOOL_FAILED', message: 'the tool threw something that is no error' };
  } catch {
    return { kind: 'failed', code: 'TOOL_FAILED', message: 'the tool threw something that cannot be read' };
  }
}

/** Ends a running call when its time is over or its caller gives up; whoever ends it, `reached` rejects. */
function watchRun(running: RunningCall, caller: AbortSignal | null, timeoutMs: number) {
  let onStop = (): void => undefined;
  const reached = new Promise<never>((_, reject) => {
    onStop = () => reject(asError(running.signal.reason));
  });
  reached.catch(() => undefined);
  const onCancel = (): void => running.stop(new SallyportError('TOOL_CANCELLED', 'the call was cancelled'));
  const late = (): void =>
    running.stop(new SallyportError('TOOL_TIMEOUT', `the tool did not end within ${timeoutMs} ms`));
  const timer = setTimeout(late, timeoutMs);
  running.signal.addEventListener('abort', onStop, { once: true });
  caller?.addEventListener('abort', onCancel, { once: true });
  if (caller?.aborted) onCancel();
  const clear = (): void => {
    clearTimeout(timer);
    running.signal.removeEventListener('abort', onStop);
    caller?.removeEventListener('abort', onCancel);
  };
  return { reached, clear };
}

const asError = (reason: unknown): SallyportError =>
  reason instanceof SallyportError ? reason : new SallyportError('POLICY_CHANGED', 'the call was stopped');
