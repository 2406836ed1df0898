import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { GateSession, Tool } from '../gate/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { whySuspicious } from './definition-words.ts';
import { clientToolName, exposeTools, policyNameOfUnlisted, policyToolName } from './names.ts';

/** Tools by the names that clients use. */
export interface ExposedTools {
  readonly byName: ReadonlyMap<string, Tool>;
  /** The name in policies that a client means by a name, listed or not. ATTACKER-CONTROLLED: `name`. */
  policyName(name: string): string;
}

/** The tools that some rule could allow to a session, by the names of its clients; worked out anew only when they changed. */
export function toolExposure(
  session: Pick<GateSession, 'tools'>,
  servers: () => readonly ApprovedServer[],
): () => ExposedTools {
  let known: { readonly from: readonly unknown[]; readonly tools: ExposedTools } | null = null;
  return () => {
    const [tools, approved] = [session.tools(), servers()];
    // Registered tools and approved servers are frozen: the same objects in the same order have the same names.
    const from = [...approved, null, ...tools];
    if (known === null || !isSameList(known.from, from)) known = { from, tools: exposedTools(tools, approved) };
    return known.tools;
  };
}

const isSameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, index) => item === b[index]);

const OWN_NAMES: ReadonlySet<string> = new Set([
  ...['file_read', 'file_list', 'file_search', 'file_write', 'shell', 'api_call'],
]);

function exposedTools(tools: readonly Tool[], servers: readonly ApprovedServer[]): ExposedTools {
  const alone = servers.find(({ rule }) => rule.expose === 'as-is');
  const originals = new Map(
    (alone?.locked.tools ?? []).map((tool) => [
      policyToolName(alone?.rule.name ?? '', String(tool['name'])),
      String(tool['name']),
    ]),
  );
  const nameOf = (tool: Tool): string => {
    const original = originals.get(tool.name);
    // The names of our own tools are ours, also where no rule opens them: a server that takes one keeps its prefix.
    return original === undefined || OWN_NAMES.has(original.toLowerCase()) ? clientToolName(tool.name) : original;
  };
  const { exposed } = exposeTools(tools, nameOf);
  return {
    byName: exposed,
    policyName: (name) => {
      const known = exposed.get(name)?.name;
      if (known !== undefined) return known;
      // What is not listed is denied by the name that it has in the policy, with the policy's reason.
      const isOurs = alone === undefined || name.startsWith('mcp__') || OWN_NAMES.has(name);
      return isOurs ? policyNameOfUnlisted(name) : policyNameOfUnlisted(policyToolName(alone.rule.name, name));
    },
  };
}

/** A prompt as it was approved, with the names on both sides. */
export interface ServedPrompt {
  readonly server: ApprovedServer;
  readonly name: string;
  readonly clientName: string;
  readonly definition: JsonObject;
}

/** The prompts of servers by the names of clients; suspicious ones are left out, and names that could be mistaken for each other. */
export function exposedPrompts(servers: readonly ApprovedServer[]): ReadonlyMap<string, ServedPrompt> {
  const all = servers.flatMap((server) =>
    server.locked.prompts.flatMap((definition): ServedPrompt[] => {
      const name = definition['name'];
      if (typeof name !== 'string' || whySuspicious(server.rule, name, definition) !== null) return [];
      return [{ server, name, definition, clientName: clientPromptName(server, name) }];
    }),
  );
  return exposeTools(all, ({ clientName }) => clientName).exposed;
}

const clientPromptName = ({ rule }: ApprovedServer, name: string): string =>
  rule.expose === 'as-is' ? name : clientToolName(policyToolName(rule.name, name));

/** A prompt as `prompts/list` shows it: approved text in known fields. */
export function listedPrompt({ clientName, definition }: ServedPrompt): JsonObject {
  const { title, description, arguments: args } = definition;
  return {
    name: clientName,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(Array.isArray(args) ? { arguments: args.flatMap(listedArgument) } : {}),
  };
}

function listedArgument(argument: unknown): JsonObject[] {
  if (!isJsonObject(argument) || typeof argument['name'] !== 'string') return [];
  const { name, title, description, required } = argument;
  return [
    {
      name,
      ...(typeof title === 'string' ? { title } : {}),
      ...(typeof description === 'string' ? { description } : {}),
      ...(typeof required === 'boolean' ? { required } : {}),
    },
  ];
}

/**
 * A tool as `tools/list` shows it: approved or built-in text only, and no hint that a server gave about itself.
 * `taskSupport`: whether it can, or must, be called as a task; null: neither.
 */
export function listedTool(name: string, tool: Tool, taskSupport: 'optional' | 'required' | null): JsonObject {
  return {
    name,
    ...(tool.title === undefined ? {} : { title: tool.title }),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    inputSchema: { ...tool.schema, type: 'object' },
    ...(tool.outputSchema === undefined ? {} : { outputSchema: { ...tool.outputSchema, type: 'object' } }),
    ...(taskSupport === null ? {} : { execution: { taskSupport } }),
    ...(tool.runs === 'built-in' && tool.effect === 'read' ? { annotations: { readOnlyHint: true } } : {}),
  };
}
