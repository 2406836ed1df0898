import { ProtocolError, ProtocolErrorCode, SERVER_INFO_META_KEY } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject, type JsonValue, type Limits } from '../core/index.ts';
import type { ServerDefinitions } from './definitions.ts';
import {
  copyDefinition,
  type DefinitionList,
  fetchList,
  PROMPT_LIST,
  type RawRequest,
  TEMPLATE_LIST,
  TOOL_LIST,
} from './definitions-list.ts';
import type { Opened } from './upstream-connect.ts';

/**
 * All that a server says about itself now. It is asked for nothing that it does not declare.
 *
 * @throws SallyportError SERVER_DEFINITIONS, and what `request` throws
 */
export async function describeServer(
  { client, capabilities }: Opened,
  request: RawRequest,
  limits: Limits,
): Promise<ServerDefinitions> {
  const isModern = client.getProtocolEra() === 'modern';
  const told = isModern ? await discovered(request) : handshake(client, capabilities);
  const now = copyDefinition(told.capabilities, limits);
  const declared = isJsonObject(now) ? now : {};
  const listOf = (capability: string, list: DefinitionList): Promise<readonly JsonObject[]> =>
    declared[capability] === undefined ? Promise.resolve([]) : fetchList(request, list, limits);
  const info = copyDefinition(told.serverInfo, limits);
  const instructions = copyDefinition(told.instructions, limits);
  return {
    protocol: client.getNegotiatedProtocolVersion() ?? 'unknown',
    capabilities: declared,
    serverInfo: isJsonObject(info) ? info : null,
    instructions: typeof instructions === 'string' ? instructions : null,
    tools: await listOf('tools', TOOL_LIST),
    prompts: await listOf('prompts', PROMPT_LIST),
    resourceTemplates: await listOf('resources', TEMPLATE_LIST).catch(noneWhenUnknown),
  };
}

/** Servers with resources need not know of templates. */
function noneWhenUnknown(error: unknown): readonly JsonObject[] {
  if (error instanceof ProtocolError && error.code === ProtocolErrorCode.MethodNotFound) return [];
  throw error;
}

interface Told {
  readonly capabilities: unknown;
  readonly serverInfo: unknown;
  readonly instructions: unknown;
}

/** What a session's handshake said; it holds for the whole session. */
const handshake = (client: Opened['client'], capabilities: JsonObject): Told => ({
  capabilities,
  serverInfo: client.getServerVersion() ?? null,
  instructions: client.getInstructions() ?? null,
});

/** A server without sessions may say something else with each request: it is asked again. ATTACKER-CONTROLLED. */
async function discovered(request: RawRequest): Promise<Told> {
  const raw = await request('server/discover', {});
  const result: JsonObject = isJsonObject(raw) ? raw : {};
  const meta: JsonValue = result['_meta'] ?? null;
  return {
    capabilities: result['capabilities'] ?? {},
    serverInfo: (isJsonObject(meta) ? meta[SERVER_INFO_META_KEY] : undefined) ?? null,
    instructions: result['instructions'] ?? null,
  };
}
