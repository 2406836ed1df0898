import {
  canonicalJson,
  compileSchema,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  quoteForMessage,
  sha256Hex,
} from '../core/index.ts';
import { clientToolName, exposeTools, policyToolName } from './names.ts';

/** Everything a server says about itself: what an operator approves. The resources it has now are live data, and not part of it. */
export interface ServerDefinitions {
  /** Negotiated revision, e.g. `2025-11-25`. */
  readonly protocol: string;
  /** What it declares that it can do. */
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject | null;
  readonly instructions: string | null;
  /** The tool definitions with all their fields, sorted by name. */
  readonly tools: readonly JsonObject[];
  /** The prompts with all their fields, sorted by name; each name once. */
  readonly prompts: readonly JsonObject[];
  /** The templates of resources with all their fields, sorted by `uriTemplate`; each once. */
  readonly resourceTemplates: readonly JsonObject[];
}

/**
 * Digest of what was, or is to be, approved: all of {@link ServerDefinitions}. `sha256:` and 64 hexadecimal digits over
 * canonical JSON (RFC 8785).
 */
export function definitionsDigest(definitions: ServerDefinitions): string {
  const { protocol, capabilities, serverInfo, instructions, tools, prompts, resourceTemplates } = definitions;
  const all = { protocol, capabilities, serverInfo, instructions, tools, prompts, resourceTemplates };
  return `sha256:${sha256Hex(canonicalJson(all))}`;
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
