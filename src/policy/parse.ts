import { isUtf8 } from 'node:buffer';
import {
  canonicalJson,
  copyJson,
  type IsolationLevel,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  quoteForMessage,
  SallyportError,
  sha256Hex,
} from '../core/index.ts';
import { readApprovers } from './approvers.ts';
import type { Policy } from './policy.ts';
import { locate, type PlaceFinder, type ProblemDraft, refusePolicy } from './problems.ts';
import { readNamedLimit } from './read-limits.ts';
import { readPrincipal } from './read-principal.ts';
import { readServer } from './read-server.ts';
import { readSandboxSettings } from './read-settings.ts';
import { readTool } from './read-tool.ts';
import { addProblem, isolationAt, objectAt, type PolicyReading, segment, textAt, wordAt } from './reading.ts';
import { findShapeProblems } from './shape.ts';
import { checkWhole, type PolicyParts } from './whole.ts';
import { readYaml } from './yaml-source.ts';

/** The policies that were read and checked here: nothing else passes for one. */
const PARSED = new WeakSet<object>();

/** Whether an object is a policy that `parsePolicy` or `policyFromObject` returned: one that looks like it was never checked. */
export const isPolicy = (value: object): value is Policy => PARSED.has(value);

/**
 * The same policy for a place of its own, as for the cases of a test: without its `root:`, and with no isolation asked for
 * where it asks for none. Nothing else about a checked policy can be changed.
 */
export function policyForCases(policy: Policy): Policy {
  if (!isPolicy(policy))
    throw new SallyportError('POLICY_INVALID', 'only a policy that was read can be used for cases');
  const { isolation } = policy.defaults;
  const none: readonly IsolationLevel[] = Object.freeze(['none']);
  const defaults = Object.freeze({ ...policy.defaults, isolation: isolation.length === 0 ? none : isolation });
  const derived: Policy = Object.freeze({ ...policy, root: undefined, defaults });
  PARSED.add(derived);
  return derived;
}

/**
 * Reads a policy file (YAML 1.2, at most 1 MiB and 10,000 rules): its text, or its bytes, which must be UTF-8. `file` is
 * the name that messages and rules refer to.
 *
 * @throws SallyportError POLICY_INVALID with `detail.problems`: every problem with file, line, column and remedy
 * @example
 * const policy = parsePolicy('version: 1\ntools: { file_read: { allowedPaths: [src/] } }', { file: 'sallyport.yaml' });
 */
export function parsePolicy(text: string | Uint8Array, { file }: { readonly file: string }): Policy {
  const { value, places, problems } = readYaml(typeof text === 'string' ? text : decodeUtf8(text, file), file);
  if (problems.length > 0) refusePolicy(problems);
  return readPolicy(value, places);
}

/** Another encoding would give other names than the operator sees: what they deny would not be denied. */
function decodeUtf8(bytes: Uint8Array, file: string): string {
  if (isUtf8(bytes)) return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const lossy = new TextDecoder('utf-8').decode(bytes);
  const line = lossy.slice(0, lossy.indexOf('\ufffd')).split('\n').length;
  const message = 'the policy is not UTF-8';
  return refusePolicy([{ message, file, line, column: 1, remedy: 'Save the file as UTF-8', pointer: '' }]);
}

/**
 * Reads a policy that is given as an object: the same schema as the file. The object is copied.
 *
 * @throws SallyportError POLICY_INVALID with `detail.problems`, whose places are pointers
 */
export function policyFromObject(value: unknown, options: { readonly file?: string } = {}): Policy {
  const places: PlaceFinder = { file: options.file ?? 'policy', find: () => ({ line: 0, column: 0 }) };
  return readPolicy(copyPolicy(value, places), places);
}

function copyPolicy(value: unknown, places: PlaceFinder): JsonValue {
  try {
    return copyJson(value);
  } catch (error) {
    if (!isSallyportError(error)) throw error;
    const draft = { pointer: '', part: 'value' as const, message: error.message, remedy: error.remedy };
    return refusePolicy([locate(places, draft)]);
  }
}

const MODES: readonly Policy['mode'][] = ['enforce', 'observe'];

