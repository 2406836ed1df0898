import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Content } from '../gate/index.ts';

/** What an answer of a server is read into; see `Action.read`. */
export interface ReadAnswer {
  readonly content?: readonly Content[];
  readonly result: JsonObject;
}

const malformed = (what: string): SallyportError =>
  new SallyportError('RESULT_MALFORMED', `the server answered ${what}`);

const listIn = (raw: JsonObject, key: string): readonly JsonValue[] => {
  const value = raw[key];
  if (!Array.isArray(value)) throw malformed(`without a list of ${key}`);
  return value;
};

/** The given text fields of an object, those that are there. */
function pick(from: JsonObject, fields: readonly string[]): Record<string, JsonValue> {
  return Object.fromEntries(
    fields.filter((field) => typeof from[field] === 'string').map((field) => [field, from[field] ?? '']),
  );
}

/** `resources/list`: URI, name, type and size. Prose about a resource is no part of what was approved, and is dropped. */
export function readResourceList(raw: JsonObject): ReadAnswer {
  const resources = listIn(raw, 'resources').flatMap((item): JsonObject[] => {
    if (!isJsonObject(item) || typeof item['uri'] !== 'string' || typeof item['name'] !== 'string') return [];
    const { size } = item;
    return [{ ...pick(item, ['uri', 'name', 'mimeType']), ...(typeof size === 'number' ? { size } : {}) }];
  });
  return { result: { resources, ...pick(raw, ['nextCursor']) } };
}

/** `resources/read`: the contents, as pieces of content. */
export function readContents(raw: JsonObject): ReadAnswer {
  const content = listIn(raw, 'contents').map((item): Content => {
    if (!isJsonObject(item)) throw malformed('with a content that is no object');
    return { type: 'resource', resource: item };
  });
  return { content, result: {} };
}

/** `prompts/get`: roles in the result, the contents of the messages as pieces in the same order. */
export function readPromptMessages(raw: JsonObject): ReadAnswer {
  const messages = listIn(raw, 'messages').map((item) => {
    if (!isJsonObject(item) || !isJsonObject(item['content'])) throw malformed('with a message that has no content');
    const { role, content } = item;
    if (role !== 'user' && role !== 'assistant') throw malformed('with a message of nobody');
    return { role, content: content as unknown as Content };
  });
  return { content: messages.map(({ content }) => content), result: { roles: messages.map(({ role }) => role) } };
}

const MAX_COMPLETIONS = 100;

/** `completion/complete` (MCP: at most 100 values). */
export function readCompletion(raw: JsonObject): ReadAnswer {
  const { completion } = raw;
  if (!isJsonObject(completion)) throw malformed('without a completion');
  const values = listIn(completion, 'values')
    .filter((value) => typeof value === 'string')
    .slice(0, MAX_COMPLETIONS);
  const { total, hasMore } = completion;
  return {
    result: {
      completion: {
        values,
        ...(typeof total === 'number' ? { total } : {}),
        ...(typeof hasMore === 'boolean' ? { hasMore } : {}),
      },
    },
  };
}

/** What has nothing in it. */
export const readNothing = (): ReadAnswer => ({ result: {} });
