import {
  copyJsonObject,
  type ErrorCode,
  isJsonObject,
  type JsonObject,
  quoteForMessage,
  SallyportError,
  validateSchema,
} from '../core/index.ts';
import { pathUses, readActionName } from '../policy/index.ts';
import type { House } from './house.ts';
import type { RegisteredTool } from './registry.ts';

/** A call after step 2: its arguments are a frozen copy, and nothing reads the original again. */
export interface ParsedCall {
  /** As recorded and judged; at most 128 characters. */
  readonly name: string;
  readonly registered: RegisteredTool | null;
  readonly arguments: JsonObject;
  /** The copy of what was sent, before defaults were written into it. */
  readonly given: JsonObject;
  /** Why the arguments cannot be used: a denial by itself. */
  readonly trouble: { readonly code: ErrorCode; readonly reason: string } | null;
}

const EMPTY: JsonObject = Object.freeze({});

/** Step 2: copies, checks and freezes the arguments. Never throws for what a caller sent. ATTACKER-CONTROLLED: `request`. */
export function parseCall(
  reader: Pick<House, 'registry' | 'limits' | 'compiled'>,
  request: { readonly tool: string; readonly args: unknown },
): ParsedCall {
  const registered = reader.registry.get(request.tool);
  const name = request.tool.slice(0, 128).toWellFormed();
  return parseRegistered(reader, { name, registered, args: request.args });
}

/** {@link parseCall} once it is known what is called. */
export function parseRegistered(
  reader: Pick<House, 'limits' | 'compiled'>,
  { name, registered, args: given }: { name: string; registered: RegisteredTool | null; args: unknown },
): ParsedCall {
  try {
    const { argumentBytes, argumentDepth } = reader.limits;
    const copied = copyJsonObject(given ?? EMPTY, { maxBytes: argumentBytes, maxDepth: argumentDepth });
    const uses = pathUses(reader.compiled(), name);
    const args = registered === null ? copied : withPathDefaults(registered, uses, copied);
    return Object.freeze({
      name,
      registered,
      arguments: args,
      given: copied,
      trouble: schemaTrouble(registered, args),
    });
  } catch (error) {
    // A getter of the arguments may throw anything.
    if (!(error instanceof SallyportError)) return unreadable(name, registered);
    const trouble = { code: error.code, reason: error.message };
    return Object.freeze({ name, registered, arguments: EMPTY, given: EMPTY, trouble });
  }
}

/** The same call after it waited: of the tool as it is now, if there still is one. An action is what it was. */
export function parseLater(reader: Pick<House, 'registry' | 'limits' | 'compiled'>, parsed: ParsedCall): ParsedCall {
  const { name, registered, given } = parsed;
  if (registered === null || readActionName(name) !== null) return parsed;
  return parseRegistered(reader, { name, registered: reader.registry.get(name), args: given });
}

/** The same call under another policy, which may call other arguments paths. */
export function parseAgain(reader: Pick<House, 'compiled'>, parsed: ParsedCall): ParsedCall {
  const { name, registered, given, trouble } = parsed;
  if (registered === null || (trouble !== null && trouble.code !== 'INPUT_SCHEMA_MISMATCH')) return parsed;
  const args = withPathDefaults(registered, pathUses(reader.compiled(), name), given);
  return Object.freeze({ name, registered, arguments: args, given, trouble: schemaTrouble(registered, args) });
}

/**
 * Writes the declared default of an absent path argument into the copy: a path that is used must be one that was judged.
 * `uses`: what the policy calls a path.
 */
function withPathDefaults(
  { tool }: RegisteredTool,
  uses: Readonly<Record<string, unknown>>,
  args: JsonObject,
): JsonObject {
  const paths = [...Object.keys(tool.paths ?? {}), ...Object.keys(uses)];
  const missing = paths.filter((name) => !Object.hasOwn(args, name));
  if (missing.length === 0) return args;
  const filled: Record<string, JsonObject[string]> = { ...args };
  for (const name of missing) {
    const fallback = defaultOf(tool.schema, name);
    if (typeof fallback === 'string') filled[name] = fallback;
  }
  return Object.freeze(filled);
}

function defaultOf(schema: JsonObject, name: string): unknown {
  const properties = schema['properties'];
  const property = isJsonObject(properties) ? properties[name] : undefined;
  return isJsonObject(property) ? property['default'] : undefined;
}

function schemaTrouble(registered: RegisteredTool | null, args: JsonObject): ParsedCall['trouble'] {
  if (registered === null) return null;
  const [first] = validateSchema(registered.input, args);
  if (first === undefined) return null;
  const where = first.pointer === '' ? 'the arguments' : `the argument ${quoteForMessage(first.pointer)}`;
  return { code: 'INPUT_SCHEMA_MISMATCH', reason: `${where}: ${first.message}` };
}

const UNREADABLE = { code: 'INPUT_NOT_JSON', reason: 'the arguments cannot be read' } as const;

const unreadable = (name: string, registered: RegisteredTool | null): ParsedCall =>
  Object.freeze({ name, registered, arguments: EMPTY, given: EMPTY, trouble: UNREADABLE });
