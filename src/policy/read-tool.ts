import { compileSchema, isJsonObject, isSallyportError, type JsonObject } from '../core/index.ts';
import { readApprovers } from './approvers.ts';
import { ON_INJECTION } from './decision.ts';
import type { ArgumentRule, FlowEffect, FlowLabel, ToolRule } from './policy.ts';
import { readArguments } from './read-arguments.ts';
import { readCommands } from './read-commands.ts';
import { readConfirmation } from './read-confirmation.ts';
import { readEndpoints } from './read-endpoints.ts';
import type { RulePlace } from './read-entries.ts';
import { readBreaker, readCost, readRateLimit } from './read-limits.ts';
import { readPathLists } from './read-paths.ts';
import { readSecrets } from './read-secrets.ts';
import { readSpawn } from './read-spawn.ts';
import {
  addProblem,
  durationAt,
  isolationAt,
  objectAt,
  type PolicyReading,
  referTo,
  segment,
  textsAt,
  wordAt,
  wordOf,
} from './reading.ts';
import { canOverlap, serverOf } from './tool-names.ts';

const EFFECTS: readonly FlowEffect[] = ['read', 'write', 'egress', 'destroy', 'credential'];
const LABELS: readonly FlowLabel[] = ['untrusted', 'private', 'trusted'];

/** Reads one rule under `tools:`. */
export function readTool(reading: PolicyReading, name: string, value: JsonObject): ToolRule {
  const pointer = `/tools${segment(name)}`;
  const id = `tools.${name}`;
  const paths = readPathLists(reading, id, pointer, value);
  const place = { reading, id, pointer };
  const output = objectAt(value, 'output') ?? {};
  const flow = objectAt(value, 'flow') ?? {};
  const named = readArguments(reading, id, pointer, value);
  refuseWritesAsReads(reading, name, named ?? []);
  const endpoints = readEndpoints(place, name, value, named);
  refuseSpawnKeys(place, name, value);
  refusePathsWithoutArgument(
    reading,
    name,
    value,
    named?.some(({ as }) => as === 'file_read' || as === 'file_write') ?? false,
  );
  return Object.freeze({
    name,
    rule: referTo(reading, id, pointer, 'key'),
    ...paths,
    arguments: named,
    otherArguments: wordAt(['allow', 'deny'], value, 'otherArguments') ?? (named === null ? 'allow' : 'deny'),
    ...readCommands(place, name, value),
    ...endpoints,
    confirmation: readConfirmation(place, name, value, { named, ...endpoints }),
    limits: readRateLimit(place, value),
    cost: readCost(value),
    breaker: readBreaker(place, value),
    approvers: readApprovers(value),
    requireSecretManager:
      value['requireSecretManager'] === true
        ? referTo(reading, `${id}.requireSecretManager`, `${pointer}/requireSecretManager`, 'key')
        : null,
    secrets: Object.freeze(readSecrets(place, name, value)),
    maxLength: typeof output['maxLength'] === 'number' ? output['maxLength'] : null,
    onInjection: wordAt(ON_INJECTION, output, 'onInjection'),
    boundary: output['boundary'] === true,
    outputSchema: readOutputSchema(place, output),
    audit: value['audit'] === true,
    isolation: isolationAt(value),
    timeoutMs: durationAt(reading, objectAt(value, 'limits') ?? {}, 'timeout', `${pointer}/limits`),
    spawn: readSpawn(place, value),
    output: Object.freeze((textsAt(flow, 'output') ?? []).flatMap((label) => wordOf(LABELS, label) ?? [])),
    effect: wordAt(EFFECTS, flow, 'effect'),
  });
}

/** A schema that cannot be used would pass everything, or nothing. */
function readOutputSchema({ reading, pointer }: RulePlace, output: JsonObject): JsonObject | null {
  const schema = objectAt(output, 'schema');
  if (schema === null) return null;
  try {
    compileSchema(schema);
    return schema;
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    addProblem(reading, `${pointer}/output/schema`, `the schema cannot be used: ${error.message}`, 'Mend the schema');
    return null;
  }
}

/** A write that is called a read would pass by what is judged for writes only. */
function refuseWritesAsReads(reading: PolicyReading, name: string, named: readonly ArgumentRule[]): void {
  if (!canOverlap(name, 'file_write')) return;
  for (const argument of named) {
    if (argument.as !== 'file_read') continue;
    const place = `/tools${segment(name)}/arguments${segment(argument.name)}`;
    addProblem(reading, place, 'as: file_read in a rule that file_write falls under', 'Write as: file_write', 'key');
  }
}

/** The tools of our own that spawn nothing. */
const SPAWN_NOTHING = new Set(['file_read', 'file_list', 'file_search', 'file_write', 'api_call']);
const SPAWN_LIMITS = ['memory', 'processes', 'output', 'files', 'fileSize', 'disk'];

/** Limits on what is spawned would silently not hold where nothing is, or where a server is that has its own. */
function refuseSpawnKeys({ reading, pointer }: RulePlace, name: string, value: JsonObject): void {
  const server = serverOf(name);
  if (server === null && !SPAWN_NOTHING.has(name)) return;
  const remedy = server === null ? 'Remove it: this tool spawns nothing' : `Write it under servers: ${server}:`;
  const limits = objectAt(value, 'limits') ?? {};
  for (const key of SPAWN_LIMITS.filter((one) => limits[one] !== undefined)) {
    addProblem(reading, `${pointer}/limits/${key}`, `${key} limits what a rule spawns`, remedy, 'key');
  }
  for (const key of ['egress', 'terminateTls', 'egressCredentials'].filter((one) => value[one] !== undefined)) {
    addProblem(reading, `${pointer}/${key}`, `${key} is about what a rule spawns`, remedy, 'key');
  }
}

/** The limit would silently not hold: nothing says which argument of a server's tool is a path. */
function refusePathsWithoutArgument(
  reading: PolicyReading,
  name: string,
  value: JsonObject,
  hasPathArgument: boolean,
): void {
  if (serverOf(name) === null || hasPathArgument) return;
  for (const key of ['allowedPaths', 'deniedPaths']) {
    if (value[key] === undefined || isJsonObject(value[key])) continue;
    const remedy = 'Name the argument: arguments: { path: { as: file_read } }';
    addProblem(reading, `/tools${segment(name)}/${key}`, `${key} without an argument that is a path`, remedy, 'key');
  }
}
