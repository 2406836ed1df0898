import { SallyportError } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { escapePointer, readPointer, valueAtPointer } from './json-pointer.ts';
import { arrayChecks, unevaluatedItemsCheck } from './json-schema-arrays.ts';
import { type Builder, type Dialect, keyword, refuseSchema, schemaMapKeyword } from './json-schema-builder.ts';
import { logicChecks } from './json-schema-logic.ts';
import { type Run, report, type SchemaError, type SchemaNode, visit, WorkSpent } from './json-schema-node.ts';
import { objectChecks, unevaluatedPropertiesCheck } from './json-schema-objects.ts';
import { PATTERN_BUDGET, valueChecks } from './json-schema-values.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { compileLinearPattern } from './linear-pattern.ts';
import { quoteForMessage } from './terminal.ts';

export type { SchemaError } from './json-schema-node.ts';

/** A schema that was checked and is ready to validate values. */
export interface CompiledSchema {
  readonly root: SchemaNode;
  /** Whether some `unevaluated…` keyword needs to know what the others looked at. */
  readonly tracksSeen: boolean;
}

const DIALECTS: ReadonlyMap<string, Dialect> = new Map([
  ['json-schema.org/draft/2020-12/schema', 'current'],
  ['json-schema.org/draft/2019-09/schema', 'legacy'],
  ['json-schema.org/draft-07/schema', 'legacy'],
  ['json-schema.org/draft-06/schema', 'legacy'],
]);

/** Keywords that hold definitions only: compiled, so that what is unsound in them is refused too. */
const DEFINITIONS = ['$defs', 'definitions'];

/** What the compilation of one schema shares. */
interface Compilation {
  readonly document: JsonValue;
  readonly identifier: string | null;
  readonly dialect: Dialect;
  readonly patternBytes: number;
  readonly nodes: Map<string, SchemaNode>;
  readonly anchors: Map<string, SchemaNode>;
  readonly references: { readonly target: string; readonly pointer: string; resolved: SchemaNode | null }[];
  tracksSeen: boolean;
}

/**
 * Compiles a JSON Schema (2020-12) that a stranger may have written. It is interpreted: no code is generated. References
 * are local (`#…`), patterns run on a linear-time engine, `format` and content keywords are annotations, unknown keywords
 * are ignored as the specification says. A `$schema` of 2019-09, draft-07 or draft-06 is read with today's meaning plus the
 * older forms `items: [...]`, `additionalItems`, `definitions` and `dependencies`; keywords beside `$ref` count.
 * Not supported: `$dynamicRef`, `$recursiveRef`, `$id` below the top.
 *
 * @throws SallyportError SCHEMA_INVALID, with `detail.pointer` into the schema
 */
export function compileSchema(
  schema: JsonObject | boolean,
  limits: { readonly maxBytes?: number; readonly maxDepth?: number; readonly maxPatternBytes?: number } = {},
): CompiledSchema {
  checkSize(schema, limits.maxBytes ?? DEFAULT_LIMITS.schemaBytes, limits.maxDepth ?? DEFAULT_LIMITS.schemaDepth);
  const compilation: Compilation = {
    document: schema,
    identifier: readIdentifier(schema),
    dialect: readDialect(schema),
    patternBytes: limits.maxPatternBytes ?? DEFAULT_LIMITS.patternBytes,
    nodes: new Map(),
    anchors: new Map(),
    references: [],
    tracksSeen: false,
  };
  const root = compileAt(compilation, '');
  // Resolving a reference may compile a schema that holds further references: the list grows while it is walked.
  for (const reference of compilation.references) reference.resolved = resolve(compilation, reference);
  return Object.freeze({ root, tracksSeen: compilation.tracksSeen });
}

const MAX_STEPS = 500_000;

/**
 * The first errors (16 unless told otherwise) of `value` under the schema; none when it fits. A value whose check would
 * take too many steps (500,000 unless told otherwise) does not fit, and the one error says so.
 */
export function validateSchema(
  compiled: CompiledSchema,
  value: JsonValue,
  options: { readonly maxErrors?: number; readonly maxSteps?: number } = {},
): readonly SchemaError[] {
  const run: Run = {
    errors: [],
    maxErrors: options.maxErrors ?? 16,
    silent: 0,
    budget: options.maxSteps ?? MAX_STEPS,
    patternBudget: PATTERN_BUDGET,
    depth: 0,
    tracksSeen: compiled.tracksSeen,
  };
  try {
    return visit(compiled.root, value, run, null) ? [] : run.errors;
  } catch (error) {
    if (!(error instanceof WorkSpent)) throw error;
    return [{ pointer: '', message: error.message, keyword: 'work', schemaPointer: '' }];
  }
}

function checkSize(schema: JsonValue, maxBytes: number, maxDepth: number): void {
  const budget = { bytes: maxBytes };
  const walk = (value: JsonValue, depth: number): void => {
    if (depth > maxDepth) refuseSchema('', `it is nested more than ${maxDepth} levels deep`);
    if (typeof value === 'string') budget.bytes -= Buffer.byteLength(value);
    budget.bytes -= 2;
    if (budget.bytes < 0) refuseSchema('', `it has more than ${maxBytes} bytes`);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      budget.bytes -= Array.isArray(value) ? 0 : Buffer.byteLength(key) + 2;
      walk(child, depth + 1);
    }
  };
  walk(schema, 0);
}

