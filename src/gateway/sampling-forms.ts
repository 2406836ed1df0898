import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import { finite, malformed, objectsOf, optional, unfit } from './question-text.ts';

/** Messages, and pieces of content in one of them. */
const MAX_MESSAGES = 1_000;
const MAX_PIECES = 256;
/** Longest system prompt, in UTF-16 code units; all of a question is held to the bytes of a round besides. */
const MAX_PROMPT = 65_536;
/** Tools and stop sequences of one request, and their names. */
const MAX_LISTED = 128;
const MAX_NAME = 256;

/**
 * A request to the client's model with the fields that MCP has for it, at every depth: no `_meta`, no annotations, and no
 * `includeContext`, which would show one server what another one said. What the model reads is not changed.
 * ATTACKER-CONTROLLED: `params`.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export function readSampling(params: JsonObject): JsonObject {
  const hasTools = params['tools'] !== undefined;
  const messages = objectsOf(params['messages'], MAX_MESSAGES)?.map((message) => readMessage(message, hasTools));
  if (messages === undefined || messages.includes(null)) throw malformed('a model without messages');
  return {
    messages: messages.filter((message) => message !== null),
    ...optional(params, 'systemPrompt', (value) => textOf(value, MAX_PROMPT)),
    ...optional(params, 'maxTokens', finite),
    ...optional(params, 'temperature', finite),
    ...optional(params, 'stopSequences', readTexts),
    ...optional(params, 'modelPreferences', readPreferences),
    ...optional(params, 'tools', readTools),
    ...optional(params, 'toolChoice', readToolChoice),
  };
}

/**
 * What a model answered, with the fields that MCP has for it; the use of a tool only where the server gave it tools.
 * ATTACKER-CONTROLLED: `answer`.
 *
 * @throws SallyportError INPUT_SCHEMA_MISMATCH
 */
export function readSample(question: JsonObject, answer: JsonObject): JsonObject {
  const { model, stopReason } = answer;
  const message = readMessage(answer, question['tools'] !== undefined);
  if (message === null || typeof model !== 'string') throw unfit('is no message of a model');
  return { ...message, model, ...(typeof stopReason === 'string' ? { stopReason } : {}) };
}

/** A message of one role; null for what is none. */
function readMessage({ role, content }: JsonObject, hasTools: boolean): JsonObject | null {
  if (role !== 'user' && role !== 'assistant') return null;
  const kinds = hasTools ? WITH_TOOLS : PLAIN;
  if (isJsonObject(content)) {
    const piece = readPiece(content, kinds);
    return piece === null ? null : { role, content: piece };
  }
  const pieces = readPieces(content, kinds);
  return pieces === null ? null : { role, content: pieces };
}

type ReadPiece = (piece: JsonObject) => JsonObject | null;

const readPiece = (piece: JsonObject, kinds: ReadonlyMap<string, ReadPiece>): JsonObject | null =>
  (typeof piece['type'] === 'string' ? kinds.get(piece['type']) : undefined)?.(piece) ?? null;

function readPieces(value: JsonValue | undefined, kinds: ReadonlyMap<string, ReadPiece>): readonly JsonObject[] | null {
  const pieces = objectsOf(value, MAX_PIECES)?.map((piece) => readPiece(piece, kinds));
  if (pieces === undefined) return null;
  const known = pieces.filter((piece) => piece !== null);
  return known.length === pieces.length ? known : null;
}

const readMedia =
  (type: string): ReadPiece =>
  ({ data, mimeType }) =>
    typeof data === 'string' && typeof mimeType === 'string' ? { type, data, mimeType } : null;

const PLAIN: ReadonlyMap<string, ReadPiece> = new Map<string, ReadPiece>([
  ['text', ({ text }) => (typeof text === 'string' ? { type: 'text', text } : null)],
  ['image', readMedia('image')],
  ['audio', readMedia('audio')],
]);

const WITH_TOOLS: ReadonlyMap<string, ReadPiece> = new Map<string, ReadPiece>([
  ...PLAIN,
  ['tool_use', readToolUse],
  ['tool_result', readToolResult],
]);

function readToolUse({ id, name, input }: JsonObject): JsonObject | null {
  if (textOf(id, MAX_NAME) === null || textOf(name, MAX_NAME) === null || !isJsonObject(input)) return null;
  return { type: 'tool_use', id: String(id), name: String(name), input };
}

function readToolResult({ toolUseId, content, structuredContent, isError }: JsonObject): JsonObject | null {
  const pieces = readPieces(content, PLAIN);
  if (textOf(toolUseId, MAX_NAME) === null || pieces === null) return null;
  return {
    ...{ type: 'tool_result', toolUseId: String(toolUseId), content: pieces },
    ...(isJsonObject(structuredContent) ? { structuredContent } : {}),
    ...(typeof isError === 'boolean' ? { isError } : {}),
  };
}

const textOf = (value: JsonValue | undefined, most: number): string | null =>
  typeof value === 'string' && value.length <= most ? value : null;

const readTexts = (value: JsonValue): JsonValue | null =>
  Array.isArray(value) && value.length <= MAX_LISTED && value.every((item) => textOf(item, MAX_NAME) !== null)
    ? value
    : null;

function readPreferences(value: JsonValue): JsonObject | null {
  if (!isJsonObject(value)) return null;
  return {
    ...optional(value, 'hints', (hints) => {
      const known = objectsOf(hints, MAX_LISTED)?.map((hint) =>
        optional(hint, 'name', (name) => textOf(name, MAX_NAME)),
      );
      return known ?? null;
    }),
    ...optional(value, 'costPriority', finite),
    ...optional(value, 'speedPriority', finite),
    ...optional(value, 'intelligencePriority', finite),
  };
}

/** Tools that the server offers to the model; the schema is for the model to read, and stays as it is. */
function readTools(value: JsonValue): JsonValue | null {
  const tools = objectsOf(value, MAX_LISTED);
  if (tools === null) return null;
  return tools.map((tool) => {
    const { name, inputSchema } = tool;
    if (textOf(name, MAX_NAME) === null || !isJsonObject(inputSchema))
      throw malformed('a model to use what is no tool');
    return {
      name: String(name),
      ...optional(tool, 'title', (title) => textOf(title, MAX_NAME)),
      ...optional(tool, 'description', (description) => textOf(description, MAX_PROMPT)),
      inputSchema,
    };
  });
}

function readToolChoice(value: JsonValue): JsonValue | null {
  const mode = isJsonObject(value) ? value['mode'] : null;
  return mode === 'auto' || mode === 'required' || mode === 'none' ? { mode } : null;
}
