import {
  canonicalJson,
  copyJson,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  type Limits,
  quoteForMessage,
  SallyportError,
} from '../core/index.ts';

/** One request to a server whose result nobody has checked. */
export type RawRequest = (method: string, params: JsonObject) => Promise<unknown>;

/** A list of definitions that a server gives page by page. */
export interface DefinitionList {
  readonly method: string;
  /** Field of the result that holds the list. */
  readonly field: string;
  /** Field of a definition that names it. */
  readonly key: string;
  /** What a definition is called in messages. */
  readonly noun: string;
  /** Whether two may have the same name: for tools, both are then refused by name, not the whole server. */
  readonly mayRepeat: boolean;
}

export const TOOL_LIST: DefinitionList = {
  ...{ method: 'tools/list', field: 'tools', key: 'name', noun: 'tool', mayRepeat: true },
};
export const PROMPT_LIST: DefinitionList = {
  ...{ method: 'prompts/list', field: 'prompts', key: 'name', noun: 'prompt', mayRepeat: false },
};
export const TEMPLATE_LIST: DefinitionList = {
  ...{ method: 'resources/templates/list', field: 'resourceTemplates', key: 'uriTemplate' },
  ...{ noun: 'resource template', mayRepeat: false },
};

const MAX_PAGES = 64;

/**
 * Fetches all definitions of one kind. ATTACKER-CONTROLLED: all of them.
 *
 * @throws SallyportError SERVER_DEFINITIONS (over a limit, or no list of named definitions), and what `request` throws
 */
export async function fetchList(
  request: RawRequest,
  list: DefinitionList,
  limits: Limits,
): Promise<readonly JsonObject[]> {
  const found: JsonObject[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const raw = await request(list.method, cursor === undefined ? {} : { cursor });
    const listed = isJsonObject(raw) ? raw[list.field] : undefined;
    if (!Array.isArray(listed)) throw unusable(`the server has no list of ${list.noun}s`);
    if (found.length + listed.length > limits.definitionsPerServer) {
      throw unusable(`the server has more than ${limits.definitionsPerServer} ${list.noun}s`);
    }
    for (const definition of listed) found.push(readDefinition(definition, list, limits));
    const next = isJsonObject(raw) ? raw['nextCursor'] : undefined;
    if (typeof next !== 'string') return sorted(found, list);
    cursor = next;
  }
  throw unusable(`the server's list of ${list.noun}s has more than ${MAX_PAGES} pages`);
}

function readDefinition(raw: unknown, { key, noun }: DefinitionList, limits: Limits): JsonObject {
  const definition = copyDefinition(raw, limits);
  if (!isJsonObject(definition)) throw unusable(`the definition of a ${noun} is no object`);
  const name = definition[key];
  if (typeof name !== 'string' || name === '') throw unusable(`a ${noun} has no ${key}`);
  if (Buffer.byteLength(canonicalJson(definition)) > limits.definitionBytes) {
    throw unusable(`the definition of ${quoteForMessage(name, 64)} is larger than ${limits.definitionBytes} bytes`);
  }
  return definition;
}

/** A copy of JSON that a server sent. @throws SallyportError SERVER_DEFINITIONS */
export function copyDefinition(raw: unknown, limits: Limits): JsonValue {
  try {
    return copyJson(raw, { maxBytes: limits.definitionBytes, maxDepth: limits.schemaDepth });
  } catch (cause) {
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    throw new SallyportError('SERVER_DEFINITIONS', `a definition cannot be used: ${why}`, { cause });
  }
}

function sorted(definitions: readonly JsonObject[], { key, noun, mayRepeat }: DefinitionList): readonly JsonObject[] {
  const names = new Set(definitions.map((definition) => definition[key]));
  if (!mayRepeat && names.size < definitions.length) throw unusable(`two ${noun}s have the same ${key}`);
  return definitions
    .map((definition) => ({ definition, order: `${String(definition[key])}\n${canonicalJson(definition)}` }))
    .sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0))
    .map(({ definition }) => definition);
}

const unusable = (message: string): SallyportError => new SallyportError('SERVER_DEFINITIONS', message);
