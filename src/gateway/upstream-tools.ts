import { ProtocolError } from '@modelcontextprotocol/client';
import { isJsonObject, isSallyportError, type JsonObject, type JsonValue } from '../core/index.ts';
import { type Gate, NeedsAnswers, type Tool, type ToolContext, type ToolOutput } from '../gate/index.ts';
import { checkAgreement } from './agreement.ts';
import type { ApprovedServer } from './approved-server.ts';
import type { RefusedTool, UsableTool } from './definitions.ts';
import { headersFor, type ParamHeader, paramHeaders } from './param-headers.ts';
import { holderOf, type ServerCaller } from './server-caller.ts';
import { readTask, type Task, taskAsJson } from './task-forms.ts';
import { callOutput, errorOutput, MISSING_ABILITY, missingAbility } from './upstream-result.ts';

/** Registers one approved tool at a gate: its name in policies, or why the gate does not take it. */
export function registerTool(
  gate: Gate,
  caller: ServerCaller,
  server: ApprovedServer,
  usable: UsableTool,
): string | RefusedTool {
  const { policyName, originalName, title, description, schema, outputSchema } = usable;
  const repeated = server.rule.url === null ? [] : paramHeaders(schema);
  const tool: Tool = {
    name: policyName,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    runs: server.rule.url !== null ? 'remote' : 'spawned',
    server: server.rule.name,
    execute: (args, context) => runTool(caller, server, { name: originalName, arguments: args }, repeated, context),
  };
  try {
    gate.tool(tool);
    return policyName;
  } catch (error) {
    if (isSallyportError(error)) return { name: policyName, reason: error.message };
    throw error;
  }
}

/** One call of a tool, serialised from the gate's frozen copy; of the client's message nothing else goes on. */
async function runTool(
  caller: ServerCaller,
  server: ApprovedServer,
  call: { readonly name: string; readonly arguments: JsonObject },
  repeated: readonly ParamHeader[],
  { principal, exchange, signal }: ToolContext,
): Promise<ToolOutput> {
  const holder = holderOf(principal, server);
  const headers = headersFor(repeated, call.arguments);
  const ended = exchange === undefined ? null : endedTask(exchange.state);
  const wanted = exchange?.task ?? null;
  // A call that goes on without its caller cannot ask it, and does not hold up the calls that can.
  const asking = ended === null && wanted === null ? (exchange ?? null) : null;
  const request =
    ended === null
      ? { method: 'tools/call', params: { ...call, ...(wanted === null ? {} : { task: { ttl: wanted.ttl } }) } }
      : { method: 'tasks/result', params: { taskId: ended } };
  try {
    const raw = await caller.call({ server, ...request, holder, headers, exchange: asking, signal });
    if (wanted !== null && isJsonObject(raw) && raw['task'] !== undefined) throw goesOn(readTask(raw['task']));
    const output = callOutput(raw);
    checkAgreement(output);
    return output;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    if (error.code === MISSING_ABILITY) throw missingAbility(error.data);
    return errorOutput(error.code, error.message);
  }
}

/** The call is over for now; its last round, with this state, fetches the result. */
const goesOn = (task: Task): NeedsAnswers => new NeedsAnswers({}, { endedTask: task.taskId }, taskAsJson(task));

/** The server's task whose result the last round of a call fetches; null for every other round. */
const endedTask = (state: JsonValue): string | null =>
  isJsonObject(state) && typeof state['endedTask'] === 'string' ? state['endedTask'] : null;