function readPolicy(value: JsonValue, places: PlaceFinder): Policy {
  const shape = findShapeProblems(value);
  if (!isJsonObject(value)) return refuseAll(places, shape);
  const reading: PolicyReading = { places, problems: [...shape], warnings: [] };
  const parts = readParts(reading, value, shape);
  // What is misread because of its shape would only be reported twice.
  const isolation = isolationAt(objectAt(value, 'defaults') ?? {});
  if (shape.length === 0) checkWhole(reading, { ...parts, isolation });
  refuseSecrets(reading, value, '');
  if (reading.problems.length > 0) refuseAll(places, reading.problems);
  const policy: Policy = Object.freeze({
    file: places.file,
    digest: sha256Hex(canonicalJson(value)),
    mode: wordAt(MODES, value, 'mode') ?? 'enforce',
    root: textAt(value, 'root') ?? undefined,
    ...parts,
    sandbox: readSandboxSettings(objectAt(value, 'sandbox') ?? {}),
    defaults: Object.freeze({ isolation, approvers: readApprovers(objectAt(value, 'defaults') ?? {}) }),
    rules: parts.tools.length,
    warnings: Object.freeze(reading.warnings.map((draft) => locate(places, draft))),
    source: value,
  });
  PARSED.add(policy);
  return policy;
}

/** Where a reference is understood. */
const SECRET_PLACES = /^\/tools\/[^/]+\/secrets\/[^/]+\/(?:\d+\/)?(?:value|basic)$/;

/** INVARIANT: what looks like the name of a secret is nowhere handed on as it is written. */
function refuseSecrets(reading: PolicyReading, value: JsonValue, pointer: string): void {
  if (typeof value === 'string') refuseSecret(reading, value, pointer, 'value');
  if (value === null || typeof value !== 'object') return;
  for (const [key, entry] of Object.entries(value)) {
    const place = pointer + segment(key);
    refuseSecret(reading, key, place, 'key');
    refuseSecrets(reading, entry, place);
  }
}

function refuseSecret(reading: PolicyReading, text: string, pointer: string, part: 'key' | 'value'): void {
  if (SECRET_PLACES.test(pointer)) return; // read, checked and resolved for each request
  if (!/\$\{\s*secret\s*:/i.test(text) || reading.problems.some((problem) => problem.pointer === pointer)) return;
  const message = `${quoteForMessage(text, 60)} is a secret reference, which does nothing here`;
  addProblem(reading, pointer, message, 'Remove it; until then, allow nothing that would rely on it', part);
}

const refuseAll = (places: PlaceFinder, drafts: readonly ProblemDraft[]): never =>
  refusePolicy(drafts.map((draft) => locate(places, draft)));

/** Reads what is of the right shape; the rest has its problem already. */
function readParts(
  reading: PolicyReading,
  value: JsonObject,
  shape: readonly ProblemDraft[],
): Omit<PolicyParts, 'isolation'> {
  const isSound = (pointer: string): boolean =>
    !shape.some((problem) => problem.pointer === pointer || problem.pointer.startsWith(`${pointer}/`));
  const readAll = <Rule>(
    key: string,
    read: (reading: PolicyReading, name: string, value: JsonObject) => Rule,
  ): Rule[] =>
    Object.entries(objectAt(value, key) ?? {}).flatMap(([name, entry]) =>
      isJsonObject(entry) && isSound(`/${key}${segment(name)}`) ? [read(reading, name, entry)] : [],
    );
  const servers = readAll('servers', readServer);
  return {
    tools: Object.freeze(readAll('tools', readTool)),
    servers: frozenMap(new Map(servers.map((server) => [server.name, server]))),
    principals: objectAt(value, 'principals') === null ? null : Object.freeze(readAll('principals', readPrincipal)),
    limits: Object.freeze(readAll('limits', readNamedLimit)),
  };
}

/** A view of a map that nobody can add to. */
function frozenMap<Key, Value>(map: ReadonlyMap<Key, Value>): ReadonlyMap<Key, Value> {
  const view: ReadonlyMap<Key, Value> = {
    size: map.size,
    get: (key) => map.get(key),
    has: (key) => map.has(key),
    forEach: (callback) => {
      for (const [key, value] of map) callback(value, key, view);
    },
    entries: () => map.entries(),
    keys: () => map.keys(),
    values: () => map.values(),
    [Symbol.iterator]: () => map[Symbol.iterator](),
  };
  return Object.freeze(view);
}
