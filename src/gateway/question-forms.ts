import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ClientAbilities, Question } from './exchange.ts';
import { readFilledForm, readFormSchema } from './form-schema.ts';
import { malformed, readableText, unfit } from './question-text.ts';
import { readSample, readSampling } from './sampling-forms.ts';
import { missingAbility } from './upstream-result.ts';

/** Questions of one round. */
export const MAX_QUESTIONS_A_ROUND = 16;

/** Longest text that a person is asked, in UTF-16 code units. */
const MAX_MESSAGE = 4_000;

/**
 * A question with its known fields only, saying who asks: a person must not take the words of a server for ours.
 * ATTACKER-CONTROLLED: all of it.
 *
 * @throws SallyportError RESULT_MALFORMED, SCHEMA_INVALID
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

function readElicitation(rule: ServerRule, params: JsonObject): JsonObject {
  const { mode, requestedSchema, url, elicitationId } = params;
  const text = readableText(params['message'], MAX_MESSAGE);
  if (text === null) throw malformed('a person without a message, or with a very long one');
  const message = rule.expose === 'as-is' ? text : `The server "${rule.name}" asks: ${text}`;
  if (mode === 'url') {
    if (typeof url !== 'string' || !isWebPage(url)) throw malformed('a person to open something that is no web page');
    return { mode, message, url, ...readElicitationId(elicitationId) };
  }
  const form = readFormSchema(requestedSchema);
  return { ...(mode === 'form' ? { mode } : {}), message, requestedSchema: form };
}

function readElicitationId(value: JsonValue | undefined): JsonObject {
  if (value === undefined) return {};
  if (typeof value !== 'string' || !/^[A-Za-z0-9_-]{1,128}$/.test(value)) throw malformed('under an id that is none');
  return { elicitationId: value };
}

/** Longest link, in UTF-16 code units. */
const MAX_LINK = 2_048;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * A link that leads where it seems to: RFC 3986 characters, a host without a name before it, https or this machine.
 * ATTACKER-CONTROLLED: `text`.
 */
function isWebPage(text: string): boolean {
  if (text.length > MAX_LINK || !/^https?:\/\/(?![/?#])[!#-;=?-Z_[\]a-z~]+$/.test(text) || !URL.canParse(text))
    return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isPlain = username === '' && password === '' && !/^[^/?#]*@/.test(text.slice(protocol.length + 2));
  return isPlain && (protocol === 'https:' || LOOPBACK.has(hostname));
}

/**
 * An answer with its known fields only, as it goes to the server. ATTACKER-CONTROLLED: the answer.
 *
 * @throws SallyportError INPUT_SCHEMA_MISMATCH
 */
export function readAnswer({ method, params }: Question, answer: JsonValue | undefined): JsonObject {
  if (!isJsonObject(answer)) throw unfit('is no object');
  if (method === 'roots/list') return readRoots(answer);
  if (method === 'sampling/createMessage') return readSample(params, answer);
  const { action, content } = answer;
  if (action === 'decline' || action === 'cancel') return { action };
  if (action !== 'accept') throw unfit('neither accepts nor declines');
  if (params['mode'] === 'url') return { action };
  const { requestedSchema } = params;
  return { action, content: readFilledForm(isJsonObject(requestedSchema) ? requestedSchema : {}, content) };
}

/** Folders that a client shows. */
const MAX_ROOTS = 1_000;

function readRoots(answer: JsonObject): JsonObject {
  const { roots } = answer;
  if (!Array.isArray(roots) || roots.length > MAX_ROOTS) throw unfit('has no roots, or too many');
  const read = (roots as readonly JsonValue[]).map((root) => {
    const { uri, name } = isJsonObject(root) ? root : {};
    if (typeof uri !== 'string') throw unfit('has a root without a URI');
    return { uri, ...(typeof name === 'string' ? { name } : {}) };
  });
  return { roots: read };
}
