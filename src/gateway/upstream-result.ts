import {
  copyJson,
  copyJsonObject,
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  type Limits,
  SallyportError,
} from '../core/index.ts';
import type { Content, ToolOutput } from '../gate/index.ts';

/**
 * A result of `tools/call` as a tool's output: a frozen copy of the known kinds of content with their known fields.
 * `_meta`, icons and annotations end here. ATTACKER-CONTROLLED: `raw`.
 *
 * @throws SallyportError RESULT_MALFORMED, RESULT_TOO_LARGE
 */
export function readCallResult(raw: unknown, limits: Limits): ToolOutput {
  const result = copyOrRefuse(raw, limits);
  if (result['resultType'] === 'input_required') {
    throw new SallyportError(
      'RESULT_MALFORMED',
      'the server asks for input from the user, which this gateway does not pass on',
    );
  }
  const { content, structuredContent, isError } = result;
  if (!Array.isArray(content)) throw malformed('it has no list of content');
  if (structuredContent !== undefined && !isJsonObject(structuredContent))
    throw malformed('structuredContent is no object');
  if (isError !== undefined && typeof isError !== 'boolean') throw malformed('isError is no boolean');
  return {
    content: content.map(readContent),
    ...(structuredContent === undefined ? {} : { structuredContent }),
    ...(isError === true ? { isError } : {}),
  };
}

function copyOrRefuse(raw: unknown, limits: Limits): JsonObject {
  try {
    return copyJsonObject(raw, { maxBytes: limits.resultBinaryBytes, maxDepth: limits.argumentDepth });
  } catch (cause) {
    const code = isSallyportError(cause, 'INPUT_TOO_LARGE') ? 'RESULT_TOO_LARGE' : 'RESULT_MALFORMED';
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    throw new SallyportError(code, `the result cannot be used: ${why}`, { cause });
  }
}

function readContent(item: JsonValue): Content {
  if (!isJsonObject(item)) throw malformed('a piece of content is no object');
  switch (item['type']) {
    case 'text':
      return { type: 'text', text: text(item, 'text') };
    case 'image':
    case 'audio':
      return { type: item['type'], data: base64(item, 'data'), mimeType: text(item, 'mimeType') };
    case 'resource_link':
      return readLink(item);
    case 'resource':
      return { type: 'resource', resource: readResource(item['resource']) };
    default:
      throw malformed('a piece of content is of a kind that MCP does not know');
  }
}

function readLink(item: JsonObject): Content {
  const size = item['size'];
  return {
    type: 'resource_link',
    uri: text(item, 'uri'),
    name: text(item, 'name'),
    ...optionalTexts(item, ['title', 'description', 'mimeType']),
    ...(typeof size === 'number' ? { size } : {}),
  };
}

function readResource(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw malformed('an embedded resource is no object');
  const body = value['blob'] === undefined ? { text: text(value, 'text') } : { blob: base64(value, 'blob') };
  return { uri: text(value, 'uri'), ...optionalTexts(value, ['mimeType']), ...body };
}

function text(item: JsonObject, key: string): string {
  const value = item[key];
  if (typeof value !== 'string') throw malformed(`a piece of content has no ${key}`);
  return value;
}

function base64(item: JsonObject, key: string): string {
  const value = text(item, key);
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) throw malformed(`${key} of a piece of content is not base64`);
  return value;
}

const optionalTexts = (item: JsonObject, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    keys.map((key) => [key, item[key]]).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );

/** An error that a server answered with, as the output of its tool: its words are content, and cross the gate as such. */
export function errorOutput(code: number, message: string): ToolOutput {
  const words = message.toWellFormed().slice(0, 4_000);
  return { content: [{ type: 'text', text: `The server answered with error ${code}: ${words}` }], isError: true };
}

const malformed = (why: string): SallyportError =>
  new SallyportError('RESULT_MALFORMED', `the server's result cannot be used: ${why}`);

/** A copy of JSON that a server sent, within `maxBytes`. @throws SallyportError SERVER_DEFINITIONS */
export function copyDefinition(raw: unknown, maxBytes: number, maxDepth: number): JsonValue {
  try {
    return copyJson(raw, { maxBytes, maxDepth });
  } catch (cause) {
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    throw new SallyportError('SERVER_DEFINITIONS', `a definition cannot be used: ${why}`, { cause });
  }
}
