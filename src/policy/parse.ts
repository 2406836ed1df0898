import {
  canonicalJson,
  copyJson,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  sha256Hex,
} from '../core/index.ts';
import type { Policy } from './policy.ts';
import { locate, type PlaceFinder, type ProblemDraft, refusePolicy } from './problems.ts';
import { readPrincipal } from './read-principal.ts';
import { readServer } from './read-server.ts';
import { readTool } from './read-tool.ts';
import { isolationAt, objectAt, type PolicyReading, segment, textAt, wordAt } from './reading.ts';
import { findShapeProblems } from './shape.ts';
import { checkWhole, type PolicyParts } from './whole.ts';
import { readYaml } from './yaml-source.ts';

/**
 * Reads a policy file (YAML 1.2, at most 1 MiB and 10,000 rules). `file` is the name that messages and rules refer to.
 *
 * @throws SallyportError POLICY_INVALID with `detail.problems`: every problem with file, line, column and remedy
 * @example
 * const policy = parsePolicy('version: 1\ntools: { file_read: { allowedPaths: [src/] } }', { file: 'sallyport.yaml' });
 */
export function parsePolicy(text: string, options: { readonly file: string }): Policy {
  const { value, places, problems } = readYaml(text, options.file);
  if (problems.length > 0) refusePolicy(problems);
  return readPolicy(value, places);
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
  if (shape.length === 0) checkWhole(reading, parts);
  if (reading.problems.length > 0) refuseAll(places, reading.problems);
  return Object.freeze({
    file: places.file,
    digest: sha256Hex(canonicalJson(value)),
    mode: wordAt(MODES, value, 'mode') ?? 'enforce',
    root: textAt(value, 'root') ?? undefined,
    ...parts,
    defaults: Object.freeze({ isolation: isolationAt(objectAt(value, 'defaults') ?? {}) }),
    rules: parts.tools.length,
    warnings: Object.freeze(reading.warnings.map((draft) => locate(places, draft))),
    source: value,
  });
}

const refuseAll = (places: PlaceFinder, drafts: readonly ProblemDraft[]): never =>
  refusePolicy(drafts.map((draft) => locate(places, draft)));

/** Reads what is of the right shape; the rest has its problem already. */
function readParts(reading: PolicyReading, value: JsonObject, shape: readonly ProblemDraft[]): PolicyParts {
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
    servers: new Map(servers.map((server) => [server.name, server])),
    principals: objectAt(value, 'principals') === null ? null : Object.freeze(readAll('principals', readPrincipal)),
  };
}
