import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ClientAbilities, Question } from './exchange.ts';
import { missingAbility } from './upstream-result.ts';

/** Questions of one round. */
export const MAX_QUESTIONS_A_ROUND = 16;

/** Fields of a sampling request that are passed on. `includeContext` would show one server what another one said. */
const SAMPLING_FIELDS = [
  ...['messages', 'systemPrompt', 'maxTokens', 'temperature', 'stopSequences', 'modelPreferences'],
  ...['tools', 'toolChoice'],
];

const malformed = (why: string): SallyportError => new SallyportError('RESULT_MALFORMED', `the server asks ${why}`);

/**
 * A question with its known fields only, saying who asks: a person must not take the words of a server for ours.
 * ATTACKER-CONTROLLED: all of it.
 *
 * @throws SallyportError RESULT_MALFORMED
 */
export function readQuestion(rule: ServerRule, { method, params }: Question): Question {
  if (method === 'roots/list') return { method, params: {} };
  if (method === 'sampling/createMessage') return { method, params: readSampling(params) };
  if (method === 'elicitation/create') return { method, params: readElicitation(rule, params) };
  throw malformed('something that MCP does not know');
}

/**
 * Refuses a question that the client says it cannot answer: it would wait for nobody.
 *
 * @throws SallyportError CLIENT_ABILITY_MISSING
 */
export function checkAsked(abilities: ClientAbilities, { method, params }: Question): void {
  const { sampling, elicitation, roots } = abilities;
  const isForm = params['mode'] !== 'url';
  if (method === 'roots/list' && !roots) throw missingAbility({ requiredCapabilities: { roots: {} } });
  if (method === 'sampling/createMessage' && !sampling)
    throw missingAbility({ requiredCapabilities: { sampling: {} } });
  if (method === 'elicitation/create' && !(isForm ? elicitation.form : elicitation.url))
    throw missingAbility({ requiredCapabilities: { elicitation: {} } });
}

function readSampling(params: JsonObject): JsonObject {
  if (!Array.isArray(params['messages'])) throw malformed('a model without messages');
  return Object.fromEntries(
    SAMPLING_FIELDS.filter((field) => params[field] !== undefined).map((field) => [field, params[field] ?? null]),
  );
}

function readElicitation(rule: ServerRule, params: JsonObject): JsonObject {
  const { mode, message, requestedSchema, url, elicitationId } = params;
  if (typeof message !== 'string') throw malformed('a person without a message');
  const framed = { message: rule.expose === 'as-is' ? message : `The server "${rule.name}" asks: ${message}` };
  if (mode === 'url') {
    if (typeof url !== 'string' || !isWebPage(url)) throw malformed('a person to open something that is no web page');
    return { mode, ...framed, url, ...(typeof elicitationId === 'string' ? { elicitationId } : {}) };
  }
  if (!isFlatForm(requestedSchema)) throw malformed('a person for something else than a flat form');
  return { ...(mode === 'form' ? { mode } : {}), ...framed, requestedSchema };
}

/** Longest link, in UTF-16 code units. */
const MAX_LINK = 2_048;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * A link that leads where it seems to: RFC 3986 characters, a host without a name before it, https or this machine.
 * ATTACKER-CONTROLLED: `text`.
 */
function isWebPage(text: string): boolean {
  if (text.length > MAX_LINK || !/^https?:\/\/[!#-;=?-Z_[\]a-z~]+$/.test(text) || !URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isPlain = username === '' && password === '' && !/^[^/?#]*@/.test(text.slice(protocol.length + 2));
  return isPlain && (protocol === 'https:' || LOOPBACK.has(hostname));
}

/** MCP: an object whose properties are texts, numbers, yes or no, or choices. */
function isFlatForm(schema: JsonValue | undefined): schema is JsonObject {
  if (!isJsonObject(schema) || schema['type'] !== 'object' || !isJsonObject(schema['properties'])) return false;
  return Object.values(schema['properties']).every(
    (property) =>
      isJsonObject(property) && ['string', 'number', 'integer', 'boolean', 'array'].includes(String(property['type'])),
  );
}

/**
 * An answer with its known fields only, as it goes to the server. ATTACKER-CONTROLLED: the answer.
 *
 * @throws SallyportError INPUT_SCHEMA_MISMATCH
 */
export function readAnswer({ method, params }: Question, answer: JsonValue | undefined): JsonObject {
  if (!isJsonObject(answer)) throw unfit('is no object');
  if (method === 'roots/list') return readRoots(answer);
  if (method === 'sampling/createMessage') return readSample(answer);
  const { action, content } = answer;
  if (action === 'decline' || action === 'cancel') return { action };
  if (action !== 'accept') throw unfit('neither accepts nor declines');
  if (params['mode'] === 'url') return { action };
  return { action, content: readForm(content) };
}

/** What is no flat form would carry more than a person can see. Whether it is the right answer is the server's to judge. */
function readForm(content: JsonValue | undefined): JsonObject {
  const given = content ?? {};
  if (!isJsonObject(given)) throw unfit('has no form');
  if (!Object.values(given).every(isPlainValue)) throw unfit('holds more than a flat form');
  return given;
}

const isPlainValue = (value: JsonValue): boolean =>
  ['string', 'number', 'boolean'].includes(typeof value) ||
  (Array.isArray(value) && value.every((item) => typeof item === 'string'));

function readRoots(answer: JsonObject): JsonObject {
  const { roots } = answer;
  if (!Array.isArray(roots)) throw unfit('has no roots');
  const read = (roots as readonly JsonValue[]).map((root) => {
    const { uri, name } = isJsonObject(root) ? root : {};
    if (typeof uri !== 'string') throw unfit('has a root without a URI');
    return { uri, ...(typeof name === 'string' ? { name } : {}) };
  });
  return { roots: read };
}

function readSample(answer: JsonObject): JsonObject {
  const { role, content, model, stopReason } = answer;
  if (
    (role !== 'assistant' && role !== 'user') ||
    (!isJsonObject(content) && !Array.isArray(content)) ||
    typeof model !== 'string'
  ) {
    throw unfit('is no message of a model');
  }
  return { role, content, model, ...(typeof stopReason === 'string' ? { stopReason } : {}) };
}

const unfit = (why: string): SallyportError => new SallyportError('INPUT_SCHEMA_MISMATCH', `the answer ${why}`);
