import { readPayloads, readRecords } from '../audit/index.ts';
import { type JsonValue, SallyportError } from '../core/index.ts';
import { explainCall, type LoadedPolicy, type Tool } from '../gate/index.ts';
import { lockPathOf, readLock, usableTools } from '../gateway/index.ts';
import type { Effect } from '../policy/index.ts';
import { builtInTools } from '../tools/index.ts';
import { notExecuted } from './case-tools.ts';

/** A call as the log has it. */
interface RecordedCall {
  readonly seq: number;
  readonly tool: string;
  readonly args: JsonValue;
  readonly user: string;
  readonly agent: string;
  /** What was decided then, and by which rule. */
  readonly decision: Effect;
  readonly rule: string;
}

/** The calls of a log whose arguments are still there, and how many have none any more. */
export interface RecordedCalls {
  readonly calls: readonly RecordedCall[];
  readonly erased: number;
}

/** Reads every recorded intent of a log. @throws SallyportError AUDIT_NOT_FOUND, AUDIT_CORRUPT, AUDIT_INTEGRITY */
export async function recordedCalls(state: string): Promise<RecordedCalls> {
  const calls: RecordedCall[] = [];
  let erased = 0;
  for await (const { seq, record } of readRecords(state)) {
    const { type, tool, decision, rule = '', principal } = record;
    if (type !== 'intent' || tool === undefined || decision === undefined) continue;
    const args = (await readPayloads(state, seq))['arguments'];
    const { user, agent } = principal ?? {};
    if (args === undefined) erased += 1;
    else calls.push({ seq, tool, args, decision, rule, user: nameOf(user), agent: nameOf(agent) });
  }
  return { calls, erased };
}

const nameOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** The tools that calls were made to: the built-in ones, and those approved in the lock beside the policy. */
export async function toolsBeside(policyFile: string, { policy }: LoadedPolicy): Promise<readonly Tool[]> {
  const { servers: lock } = await readLock(lockPathOf(policyFile));
  const approved = [...lock].flatMap(([server, { tools }]) =>
    usableTools(server, tools).usable.map(
      ({ policyName: name, schema }): Tool => ({
        ...{ name, schema, server, execute: notExecuted },
        runs: policy.servers.get(server)?.url === null ? 'spawned' : 'remote',
      }),
    ),
  );
  return [...builtInTools(), ...approved];
}

/** Decides recorded calls under one policy, as the disk is now. */
export type Decide = (call: RecordedCall) => Promise<{ readonly effect: Effect; readonly rule: string }>;

/**
 * A decider for recorded calls. Names are not looked up (each counts as one public address), earlier calls do not count
 * towards rates, and nothing is executed.
 */
export function deciderOf(
  { policy, root, policyFile }: LoadedPolicy,
  { state, tools }: { readonly state: string; readonly tools: readonly Tool[] },
): Decide {
  const options = { policy, root, state, tools, ...(policyFile === null ? {} : { policyFile }) };
  const resolve = (): Promise<readonly string[]> => Promise.resolve(['93.184.216.66']);
  return async ({ tool, args, user, agent }) => {
    try {
      const { decision } = await explainCall(options, { tool, args, user, agent }, { resolve, history: [] });
      return { effect: decision.effect, rule: decision.rule.id };
    } catch (error) {
      if (!(error instanceof SallyportError)) throw error;
      return { effect: 'deny', rule: `builtin.${error.code}` };
    }
  };
}
