import type { CallToolResult, Tool as ListedTool } from '@modelcontextprotocol/server';
import type { GateSession, Tool } from '../gate/index.ts';
import { callAnswer } from './call-answer.ts';
import { clientToolName, exposeTools, policyNameOfUnlisted } from './names.ts';

/** A gate session as MCP clients see it: the names they use, the results they read. */
export interface ServedSession {
  /** The tools that some rule could allow to this session's principal; nothing else is shown. */
  list(): Promise<ListedTool[]>;
  /** One guarded call by the name that the client uses. A denial is a result, never an error. */
  call(name: string, args: unknown, signal: AbortSignal): Promise<CallToolResult>;
}

/**
 * Serves a gate session. `refresh` runs before tools are listed and before a tool that is not listed is called: the
 * approved definitions may have changed.
 */
export function serveSession(session: GateSession, refresh: () => Promise<void>): ServedSession {
  let names: ReadonlyMap<string, string> = new Map();
  const expose = async (): Promise<ReadonlyMap<string, Tool>> => {
    await refresh();
    const { exposed } = exposeTools(session.tools(), (tool) => clientToolName(tool.name));
    names = new Map([...exposed].map(([name, tool]) => [name, tool.name]));
    return exposed;
  };
  return {
    list: async () => [...(await expose())].map(([name, tool]) => listedTool(name, tool)),
    call: async (name, args, signal) => {
      // A stale name is harmless: it only says which policy name the client means, and the gate judges that one.
      const policyName = names.get(name) ?? (await expose()).get(name)?.name ?? policyNameOfUnlisted(name);
      return callAnswer(await session.call(policyName, args, { signal }));
    },
  };
}

/** A session that is opened, and recorded, with the first request that needs it: a handshake alone costs no record. */
export function servedWhenUsed(open: () => Promise<ServedSession>): ServedSession {
  let opening: Promise<ServedSession> | null = null;
  const opened = (): Promise<ServedSession> => {
    opening ??= open().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  return {
    list: async () => (await opened()).list(),
    call: async (name, args, signal) => (await opened()).call(name, args, signal),
  };
}

/** A tool as `tools/list` shows it: approved or built-in text only, and no hint that a server gave about itself. */
function listedTool(name: string, tool: Tool): ListedTool {
  return {
    name,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    inputSchema: { ...tool.schema, type: 'object' },
    ...(tool.outputSchema === undefined ? {} : { outputSchema: { ...tool.outputSchema, type: 'object' } }),
    ...(tool.runs === 'built-in' && tool.effect === 'read' ? { annotations: { readOnlyHint: true } } : {}),
  };
}
