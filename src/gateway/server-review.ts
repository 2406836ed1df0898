import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { isJsonObject, type JsonObject, type JsonValue, quoteForMessage } from '../core/index.ts';
import { type CompiledPolicy, compilePolicy, type Policy, pathUses, type ServerRule } from '../policy/index.ts';
import { type Neighbour, warnOfNeighbours, whySuspicious } from './definition-words.ts';
import { type RefusedTool, type UsableTool, usableTools } from './definitions.ts';

/** What the tools of a server are reviewed against. */
export interface ReviewContext {
  readonly policy: Policy;
  /** The policy's root, absolute: relative arguments of a server's command are read against it. */
  readonly root: string;
  /** Absolute paths that no tool may reach unjudged: the lock (the policy lies beside it) and the state folder. */
  readonly control: readonly string[];
  /** The other servers of the policy, with what was approved of them. */
  readonly neighbours: readonly Neighbour[];
}

/** The tools of a server under a policy. All texts quote the server: escape them for a terminal. */
export interface ServerReview {
  readonly usable: readonly UsableTool[];
  readonly refused: readonly RefusedTool[];
  /** What an operator should know, one line each. */
  readonly warnings: readonly string[];
}

/**
 * Splits the definitions of a server into tools that can be offered under a policy and tools that cannot: those whose words
 * are suspicious are not offered. Names the arguments that look like paths and that no rule judges as such. A tool with one is refused where the server is spawned
 * on a folder that holds our own policy, lock or state: it could rewrite what guards it.
 */
export function reviewServer(
  rule: ServerRule,
  definitions: readonly JsonObject[],
  context: ReviewContext,
): ServerReview {
  const { usable, refused } = readableTools(rule, definitions);
  const neighbours = warnOfNeighbours(rule, definitions, context.neighbours);
  const tools = usable.map(({ policyName }) => policyName);
  const compiled = compilePolicy(context.policy, { root: context.root, tools });
  const exposed = exposedFolder(rule, context);
  const found = usable.map((tool) => ({ tool, unjudged: unjudgedPaths(compiled, tool) }));
  const open = found.filter(({ unjudged }) => unjudged.length > 0);
  if (exposed === null) {
    return { usable, refused, warnings: [...open.map(({ tool, unjudged }) => warn(tool, unjudged)), ...neighbours] };
  }
  const unsafe = open.map(({ tool, unjudged }) => ({
    name: tool.policyName,
    reason: `the server works on ${quoteForMessage(exposed, 200)}, which holds the policy, its lock or the state folder, and no rule judges ${namesOf(unjudged)} as a path: add as: file_read or as: file_write`,
  }));
  const safe = found.filter(({ unjudged }) => unjudged.length === 0).map(({ tool }) => tool);
  return { usable: safe, refused: [...refused, ...unsafe], warnings: neighbours };
}

/** The tools that can be offered, without those that the guard finds suspicious. */
function readableTools(rule: ServerRule, definitions: readonly JsonObject[]): ReturnType<typeof usableTools> {
  const { usable, refused } = usableTools(rule.name, definitions);
  // Several of one name may be there, of which one can be offered: all of them count.
  const reasonOf = new Map<string, string>();
  for (const definition of definitions) {
    const name = String(definition['name']);
    const reason = whySuspicious(rule, name, definition);
    if (reason !== null) reasonOf.set(name, reason);
  }
  const reasons = usable.map(({ originalName }) => reasonOf.get(originalName) ?? null);
  const suspicious = usable.flatMap(({ policyName }, index): RefusedTool[] => {
    const reason = reasons[index] ?? null;
    return reason === null ? [] : [{ name: policyName, reason }];
  });
  return { usable: usable.filter((_, index) => reasons[index] === null), refused: [...refused, ...suspicious] };
}

const warn = ({ policyName }: UsableTool, unjudged: readonly string[]): string =>
  `${policyName}: ${namesOf(unjudged)} may be a path that no rule judges: add as: file_read or as: file_write`;

const namesOf = (names: readonly string[]): string => names.map((name) => quoteForMessage(name, 64)).join(', ');

/** Last words of argument names that stand for a place in a file system. */
const PATH_WORDS: ReadonlySet<string> = new Set(
  (
    'path paths pathname pathnames file files filename filenames filepath filepaths source sources src destination ' +
    'destinations dest dst target targets dir dirs directory directories folder folders uri uris cwd'
  ).split(' '),
);

/** Arguments of a callable tool that look like paths, may have any value, and have no `as:`. */
function unjudgedPaths(compiled: CompiledPolicy, { policyName, schema }: UsableTool): readonly string[] {
  const tool = compiled.tools.get(policyName);
  if (tool === undefined || tool.allowsNothing) return [];
  const uses = pathUses(compiled, policyName);
  // Values that the policy itself spells out are its author's choice.
  const spelledOut = new Set(
    (tool.rule.arguments ?? []).filter(({ schema }) => 'const' in schema || 'enum' in schema).map(({ name }) => name),
  );
  const mayBeGiven = (name: string): boolean =>
    tool.rule.otherArguments === 'allow' || tool.arguments?.has(name) === true;
  const properties = isJsonObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  return properties
    .filter(
      ([name, value]) =>
        looksLikePath(name, value) && mayBeGiven(name) && uses[name] === undefined && !spelledOut.has(name),
    )
    .map(([name]) => name);
}

/** ATTACKER-CONTROLLED: both, from the server's definition. */
function looksLikePath(name: string, schema: JsonValue): boolean {
  const type = isJsonObject(schema) ? schema['type'] : undefined;
  if (type === 'boolean' || type === 'number' || type === 'integer' || type === 'null') return false;
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z]+/);
  return PATH_WORDS.has(words.filter((word) => word !== '').at(-1) ?? '');
}

/** The folder that a spawned server is told of and that holds a control path; null if there is none. */
function exposedFolder(rule: ServerRule, { root, control }: ReviewContext): string | null {
  if (rule.url !== null) return null;
  const { command, env } = rule;
  const places = control.map(realOf);
  const told = [...(rule.package?.args ?? command?.slice(1) ?? []), ...Object.values(env)].flatMap((text) => [
    text,
    text.slice(text.indexOf('=') + 1),
  ]);
  const folders = told.filter((text) => text !== '').map((text) => folderOf(root, text));
  const isWithin = (place: string, folder: string): boolean => place === folder || place.startsWith(withSlash(folder));
  return folders.find((folder) => folder !== null && places.some((place) => isWithin(place, folder))) ?? null;
}

const withSlash = (folder: string): string => (folder.endsWith('/') ? folder : `${folder}/`);

function folderOf(root: string, text: string): string | null {
  try {
    const real = realpathSync(resolve(root, text.replace(/^file:\/\//, '')));
    return statSync(real).isDirectory() ? real : null;
  } catch {
    return null; // an argument that is no path
  }
}

/** The real path, also of what does not exist yet. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(realOf(dirname(path)), basename(path));
  }
}