function readDialect(schema: JsonValue): Dialect {
  const declared = isJsonObject(schema) && Object.hasOwn(schema, '$schema') ? schema['$schema'] : undefined;
  if (declared === undefined) return 'undeclared';
  const name = typeof declared === 'string' ? declared.replace(/^https?:\/\//, '').replace(/#$/, '') : '';
  return DIALECTS.get(name) ?? refuseSchema('/$schema', 'this dialect is not known: use 2020-12');
}

function readIdentifier(schema: JsonValue): string | null {
  const identifier = isJsonObject(schema) && Object.hasOwn(schema, '$id') ? schema['$id'] : undefined;
  if (identifier === undefined) return null;
  return typeof identifier === 'string' ? identifier.replace(/#$/, '') : refuseSchema('/$id', '$id is a string');
}

/** Compiles the schema at a pointer, once. */
function compileAt(compilation: Compilation, pointer: string): SchemaNode {
  const known = compilation.nodes.get(pointer);
  if (known !== undefined) return known;
  const schema = valueAtPointer(compilation.document, pointer);
  const node: SchemaNode = { pointer, checks: [] };
  compilation.nodes.set(pointer, node);
  if (schema === true) return node;
  if (schema === false) node.checks.push((_, here) => reportNever(here, node));
  else if (isJsonObject(schema)) node.checks.push(...readKeywords(makeBuilder(compilation, node, schema), compilation));
  else refuseSchema(pointer, 'a schema is an object, true or false');
  return node;
}

/** A place where no value may stand: the keyword that says so is the last one on the way here. */
function reportNever(here: Parameters<SchemaNode['checks'][number]>[1], node: SchemaNode): false {
  const key = readPointer(node.pointer).at(-1) ?? '';
  const message = /^(?:additional|unevaluated)Properties$/.test(key)
    ? 'is not a known property'
    : 'is not accepted here';
  const parent = { pointer: node.pointer.slice(0, node.pointer.lastIndexOf('/')), checks: [] };
  return report(here, parent, key, message);
}

function readKeywords(builder: Builder, compilation: Compilation): SchemaNode['checks'] {
  const { node } = builder;
  if (node.pointer !== '' && keyword(builder, '$id') !== undefined) {
    refuseSchema(`${node.pointer}/$id`, '$id stands at the top only');
  }
  for (const name of ['$anchor', '$dynamicAnchor']) {
    const anchor = keyword(builder, name);
    if (typeof anchor === 'string') compilation.anchors.set(anchor, node);
  }
  for (const name of DEFINITIONS) schemaMapKeyword(builder, name);
  const checks = [...logicChecks(builder), ...valueChecks(builder), ...objectChecks(builder), ...arrayChecks(builder)];
  const last = [...unevaluatedPropertiesCheck(builder), ...unevaluatedItemsCheck(builder)];
  if (last.length > 0) compilation.tracksSeen = true;
  return [...checks, ...last];
}

function makeBuilder(compilation: Compilation, node: SchemaNode, schema: JsonObject): Builder {
  return {
    node,
    schema,
    dialect: compilation.dialect,
    child: (...path) =>
      compileAt(compilation, [node.pointer, ...path.map((key) => escapePointer(String(key)))].join('/')),
    pattern: (source, name) => compilePatternAt(compilation, source, `${node.pointer}/${name}`),
    reference: (target) => {
      const reference = { target, pointer: `${node.pointer}/$ref`, resolved: null as SchemaNode | null };
      compilation.references.push(reference);
      return () => reference.resolved ?? refuseSchema(reference.pointer, 'the reference was never resolved');
    },
  };
}

function compilePatternAt(
  compilation: Compilation,
  source: string,
  pointer: string,
): ReturnType<typeof compileLinearPattern> {
  try {
    return compileLinearPattern(source, compilation.patternBytes);
  } catch (error) {
    if (error instanceof SallyportError) refuseSchema(pointer, error.message);
    throw error;
  }
}

function resolve(
  compilation: Compilation,
  reference: { readonly target: string; readonly pointer: string },
): SchemaNode {
  const { identifier } = compilation;
  const { target, pointer } = reference;
  const local = identifier !== null && target.startsWith(identifier) ? target.slice(identifier.length) : target;
  if (local === '') return compileAt(compilation, '');
  if (!local.startsWith('#')) return refuseSchema(pointer, `${quoteForMessage(target)} is not in this document`);
  const fragment = decodeFragment(local.slice(1), pointer);
  if (fragment === '') return compileAt(compilation, '');
  if (fragment.startsWith('/'))
    return compileAt(compilation, canonicalPointer(compilation.document, fragment, pointer));
  return compilation.anchors.get(fragment) ?? refuseSchema(pointer, `there is no anchor ${quoteForMessage(fragment)}`);
}

function decodeFragment(fragment: string, pointer: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch (cause) {
    if (!(cause instanceof URIError)) throw cause;
    return refuseSchema(pointer, 'the reference is not a URI fragment');
  }
}

/** One spelling for each place, so that each is compiled once. */
function canonicalPointer(document: JsonValue, fragment: string, pointer: string): string {
  const canonical = readPointer(fragment)
    .map((key) => `/${escapePointer(key)}`)
    .join('');
  if (valueAtPointer(document, canonical) === undefined) {
    refuseSchema(pointer, `there is nothing at ${quoteForMessage(fragment)}`);
  }
  return canonical;
}
