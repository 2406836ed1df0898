import { ProtocolError } from '@modelcontextprotocol/client';
import { isSallyportError, type JsonObject } from '../core/index.ts';
import type { Gate, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { checkAgreement } from './agreement.ts';
import type { ApprovedServer } from './approved-server.ts';
import type { RefusedTool, UsableTool } from './definitions.ts';
import { headersFor, type ParamHeader, paramHeaders } from './param-headers.ts';
import { holderOf, type ServerCaller } from './server-caller.ts';
import { callOutput, errorOutput } from './upstream-result.ts';

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
    runs: server.rule.command === null ? 'remote' : 'spawned',
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
  try {
    const raw = await caller.call({
      server,
      method: 'tools/call',
      params: { ...call },
      holder,
      headers,
      exchange: exchange ?? null,
      signal,
    });
    const output = callOutput(raw);
    checkAgreement(output);
    return output;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return errorOutput(error.code, error.message);
  }
}
