import { compileSchema, DEFAULT_LIMITS, SallyportError } from '../core/index.ts';
import { compileApprovers } from './approvers.ts';
import { COMMAND_TOOLS } from './command.ts';
import { compileCommands, compileRuleEndpoints } from './compile-calls.ts';
import { boundsOf } from './compile-limits.ts';
import type { CompiledArgument, CompiledPolicy, CompiledTool } from './compiled.ts';
import type { Obligations } from './decision.ts';
import type { PathUse } from './facts.ts';
import type { PathJudges } from './judge-path.ts';
import { bindPathLists, type PathLists } from './path-rule.ts';
import type { ArgumentRule, Policy, ToolRule } from './policy.ts';
import { indexPrincipals } from './principals.ts';
import { describeProblem } from './problems.ts';
import { REQUEST_TOOL } from './requests.ts';
import { namesTool, serverOf } from './tool-names.ts';

export interface CompileOptions {
  /** Absolute real path of the folder that relative entries are read against. */
  readonly root: string;
  /** Names of the tools that exist: what wildcards stand for. */
  readonly tools: readonly string[];
}

/** What the compilation of one policy shares. */
interface Compilation {
  readonly policy: Policy;
  readonly root: string;
  readonly lists: Map<ToolRule, PathLists>;
  readonly arguments: Map<ToolRule, CompiledTool['arguments']>;
}

/** The tools of our own whose calls always carry a path, and what for. */
const PATH_TOOLS: ReadonlyMap<string, PathUse> = new Map([
  ['file_read', 'file_read'],
  ['file_list', 'file_read'],
  ['file_search', 'file_read'],
  ['file_write', 'file_write'],
]);

/**
 * Binds a policy to a root and to the tools that exist. Decisions take the same time for 10 rules as for 1,000: rules are
 * indexed by tool.
 *
 * @throws SallyportError POLICY_INVALID when the root is not an absolute path
 */
export function compilePolicy(policy: Policy, { root, tools }: CompileOptions): CompiledPolicy {
  if (!root.startsWith('/')) throw new SallyportError('POLICY_INVALID', 'the root of a policy is an absolute path');
  const plainRoot = root.length > 1 && root.endsWith('/') ? root.slice(0, -1) : root;
  const compilation: Compilation = { policy, root: plainRoot, lists: new Map(), arguments: new Map() };
  const find = ruleFinder(policy.tools);
  const compiled = new Map<string, CompiledTool>();
  for (const name of new Set(tools)) {
    const rule = find(name);
    if (rule !== null) compiled.set(name, compileTool(compilation, name, rule, find));
  }
  const names = [...compiled.keys()];
  return Object.freeze({
    policy,
    root: plainRoot,
    tools: compiled,
    principals: policy.principals === null ? null : indexPrincipals(policy.principals, names),
    warnings: Object.freeze([...policy.warnings.map(describeProblem), ...unusedRules(policy, names)]),
  });
}

type RuleFinder = (tool: string) => ToolRule | null;

/** INVARIANT: no tool falls under two keys; the loader refuses policies in which one could. */
function ruleFinder(rules: readonly ToolRule[]): RuleFinder {
  const exact = new Map(rules.map((rule) => [rule.name, rule]));
  const patterns = rules.filter(({ name }) => name.includes('*'));
  return (tool) => exact.get(tool) ?? patterns.find(({ name }) => namesTool(name, tool)) ?? null;
}

function compileTool(compilation: Compilation, name: string, rule: ToolRule, find: RuleFinder): CompiledTool {
  const judges = (use: PathUse): PathJudges => compileJudges(compilation, use, rule, find(use));
  const paths = { file_read: judges('file_read'), file_write: judges('file_write') };
  const commands = COMMAND_TOOLS.has(name) ? compileCommands(rule, paths.file_read, compilation.root) : null;
  const hasUrl =
    name === REQUEST_TOOL || rule.secrets.length > 0 || rule.arguments?.some(({ as }) => as === 'api_call');
  const endpoints = hasUrl === true ? compileRuleEndpoints(rule, find(REQUEST_TOOL)) : null;
  return Object.freeze({
    name,
    rule,
    arguments: compileArguments(compilation, rule),
    paths,
    commands,
    endpoints,
    obligations: compileObligations(compilation.policy, name, rule),
    approvers: compileApprovers(compilation.policy, rule, find),
    effect: rule.effect,
    allowReason: `allowed by ${rule.rule.id}`,
    allowsNothing: allowsNothing(name, { rule, paths, commands, endpoints }),
  });
}

