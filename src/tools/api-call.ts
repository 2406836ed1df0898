import { isJsonObject, type JsonObject, SallyportError } from '../core/index.ts';
import type { FetchRequest, FetchResult, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { answer, refusal } from './answer.ts';
import { decodeText } from './decode-text.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: {
    method: { type: 'string', description: 'GET, POST and so on.' },
    url: { type: 'string', description: 'Absolute https URL.' },
    headers: {
      type: 'object',
      description: 'A value is a text, or {"$secret": NAME, "prefix": "Bearer "} for a credential.',
      additionalProperties: {
        anyOf: [
          { type: 'string' },
          {
            type: 'object',
            properties: { $secret: { type: 'string' }, prefix: { type: 'string' } },
            required: ['$secret'],
            additionalProperties: false,
          },
        ],
      },
    },
    body: { type: ['string', 'object'], description: 'Text is sent as it stands, an object as JSON.' },
  },
  required: ['method', 'url'],
  additionalProperties: false,
};

/** Headers of an answer that a model can use; none of them carries a credential. */
const TOLD_HEADERS: ReadonlySet<string> = new Set([
  'content-type',
  'etag',
  'last-modified',
  'link',
  'location',
  'retry-after',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]);

/** The tool `api_call`: one HTTP request. It is judged by the rule `api_call`; the connection is the gate's, not the tool's. */
export function apiCall(): Tool {
  return {
    name: 'api_call',
    title: 'Call an HTTP API',
    description:
      'Sends one HTTP request to an allowed endpoint and returns status, some headers and the body as text. Redirects are followed where the rule allows each of them.',
    schema: SCHEMA,
    runs: 'built-in',
    effect: 'egress',
    execute: call,
  };
}

async function call(args: JsonObject, context: ToolContext): Promise<ToolOutput> {
  const { send } = context;
  if (send === undefined) throw new SallyportError('INTERNAL', 'the gate opened no way out for this call');
  const result = await send(readRequest(args));
  return result.kind === 'denied'
    ? refusal(`The request was not made (${result.code}): ${result.reason}.`)
    : describe(result);
}

/** The schema holds when a tool runs; what still does not fit goes nowhere. */
function readRequest({ method, url, headers = {}, body = null }: JsonObject): FetchRequest {
  if (typeof method === 'string' && typeof url === 'string' && isJsonObject(headers))
    return { method, url, headers, body };
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', 'api_call takes a method and a url as texts');
}

function describe({ status, headers, body, url }: Extract<FetchResult, { kind: 'answered' }>): ToolOutput {
  const told = headers.filter(([name]) => TOLD_HEADERS.has(name));
  const decoded = decodeText(body);
  const text = decoded === null ? '' : decoded.text;
  const notes = [`Status ${status}.`];
  if (decoded === null) notes.push(`The body has ${body.length} bytes that are not text and is not shown.`);
  return {
    ...answer(text, notes),
    structuredContent: { status, url, headers: Object.fromEntries(told) },
    isError: status >= 400,
  };
}
