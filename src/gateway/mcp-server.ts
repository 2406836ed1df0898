import { Server } from '@modelcontextprotocol/server';
import type { ServedSession } from './served-session.ts';

/** Revisions with sessions that clients may speak, newest first. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26'];
/** The stateless revision. */
export const MODERN_VERSION = '2026-07-28';

const INSTRUCTIONS =
  'Every call passes a policy. A denied call says which rule denied it and what would be allowed: change the call, or ask the operator.';

/** An MCP server over one session: it lists and calls tools, and answers nothing else. `version` is told to clients. */
export function buildMcpServer(session: ServedSession, version: string): Server {
  const server = new Server(
    { name: 'sallyport', version },
    {
      capabilities: { tools: {} },
      instructions: INSTRUCTIONS,
      supportedProtocolVersions: [...LEGACY_VERSIONS, MODERN_VERSION],
    },
  );
  server.setRequestHandler('tools/list', async () => ({ tools: await session.list() }));
  // A client's `_meta` ends here: it reaches neither the gate nor a server behind it.
  server.setRequestHandler('tools/call', ({ params }, context) =>
    session.call(params.name, params.arguments ?? {}, context.mcpReq.signal),
  );
  return server;
}