/** Whether an allow-list that every call of the tool has to pass is empty. */
function allowsNothing(
  name: string,
  { rule, paths, commands, endpoints }: Pick<CompiledTool, 'rule' | 'paths' | 'commands' | 'endpoints'>,
): boolean {
  const ownUse = PATH_TOOLS.get(name);
  if (rule.allowedPaths?.length === 0) return true;
  if (ownUse !== undefined && (paths[ownUse].allow?.allowed?.length ?? 0) === 0) return true;
  if (commands !== null && commands.rule.allowedCommands.length === 0) return true;
  return name === REQUEST_TOOL && endpoints !== null && (endpoints.texts.length === 0 || endpoints.methods.size === 0);
}

/** Own `allowedPaths` stand in for those of the rule that the use names; `deniedPaths` of both count. */
function compileJudges(compilation: Compilation, use: PathUse, rule: ToolRule, useRule: ToolRule | null): PathJudges {
  const own = listsOf(compilation, rule);
  const others = useRule === null || useRule === rule ? null : listsOf(compilation, useRule);
  const ownsAllow = own.allowed !== null || others === null;
  const source = ownsAllow || useRule === null ? rule : useRule;
  return {
    use,
    allow: ownsAllow ? own : others,
    deny: others === null ? [own] : [own, others],
    allowRule: { ...source.rule, id: `${source.rule.id}.allowedPaths` },
  };
}

function listsOf({ lists, root }: Compilation, rule: ToolRule): PathLists {
  const known = lists.get(rule);
  if (known !== undefined) return known;
  const bound = bindPathLists(rule.allowedPaths, rule.deniedPaths, root);
  lists.set(rule, bound);
  return bound;
}

function compileArguments(compilation: Compilation, rule: ToolRule): CompiledTool['arguments'] {
  if (rule.arguments === null) return null;
  const known = compilation.arguments.get(rule);
  if (known !== undefined) return known;
  const compiled = new Map(rule.arguments.map((argument) => [argument.name, compileArgument(argument)]));
  compilation.arguments.set(rule, compiled);
  return compiled;
}

const compileArgument = ({ schema, as, rule }: ArgumentRule): CompiledArgument => ({
  schema: compileSchema(schema),
  as,
  rule,
});

function compileObligations(policy: Policy, tool: string, rule: ToolRule): Obligations {
  const server = policy.servers.get(serverOf(tool) ?? '');
  const stated = [rule.isolation, server?.isolation ?? [], policy.defaults.isolation];
  return Object.freeze({
    isolation: stated.find((levels) => levels.length > 0) ?? Object.freeze([]),
    timeoutMs: rule.timeoutMs ?? server?.timeoutMs ?? DEFAULT_LIMITS.upstreamMs,
    maxLength: rule.maxLength,
    onInjection: rule.onInjection ?? 'quarantine',
    boundary: rule.boundary,
    outputSchemas: Object.freeze(rule.outputSchema === null ? [] : [rule.outputSchema]),
    audit: rule.audit,
    ...boundsOf(policy, tool, rule, serverOf(tool)),
  });
}

function unusedRules(policy: Policy, tools: readonly string[]): readonly string[] {
  const exact = new Set(tools);
  return policy.tools
    .filter(({ name }) => !exact.has(name) && !(name.includes('*') && tools.some((tool) => namesTool(name, tool))))
    .map(({ name, rule }) => {
      const place = rule.file === undefined || rule.line === undefined ? '' : `${rule.file}:${rule.line}: `;
      const server = serverOf(name);
      const known = policy.servers.has(server ?? '');
      const what = known
        ? `is not among what was approved: sallyport servers approve ${server}`
        : 'does not exist here';
      return `${place}${rule.id} is for a tool that ${what}`;
    });
}
