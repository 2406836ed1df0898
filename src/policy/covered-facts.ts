import type { JsonObject, JsonValue } from '../core/index.ts';
import { readActionName } from './actions.ts';
import type { CompiledPolicy } from './compiled.ts';
import type { CallFacts, PathUse } from './facts.ts';
import { ownRequestsOf } from './requests.ts';

/** What arguments are used for, by name. */
export type PathUses = Readonly<Record<string, PathUse>>;

/** Which arguments one policy declares to be paths, without the policy that counts besides. */
export function ownPathUses(compiled: CompiledPolicy, tool: string): PathUses {
  const uses: Record<string, PathUse> = Object.create(null);
  for (const [name, { as }] of compiled.tools.get(tool)?.arguments ?? []) {
    if (as === 'file_read' || as === 'file_write') uses[name] = as;
  }
  return uses;
}

/** INVARIANT: what anybody calls a write stays one: control files are judged by the use. */
export function strongestUses(first: PathUses, second: PathUses): PathUses {
  const uses: Record<string, PathUse> = Object.assign(Object.create(null), first);
  for (const [name, use] of Object.entries(second)) if (uses[name] !== 'file_write') uses[name] = use;
  return uses;
}

/** Where the paths of an argument stand in the facts: its name, `NAME/INDEX` in lists. */
function pointersOf(pointer: string, value: JsonValue | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [pointer];
  return value.flatMap((item, index) => pointersOf(`${pointer}/${index}`, item));
}

/** Paths of a command line, which are read the same under every policy. */
const COMMAND_PATHS = 'command:';

/**
 * The facts of a call as one policy reads them, out of facts that were gathered for it or for others: with the uses that this
 * policy declares. `null`: something that this policy judges was not looked at, so that it cannot be decided from these facts.
 */
export function factsFor(compiled: CompiledPolicy, facts: CallFacts): CallFacts | null {
  const paths = coveredPaths(facts, strongestUses(facts.declaredPaths ?? {}, ownPathUses(compiled, facts.tool)));
  const requests = coveredRequests(facts, ownRequestsOf(compiled, facts.tool, facts.arguments));
  if (paths === null || requests === null) return null;
  const { requests: _others, ...rest } = facts;
  return Object.freeze({ ...rest, paths, ...(Object.keys(requests).length === 0 ? {} : { requests }) });
}

function coveredPaths(facts: CallFacts, uses: PathUses): CallFacts['paths'] | null {
  const paths: Record<string, CallFacts['paths'][string]> = {};
  // The file behind a resource is no argument that a policy calls a path: it is looked at under every policy.
  const isAction = readActionName(facts.tool) !== null;
  for (const [pointer, path] of Object.entries(facts.paths)) {
    if (isAction || pointer.startsWith(COMMAND_PATHS)) paths[pointer] = path;
  }
  for (const [name, use] of Object.entries(uses)) {
    for (const pointer of pointersOf(name, argumentOf(facts.arguments, name))) {
      const known = Object.hasOwn(facts.paths, pointer) ? facts.paths[pointer] : undefined;
      // A path that was read for reading was not asked everything that a write is asked.
      if (known === undefined || (use === 'file_write' && known.use !== 'file_write')) return null;
      paths[pointer] = { use, reading: known.reading };
    }
  }
  return Object.freeze(paths);
}

const argumentOf = (args: JsonObject, name: string): JsonValue | undefined =>
  Object.hasOwn(args, name) ? args[name] : undefined;

function coveredRequests(facts: CallFacts, wanted: object): NonNullable<CallFacts['requests']> | null {
  const requests: Record<string, NonNullable<CallFacts['requests']>[string]> = {};
  for (const pointer of Object.keys(wanted)) {
    const known = facts.requests?.[pointer];
    if (known === undefined) return null;
    requests[pointer] = known;
  }
  return Object.freeze(requests);
}
