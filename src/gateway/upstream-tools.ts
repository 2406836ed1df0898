import { ProtocolError } from '@modelcontextprotocol/client';
import { isSallyportError, type JsonObject } from '../core/index.ts';
import type { Gate, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { callerKey } from './caller.ts';
import type { RefusedTool, UsableTool } from './definitions.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { ApprovedServer } from './upstream-pool.ts';
import { callOutput, errorOutput } from './upstream-result.ts';

/** Runs something on a connection of an approved server; see `Upstreams.with`. */
export type UseServer = <T>(
  server: ApprovedServer,
  holder: string,
  use: (connection: UpstreamConnection) => Promise<T>,
) => Promise<T>;

/** Registers one approved tool at a gate: its name in policies, or why the gate does not take it. */
export function registerTool(
  gate: Gate,
  use: UseServer,
  server: ApprovedServer,
  usable: UsableTool,
): string | RefusedTool {
  const { policyName, originalName, title, description, schema, outputSchema } = usable;
  const tool: Tool = {
    name: policyName,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    runs: server.rule.command === null ? 'remote' : 'spawned',
    server: server.rule.name,
    execute: (args, context) => runTool(use, server, { name: originalName, arguments: args }, context),
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
  use: UseServer,
  server: ApprovedServer,
  call: { readonly name: string; readonly arguments: JsonObject },
  context: ToolContext,
): Promise<ToolOutput> {
  try {
    // The connection is the principal's, over all its sessions.
    return await use(server, callerKey(context.principal), async (connection) =>
      callOutput(await connection.request('tools/call', { ...call }, { signal: context.signal })),
    );
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return errorOutput(error.code, error.message);
  }
}
