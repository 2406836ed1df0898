import {
  canonicalJson,
  compileSchema,
  copyJson,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  type Limits,
  quoteForMessage,
  SallyportError,
  sha256Hex,
} from '../core/index.ts';
import { clientToolName, exposeTools, policyToolName } from './names.ts';

/** Everything a server says about itself: what an operator approves. */
export interface ServerDefinitions {
  /** Negotiated revision, e.g. `2025-11-25`. */
  readonly protocol: string;
  readonly serverInfo: JsonObject | null;
  readonly instructions: string | null;
  /** The tool definitions with all their fields, sorted by name. */
  readonly tools: readonly JsonObject[];
}

/** One request to a server whose result nobody has checked. */
export type RawRequest = (method: string, params: JsonObject) => Promise<unknown>;

const MAX_PAGES = 64;

/**
 * Fetches all tool definitions of a server. ATTACKER-CONTROLLED: all of them.
 *
 * @throws SallyportError SERVER_DEFINITIONS (over a limit, or no list of named tools), and what `request` throws
 */
export async function fetchTools(request: RawRequest, limits: Limits): Promise<readonly JsonObject[]> {
  const tools: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const raw = await request('tools/list', cursor === undefined ? {} : { cursor });
    const listed = isJsonObject(raw) ? raw['tools'] : undefined;
    if (!Array.isArray(listed)) throw unusable('the server has no list of tools');
    if (tools.length + listed.length > limits.definitionsPerServer) {
      throw unusable(`the server has more than ${limits.definitionsPerServer} tools`);
    }
    for (const tool of listed) tools.push(readTool(tool, limits));
    const next = isJsonObject(raw) ? raw['nextCursor'] : undefined;
    if (typeof next !== 'string') return sortByName(tools);
    cursor = next;
  }
  throw unusable(`the server's list of tools has more than ${MAX_PAGES} pages`);
}

function readTool(raw: unknown, limits: Limits): JsonObject {
  const tool = copyDefinition(raw, limits);
  if (!isJsonObject(tool)) throw unusable('a tool definition is no object');
  if (typeof tool['name'] !== 'string' || tool['name'] === '') throw unusable('a tool has no name');
  if (Buffer.byteLength(canonicalJson(tool)) > limits.definitionBytes) {
    throw unusable(
      `the definition of ${quoteForMessage(tool['name'], 64)} is larger than ${limits.definitionBytes} bytes`,
    );
  }
  return tool;
}

/** A copy of JSON that a server sent. @throws SallyportError SERVER_DEFINITIONS */
export function copyDefinition(raw: unknown, limits: Limits): JsonValue {
  try {
    return copyJson(raw, { maxBytes: limits.definitionBytes, maxDepth: limits.schemaDepth });
  } catch (cause) {
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    throw new SallyportError('SERVER_DEFINITIONS', `a definition cannot be used: ${why}`, { cause });
  }
}

const sortByName = (tools: readonly JsonObject[]): JsonObject[] =>
  tools
    .map((tool) => ({ tool, key: `${String(tool['name'])}\n${canonicalJson(tool)}` }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ tool }) => tool);

/**
 * Digest of what was, or is to be, approved: who the server says it is, what it tells the model, and every definition.
 * `sha256:` and 64 hexadecimal digits over canonical JSON (RFC 8785).
 */
export function definitionsDigest({ serverInfo, instructions, tools }: ServerDefinitions): string {
  return `sha256:${sha256Hex(canonicalJson({ serverInfo, instructions, tools }))}`;
}

/** A tool that a gate can offer. */
export interface UsableTool {
  readonly policyName: string;
  /** As the server calls it. */
  readonly originalName: string;
  readonly title?: string;
  readonly description?: string;
  readonly schema: JsonObject;
  readonly outputSchema?: JsonObject;
}

/** A tool that cannot be offered, and why; `name` is its name in policies. */
export interface RefusedTool {
  readonly name: string;
  readonly reason: string;
}

/**
 * Splits the definitions of a server into tools that can be offered and tools that cannot: a schema that does not compile
 * (a remote reference, a pattern beyond the linear engine), or a name that another one could be mistaken for.
 */
export function usableTools(
  server: string,
  tools: readonly JsonObject[],
): { readonly usable: readonly UsableTool[]; readonly refused: readonly RefusedTool[] } {
  const read = tools.map((tool) => readDefinition(server, tool));
  const good = read.filter((tool): tool is UsableTool => !('reason' in tool));
  // Both forms of a name must be unique: the one that policies judge and the one that clients see.
  const byPolicyName = exposeTools(good, (tool) => tool.policyName);
  const byClientName = exposeTools([...byPolicyName.exposed.values()], (tool) => clientToolName(tool.policyName));
  const collisions = [...byPolicyName.collisions, ...byClientName.collisions].map((tool) => ({
    name: tool.policyName,
    reason: `the name ${quoteForMessage(tool.originalName, 64)} can be mistaken for that of another tool of the server`,
  }));
  const refused = read.filter((tool): tool is RefusedTool => 'reason' in tool);
  return { usable: [...byClientName.exposed.values()], refused: [...refused, ...collisions] };
}

function readDefinition(server: string, tool: JsonObject): UsableTool | RefusedTool {
  const originalName = String(tool['name']);
  const policyName = policyToolName(server, originalName);
  const { title, description, inputSchema, outputSchema } = tool;
  const trouble = schemaTrouble('inputSchema', inputSchema) ?? optionalSchemaTrouble(outputSchema);
  if (trouble !== null || !isJsonObject(inputSchema)) {
    return { name: policyName, reason: trouble ?? 'inputSchema is no object' };
  }
  return {
    policyName,
    originalName,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    schema: inputSchema,
    ...(isJsonObject(outputSchema) ? { outputSchema } : {}),
  };
}

const optionalSchemaTrouble = (schema: unknown): string | null =>
  schema === undefined ? null : schemaTrouble('outputSchema', schema);

function schemaTrouble(name: string, schema: unknown): string | null {
  if (!isJsonObject(schema)) return `${name} is no object`;
  if (schema['type'] !== 'object') return `${name} does not say type: object`;
  try {
    compileSchema(schema);
    return null;
  } catch (error) {
    if (isSallyportError(error)) return `${name}: ${error.message}`;
    throw error;
  }
}

const unusable = (message: string): SallyportError => new SallyportError('SERVER_DEFINITIONS', message);
