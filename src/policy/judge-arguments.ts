import { type JsonValue, quoteForMessage, validateSchema } from '../core/index.ts';
import type { CompiledArgument, CompiledTool } from './compiled.ts';
import type { RuleReference } from './decision.ts';
import type { CallFacts } from './facts.ts';
import { deny, type Finding, listSome, stronger, type Trace, traced } from './finding.ts';
import { judgeReadOnlySql } from './sql-read-only.ts';

/** Judges every argument by the constraints of the rule. ATTACKER-CONTROLLED: names and values. */
export function judgeArguments(tool: CompiledTool, facts: CallFacts, trace: Trace): Finding | null {
  if (tool.arguments === null && tool.rule.otherArguments === 'allow') return null;
  let found: Finding | null = null;
  for (const name of Object.keys(facts.arguments)) {
    const constraint = tool.arguments?.get(name);
    const value = facts.arguments[name] ?? null;
    const finding = constraint === undefined ? judgeUnnamed(tool, name) : judgeNamed(constraint, name, value, facts);
    found = stronger(found, finding);
    if (trace !== null) traced(trace, 'argument', quoteForMessage(name), finding, 'meets its constraint');
    else if (found !== null) return found;
  }
  return stronger(found, judgeAbsentPaths(tool, facts, trace));
}

/** The tool would use a path of its own choice where the rule limits paths: what is called a path has to be given. */
function judgeAbsentPaths({ arguments: named }: CompiledTool, facts: CallFacts, trace: Trace): Finding | null {
  for (const [name, { as, rule }] of named ?? []) {
    const value = Object.hasOwn(facts.arguments, name) ? facts.arguments[name] : undefined;
    if (as === null || (value !== undefined && pathsIn(name, value).length > 0)) continue;
    const quoted = quoteForMessage(name);
    const reason = `${rule.id} limits the path ${quoted}, which this call leaves to the tool`;
    const instead = `Give the argument ${quoted}: a path that the rule allows`;
    return traced(trace, 'argument', quoted, deny('PATH_NOT_ALLOWED', reason, { rule, instead }), '');
  }
  return null;
}

function judgeUnnamed({ rule, arguments: named }: CompiledTool, name: string): Finding | null {
  if (rule.otherArguments === 'allow') return null;
  const names = [...(named?.keys() ?? [])];
  const instead = names.length === 0 ? 'Give no arguments' : `Arguments that the rule names: ${listSome(names)}`;
  const at = { ...rule.rule, id: `${rule.rule.id}.${named === null ? 'otherArguments' : 'arguments'}` };
  return deny('ARGUMENT_NOT_ALLOWED', `${at.id} does not name ${quoteForMessage(name)}`, { rule: at, instead });
}

function judgeNamed(constraint: CompiledArgument, name: string, value: JsonValue, facts: CallFacts): Finding | null {
  const [error] = validateSchema(constraint.schema, value, { maxErrors: 1 });
  if (error !== undefined) {
    const where = error.pointer === '' ? quoteForMessage(name) : quoteForMessage(`${name}${error.pointer}`);
    const instead = `A value that the rule accepts: ${error.message}`;
    return deny('ARGUMENT_VALUE', `the argument ${where}: ${error.message}`, { rule: constraint.rule, instead });
  }
  return judgeUse(constraint, name, value, facts);
}

/** INVARIANT: an argument that stands for something was read as that, or the call is denied. */
function judgeUse({ as, rule }: CompiledArgument, name: string, value: JsonValue, facts: CallFacts): Finding | null {
  if (as === null) return null;
  if (as === 'sql-read-only') return judgeSql(value, rule);
  const unread = pathsIn(name, value).find((pointer) => !wasReadAs(as, pointer, facts));
  if (unread === undefined) return null;
  const [code, what] =
    as === 'api_call' ? (['ENDPOINT_MALFORMED', 'URL'] as const) : (['PATH_MALFORMED', 'path'] as const);
  return deny(code, `the argument ${quoteForMessage(unread)} was not read as a ${what}`, { rule });
}

/** A tool that says it writes the path is judged as a write, though the rule says read. */
function wasReadAs(as: 'api_call' | 'file_read' | 'file_write', pointer: string, facts: CallFacts): boolean {
  if (as === 'api_call') return facts.requests?.[pointer] !== undefined;
  const use = facts.paths[pointer]?.use;
  return use === as || use === 'file_write';
}

function judgeSql(value: JsonValue, rule: RuleReference): Finding | null {
  if (Array.isArray(value)) return value.reduce<Finding | null>((found, item) => found ?? judgeSql(item, rule), null);
  const found = judgeReadOnlySql(typeof value === 'string' ? value : '');
  return found === null ? null : { ...found, rule };
}

/** Where the paths or URLs of an argument stand in the facts: under its name; those of a list with their index. */
function pathsIn(pointer: string, value: JsonValue): readonly string[] {
  if (!Array.isArray(value)) return [pointer];
  return value.flatMap((item, index) => pathsIn(`${pointer}/${index}`, item));
}
