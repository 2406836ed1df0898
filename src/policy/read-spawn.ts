import type { JsonObject } from '../core/index.ts';
import { readEndpointEntry, readInternalEntry, readMethod } from './endpoint-entry.ts';
import { readAllowedEntry } from './path-entry.ts';
import type { EgressRule, ServerPaths, SpawnLimits, SpawnRule } from './policy.ts';
import { checkEntries, type RulePlace, readEntries } from './read-entries.ts';
import { addProblem, objectAt, referTo, sizeAt } from './reading.ts';

/** A tebibyte: more than any machine that agents run on. */
const LARGEST = 1_099_511_627_776;

/** Reads what a rule says about the programs that it lets be spawned. */
export function readSpawn(place: RulePlace, value: JsonObject): SpawnRule {
  return Object.freeze({ limits: readLimits(place, value), egress: readEgress(place, value) });
}

function readLimits({ reading, pointer }: RulePlace, value: JsonObject): SpawnLimits {
  const limits = objectAt(value, 'limits') ?? {};
  const size = (key: string): number | null => sizeAt(reading, limits, key, `${pointer}/limits`, LARGEST);
  const count = (key: string): number | null => (typeof limits[key] === 'number' ? limits[key] : null);
  return Object.freeze({
    memoryBytes: size('memory'),
    processes: count('processes'),
    outputBytes: size('output'),
    openFiles: count('files'),
    fileBytes: size('fileSize'),
    diskBytes: size('disk'),
  });
}

function readEgress(place: RulePlace, value: JsonObject): EgressRule | null {
  const entries = readEntries(place, value, 'egress');
  const { reading, id, pointer } = place;
  if (entries === null) {
    for (const key of ['terminateTls', 'egressCredentials'].filter((one) => value[one] !== undefined))
      addProblem(reading, `${pointer}/${key}`, `${key} without egress`, 'Write egress: [HOST]', 'key');
    return null;
  }
  const internal = readEntries(place, value, 'internalEndpoints') ?? [];
  const methods = readEntries(place, value, 'methods');
  const terminateTls = value['terminateTls'] === true;
  checkEntries(place, 'egress', entries, (text) => troubleIn(text, terminateTls));
  checkEntries(place, 'internalEndpoints', internal, (text) => problemOf(readInternalEntry(text)));
  checkEntries(place, 'methods', methods ?? [], (text) =>
    readMethod(text) === null ? 'it is not a method that can be used' : null,
  );
  if (methods !== null && !terminateTls) {
    const remedy = 'Write terminateTls: true in the same rule, or remove methods';
    addProblem(reading, `${pointer}/methods`, 'methods of a TLS tunnel cannot be seen', remedy, 'key');
  }
  const credentials = value['egressCredentials'] === true;
  const rule = referTo(reading, `${id}.egress`, `${pointer}/egress`, 'key');
  return Object.freeze({ entries, internal, methods, terminateTls, credentials, rule });
}

const problemOf = (read: object | string): string | null => (typeof read === 'string' ? read : null);

/** A limit on what nobody sees would silently not hold. */
function troubleIn(text: string, terminateTls: boolean): string | null {
  const read = readEndpointEntry(text);
  if (typeof read === 'string') return read;
  if (read.path === null || read.path === '' || read.scheme === 'http' || terminateTls) return null;
  return 'the path of a TLS tunnel cannot be seen: write the host alone, or terminateTls: true in the same rule';
}

/** Reads `paths:` of a server; null where the rule has none. */
export function readServerPaths({ reading, id, pointer }: RulePlace, value: JsonObject): ServerPaths | null {
  const paths = objectAt(value, 'paths');
  if (paths === null) return null;
  const place = { reading, id: `${id}.paths`, pointer: `${pointer}/paths` };
  const read = readEntries(place, paths, 'read') ?? [];
  const write = readEntries(place, paths, 'write') ?? [];
  checkEntries(place, 'read', read, (text) => problemOf(readAllowedEntry(text)));
  checkEntries(place, 'write', write, (text) => problemOf(readAllowedEntry(text)));
  return Object.freeze({ read, write });
}
