import {
  type CompiledSchema,
  compileSchema,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  SallyportError,
  validateSchema,
} from '../core/index.ts';
import type { ToolOutput } from './tool.ts';

const unfit = (why: string): SallyportError => new SallyportError('RESULT_MALFORMED', why);

/**
 * Step 13: a result that declares a structure has it, and says the same in its texts; what the policy wants of it holds.
 * ATTACKER-CONTROLLED: `output`. Every check is bounded (`validateSchema`), so that nothing waits for it.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export function checkOutput(
  output: ToolOutput,
  declared: CompiledSchema | null,
  { outputSchemas }: { readonly outputSchemas: readonly JsonObject[] },
): void {
  if (declared !== null && output.structuredContent === undefined)
    throw unfit('the tool declares an output schema and returned no structured content');
  if (declared !== null) checkSchema(declared, output.structuredContent ?? null);
  for (const schema of outputSchemas) checkSchema(compiledOf(schema), structureOf(output));
  if (declared !== null) checkAgreement(output);
}

/** Schemas of a policy are frozen and stay the same objects. */
const compiled = new WeakMap<JsonObject, CompiledSchema>();

function compiledOf(schema: JsonObject): CompiledSchema {
  const known = compiled.get(schema) ?? compileSchema(schema);
  compiled.set(schema, known);
  return known;
}

function checkSchema(schema: CompiledSchema, value: JsonValue): void {
  const [first] = validateSchema(schema, value);
  if (first === undefined) return;
  throw unfit(`the result does not fit its schema at ${first.pointer || '/'}: ${first.message}`);
}

/** What a schema of the policy judges: the structure, or else the only text, as JSON. */
function structureOf({ content, structuredContent }: ToolOutput): JsonValue {
  if (structuredContent !== undefined) return structuredContent;
  const [piece, ...more] = content;
  if (piece?.type !== 'text' || more.length > 0) throw unfit('the policy wants a structure, and there is none');
  const value = readJson(piece.text);
  if (value === undefined) throw unfit('the policy wants a structure, and the text is no JSON');
  return value;
}

/**
 * For who declared a structure, so that programs rely on it. Where a text is JSON too, it is the structure, or a part of it (as
 * servers write lists: an item a text): else a person, or a model, would read something else than a program.
 */
function checkAgreement({ content, structuredContent }: ToolOutput): void {
  if (structuredContent === undefined) return;
  let names: Map<string, number> | null = null;
  for (const piece of content) {
    if (piece.type !== 'text' || !MAY_BE_JSON.test(piece.text)) continue;
    names ??= namesOf(structuredContent);
    // A file, or the answer of a program, that is JSON, as a string: the same words on both sides.
    if (names.has(JSON.stringify(piece.text))) continue;
    const value = readJson(piece.text);
    if (typeof value !== 'object' || value === null) continue;
    const known = names.size;
    nameOf(value, names);
    // A part of it that has no name yet is nowhere in the structure.
    if (names.size > known) throw unfit('the text of the result and its structured content do not agree');
  }
}

/** A number for each different part of a value: equal parts have one number. Linear in the value. */
function namesOf(value: JsonValue): Map<string, number> {
  const names = new Map<string, number>();
  nameOf(value, names);
  return names;
}

function nameOf(value: JsonValue, names: Map<string, number>): number {
  const text = spellingOf(value, names);
  const known = names.get(text) ?? names.size;
  names.set(text, known);
  return known;
}

function spellingOf(value: JsonValue, names: Map<string, number>): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (!isJsonObject(value)) return `[${(value as readonly JsonValue[]).map((item) => nameOf(item, names)).join()}]`;
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${nameOf(value[key] ?? null, names)}`).join()}}`;
}

const MAY_BE_JSON = /^\s*[[{\d"tfn-]/;
const JSON_LIMITS = { maxBytes: 16_777_216, maxDepth: 64 };

/** Undefined for a text that is no JSON. @throws SallyportError RESULT_MALFORMED for JSON that two readers could read differently */
function readJson(text: string): JsonValue | undefined {
  if (!MAY_BE_JSON.test(text)) return undefined;
  try {
    return parseStrictJson(text, JSON_LIMITS);
  } catch (error) {
    if (isSallyportError(error, 'INPUT_NOT_JSON')) return undefined;
    throw unfit('the text of the result can be read in more than one way, or is nested too deeply');
  }
}
