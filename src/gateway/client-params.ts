import { ProtocolError, ProtocolErrorCode, type StandardSchemaV1 } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';

type Check = (value: JsonValue | undefined, maxLength: number) => boolean;

const text: Check = (value, maxLength) => typeof value === 'string' && value.length > 0 && value.length <= maxLength;
const object: Check = (value) => isJsonObject(value);
const optional =
  (check: Check): Check =>
  (value, maxLength) =>
    value === undefined || check(value, maxLength);
const strings: Check = (value) =>
  isJsonObject(value) && Object.values(value).every((member) => typeof member === 'string');
const reference: Check = (value, maxLength) =>
  isJsonObject(value) &&
  ((value['type'] === 'ref/prompt' && text(value['name'], maxLength)) ||
    (value['type'] === 'ref/resource' && text(value['uri'], maxLength)));
const argument: Check = (value, maxLength) =>
  isJsonObject(value) && text(value['name'], maxLength) && typeof value['value'] === 'string';

/** Log levels of MCP (RFC 5424 severities), the least severe first. */
export const LOG_LEVELS: readonly string[] = [
  ...['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'],
];
const level: Check = (value) => typeof value === 'string' && LOG_LEVELS.includes(value);

const PAGE = { cursor: optional(text) };

/** The parameters that a request of each method must have, or may have in this form only. */
const SHAPES: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  'tools/list': PAGE,
  'tools/call': { name: text, arguments: optional(object) },
  'resources/list': PAGE,
  'resources/templates/list': PAGE,
  'resources/read': { uri: text },
  'resources/subscribe': { uri: text },
  'resources/unsubscribe': { uri: text },
  'prompts/list': PAGE,
  'prompts/get': { name: text, arguments: optional(strings) },
  'completion/complete': { ref: reference, argument, context: optional(object) },
  'logging/setLevel': { level },
  'tasks/get': { taskId: text },
  'tasks/result': { taskId: text },
  'tasks/cancel': { taskId: text },
  'tasks/list': PAGE,
};

/** Takes any object: what a method's parameters look like is for {@link checkParams} to say. */
export const anyParams: StandardSchemaV1<unknown, JsonObject> = {
  '~standard': {
    version: 1,
    vendor: 'sallyport',
    validate: (value) => (isJsonObject(value) ? { value } : { issues: [{ message: 'expected an object' }] }),
  },
};

/**
 * Refuses parameters that a method does not have in this form. ATTACKER-CONTROLLED: `params`.
 *
 * @throws ProtocolError invalid params (-32602)
 */
export function checkParams(method: string, params: JsonObject, maxLength: number): void {
  for (const [name, check] of Object.entries(SHAPES[method] ?? {})) {
    if (!check(params[name], maxLength)) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Invalid params: "${name}" of ${method}`);
    }
  }
}
