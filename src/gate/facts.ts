import { fileURLToPath } from 'node:url';
import type { JsonValue } from '../core/index.ts';
import {
  asksWhenSuspicious,
  type CallFacts,
  type PathReading,
  type PathUse,
  pathUses,
  readActionName,
  strongestUses,
} from '../policy/index.ts';
import type { CallRequest } from './call.ts';
import { readCommand } from './command-facts.ts';
import type { House } from './house.ts';
import type { ParsedCall } from './parse.ts';
import { type ReadPathOptions, readPath } from './path-facts.ts';
import { type RequestReader, readRequests } from './request-facts.ts';
import { suspicionOfCall } from './suspects.ts';

type PathFactsByPointer = Record<string, { readonly use: PathUse; readonly reading: PathReading }>;

/** The part of a house that reading arguments takes. */
export type ArgumentReader = Pick<House, 'registry' | 'root' | 'control' | 'limits' | 'compiled'>;

/** Step 3: everything a decision needs that only the world knows. After this no step but `execute` does I/O. */
export function gatherFacts(
  house: House,
  { principal, parsed }: CallRequest,
  known: { readonly uncertain: boolean; readonly isolation: CallFacts['isolation'] | null },
): Promise<CallFacts> {
  const suspicion = asksWhenSuspicious(house.compiled(), parsed.name)
    ? suspicionOfCall(house, principal.session, parsed)
    : null;
  return readFacts(house, { principal, parsed, ...known, suspicion });
}

/** The part of a house that facts are read with. */
export type FactReader = ArgumentReader & RequestReader;

/** The facts of a call, but for what was called before. */
export async function readFacts(
  reader: FactReader,
  {
    principal,
    parsed,
    uncertain,
    isolation = null,
    suspicion,
  }: Pick<CallRequest, 'principal' | 'parsed'> & {
    readonly uncertain: boolean;
    readonly isolation?: CallFacts['isolation'] | null;
    readonly suspicion?: string | null;
  },
): Promise<CallFacts> {
  const tool = parsed.registered?.tool;
  const requests = await readRequests(reader, parsed);
  // INVARIANT: the disk is read last, after everything that waits: no time passes between it and the decision.
  const { command, paths } = readCommand(reader, parsed);
  return Object.freeze({
    tool: parsed.name,
    arguments: parsed.arguments,
    principal,
    ...(tool?.paths === undefined ? {} : { declaredPaths: tool.paths }),
    paths: Object.freeze({ ...readPaths(reader, parsed), ...readResource(reader, parsed), ...paths }),
    ...(command === undefined ? {} : { command }),
    ...(Object.keys(requests).length === 0 ? {} : { requests }),
    runs: tool?.runs ?? 'in-process',
    ...(tool?.effect === undefined || tool.server !== undefined ? {} : { effect: tool.effect }),
    ...(isolation === null || isolation === undefined ? {} : { isolation }),
    ...(suspicion === undefined ? {} : { suspicion }),
    uncertain,
  });
}

/** How each path argument of a call reads; none when the arguments cannot be used at all. */
function readPaths(reader: ArgumentReader, parsed: ParsedCall): CallFacts['paths'] {
  const paths: PathFactsByPointer = {};
  if (parsed.trouble === null) {
    const uses = strongestUses(parsed.registered?.tool.paths ?? {}, pathUses(reader.compiled(), parsed.name));
    // A tool that is not ours may open the path by its name.
    const openedElsewhere = parsed.registered?.tool.runs !== 'built-in';
    const { root, control, limits } = reader;
    for (const [name, use] of Object.entries(uses)) {
      addReadings(paths, { root, control, limits, use, openedElsewhere }, name, parsed.arguments[name]);
    }
  }
  return Object.freeze(paths);
}

/** The file behind a `file:` URI that a spawned server is asked for: what `file_read` withholds, it does not give out either. */
function readResource(reader: ArgumentReader, { name, arguments: args, registered }: ParsedCall): CallFacts['paths'] {
  const { uri } = args;
  const isAsked = registered?.tool.runs === 'spawned' && readActionName(name) !== null;
  if (!isAsked || typeof uri !== 'string' || !/^file:/i.test(uri)) return {};
  const { root, control, limits } = reader;
  const given = pathOfUri(uri);
  const use = 'file_read';
  const reading: PathReading =
    given === null
      ? { given: uri.slice(0, 200), trouble: 'PATH_MALFORMED' }
      : readPath(given, { root, control, limits, use, openedElsewhere: true });
  return { uri: Object.freeze({ use, reading }) };
}

function pathOfUri(uri: string): string | null {
  try {
    return fileURLToPath(uri);
  } catch {
    return null; // another host, or an encoded separator
  }
}

/** A path argument is a string, or a list of strings (`paths/0`, `paths/1`, …). Anything else cannot be judged. */
function addReadings(
  into: PathFactsByPointer,
  options: ReadPathOptions,
  pointer: string,
  value: JsonValue | undefined,
): void {
  if (value === undefined) return;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) addReadings(into, options, `${pointer}/${index}`, item);
    return;
  }
  const reading: PathReading =
    typeof value === 'string' ? readPath(value, options) : { given: '', trouble: 'PATH_MALFORMED' };
  into[pointer] = Object.freeze({ use: options.use, reading });
}
