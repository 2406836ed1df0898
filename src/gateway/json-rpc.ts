import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import {
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  parseStrictJson,
  SallyportError,
} from '../core/index.ts';

/** Error codes of JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32_700;
export const INVALID_REQUEST = -32_600;
const METHOD_NOT_FOUND = -32_601;
export const INVALID_PARAMS = -32_602;
export const INTERNAL_ERROR = -32_603;
/** Implementation-defined server error (JSON-RPC 2.0 section 5.1, -32000 to -32099). */
export const SERVER_ERROR = -32_000;

export type RequestId = string | number;

/** One JSON-RPC message whose frame was checked; `params`, `result` and `error` were not. */
export type Message =
  | { readonly kind: 'request'; readonly id: RequestId; readonly method: string; readonly body: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly body: JsonObject }
  | { readonly kind: 'response'; readonly id: RequestId | null; readonly body: JsonObject };

/** Longest id and method name that a peer may use, in UTF-16 code units. */
const MAX_NAME_LENGTH = 256;
/** Levels that a message adds around the arguments of a call, or around a result: message and params. */
export const FRAME_DEPTH = 2;

/**
 * Reads one JSON-RPC 2.0 message of MCP. ATTACKER-CONTROLLED: `text`. Batches are refused, as MCP has none since 2025-06-18.
 *
 * @throws SallyportError as {@link parseStrictJson}, and INPUT_NOT_JSON for JSON that is no such message
 */
export function parseMessage(text: string, limits: { maxBytes: number; maxDepth: number }): Message {
  const value = parseStrictJson(text, { maxBytes: limits.maxBytes, maxDepth: limits.maxDepth + FRAME_DEPTH });
  return readFrame(value);
}

/** {@link parseMessage} for a value that is parsed already. */
function readFrame(value: JsonValue): Message {
  if (Array.isArray(value)) throw notAMessage('batches are refused: send one message at a time');
  if (!isJsonObject(value)) throw notAMessage('expected a JSON object');
  if (value['jsonrpc'] !== '2.0') throw notAMessage('expected "jsonrpc": "2.0"');
  const { id, method } = value;
  if (id !== undefined && id !== null && !isRequestId(id)) throw notAMessage('an id is a short string or an integer');
  if (method === undefined) return readResponse(value, id ?? null);
  if (typeof method !== 'string' || method.length > MAX_NAME_LENGTH) throw notAMessage('a method is a short string');
  if (value['params'] !== undefined && !isJsonObject(value['params'])) throw notAMessage('params are an object');
  if (id === null) throw notAMessage('an id is not null');
  return id === undefined
    ? { kind: 'notification', method, body: value }
    : { kind: 'request', id, method, body: value };
}

function readResponse(body: JsonObject, id: RequestId | null): Message {
  const { result, error } = body;
  if ((result === undefined) === (error === undefined)) throw notAMessage('expected a method, a result or an error');
  if (result !== undefined && (id === null || !isJsonObject(result)))
    throw notAMessage('a result is an object with an id');
  const isError = isJsonObject(error) && Number.isSafeInteger(error['code']) && typeof error['message'] === 'string';
  if (error !== undefined && !isError) throw notAMessage('an error has a code and a message');
  return { kind: 'response', id, body };
}

const isRequestId = (value: JsonValue): value is RequestId =>
  Number.isSafeInteger(value) || (typeof value === 'string' && value.length <= MAX_NAME_LENGTH);

const notAMessage = (message: string): SallyportError =>
  new SallyportError('INPUT_NOT_JSON', message, { detail: { frame: true } });

/** A checked message in the SDK's terms: its frame rebuilt, nothing else of the original at the top level. */
export function toJsonRpc(message: Message): JSONRPCMessage {
  const { params, result, error } = message.body;
  const given = isJsonObject(params) ? { params: { ...params } } : {};
  if (message.kind === 'request') return { jsonrpc: '2.0', id: message.id, method: message.method, ...given };
  if (message.kind === 'notification') return { jsonrpc: '2.0', method: message.method, ...given };
  if (isJsonObject(result) && message.id !== null) return { jsonrpc: '2.0', id: message.id, result: { ...result } };
  const detail = isJsonObject(error) ? error : {};
  const data = detail['data'] === undefined ? {} : { data: detail['data'] };
  const described = { code: Number(detail['code']), message: String(detail['message']), ...data };
  return { jsonrpc: '2.0', ...(message.id === null ? {} : { id: message.id }), error: described };
}

/** A JSON-RPC error response; `data.code` is the code of Sallyport. */
export interface ErrorResponse {
  readonly jsonrpc: '2.0';
  readonly id: RequestId | null;
  readonly error: { readonly code: number; readonly message: string; readonly data: JsonObject };
}

/** How a refused message is answered: -32700 for what is not JSON, -32600 for JSON that we do not take. */
export function refusal(error: unknown, id: RequestId | null = null): ErrorResponse {
  const known = isSallyportError(error) ? error : new SallyportError('INTERNAL', 'the request could not be handled');
  const code = known.code === 'INPUT_NOT_JSON' && known.detail['frame'] !== true ? PARSE_ERROR : INVALID_REQUEST;
  return errorResponse(code, known, id);
}

/** An error response that carries a Sallyport error: message, code and remedy. */
export function errorResponse(code: number, error: SallyportError, id: RequestId | null = null): ErrorResponse {
  const data = { code: error.code, remedy: error.remedy };
  return { jsonrpc: '2.0', id, error: { code, message: error.message, data } };
}

/** The request that a cancellation names, or null for any other message. */
export function cancelledRequestId(message: Message): unknown {
  if (message.kind !== 'notification' || message.method !== 'notifications/cancelled') return null;
  const params = message.body['params'];
  return isJsonObject(params) ? params['requestId'] : null;
}

/** Every request that MCP lets a client send, in either era; which of them a session answers is for its features to say. */
const ANSWERED_METHODS: ReadonlySet<string> = new Set([
  ...['initialize', 'ping', 'server/discover', 'subscriptions/listen', 'logging/setLevel', 'completion/complete'],
  ...['tools/list', 'tools/call', 'prompts/list', 'prompts/get'],
  ...['resources/list', 'resources/templates/list', 'resources/read', 'resources/subscribe', 'resources/unsubscribe'],
  ...['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'],
]);
const HEEDED_NOTIFICATIONS: ReadonlySet<string> = new Set([
  ...['notifications/initialized', 'notifications/cancelled', 'notifications/roots/list_changed'],
]);

/**
 * What the gateway does with a client's message before any protocol code sees it. Every request that MCP does not have is
 * answered "method not found", every other notification is dropped. A response is dropped here: only who knows what was
 * asked in its session can take one (`Questions`).
 */
export function admitMessage(message: Message): 'take' | 'drop' | ErrorResponse {
  if (message.kind === 'response') return 'drop';
  if (message.kind === 'notification') return HEEDED_NOTIFICATIONS.has(message.method) ? 'take' : 'drop';
  if (ANSWERED_METHODS.has(message.method)) return 'take';
  return protocolError(METHOD_NOT_FOUND, 'Method not found', message.id);
}

/** An error response of the protocol itself, without a code of Sallyport. */
export function protocolError(code: number, message: string, id: RequestId | null): ErrorResponse {
  return { jsonrpc: '2.0', id, error: { code, message, data: {} } };
}
