// Tools that ask the client back: by requests in mid-call (2025 revisions) and by input-required results (2026-07-28).
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  fromJsonSchema,
  inputRequired,
} from '@modelcontextprotocol/server';
import { object, text, textResult, userMessage } from './fixtures.mjs';

/** Seals the state of a call that is not finished, so that a client cannot change it. */
export const requestState = createRequestStateCodec({ key: crypto.getRandomValues(new Uint8Array(32)) });

const titled = (...titles) => titles.map((title, index) => ({ const: `value${index + 1}`, title }));
const OPTIONS = ['option1', 'option2', 'option3'];

/** A value of each primitive type with its default (SEP-1034). */
const DEFAULTS = {
  name: { type: 'string', description: 'User name', default: 'John Doe' },
  age: { type: 'integer', description: 'User age', default: 30 },
  score: { type: 'number', description: 'User score', default: 95.5 },
  status: { type: 'string', description: 'User status', enum: ['active', 'inactive', 'pending'], default: 'active' },
  verified: { type: 'boolean', description: 'Verification status', default: true },
};

/** The five ways to offer a choice (SEP-1330). */
const CHOICES = {
  untitledSingle: { type: 'string', enum: OPTIONS },
  titledSingle: { type: 'string', oneOf: titled('First Option', 'Second Option', 'Third Option') },
  legacyEnum: {
    type: 'string',
    enum: ['opt1', 'opt2', 'opt3'],
    enumNames: ['Option One', 'Option Two', 'Option Three'],
  },
  untitledMulti: { type: 'array', minItems: 1, maxItems: 3, items: { type: 'string', enum: OPTIONS } },
  titledMulti: {
    type: 'array',
    minItems: 1,
    maxItems: 3,
    items: { anyOf: titled('First Choice', 'Second Choice', 'Third Choice') },
  },
};

const answered = ({ action, content }) => `action=${action}, content=${JSON.stringify(content ?? {})}`;
async function elicit({ mcpReq }, message, requestedSchema) {
  if (mcpReq.envelope === undefined) {
    return textResult(
      answered(await mcpReq.send({ method: 'elicitation/create', params: { message, requestedSchema } })),
    );
  }
  const answer = mcpReq.inputResponses?.form;
  const question = { method: 'elicitation/create', params: { message, requestedSchema } };
  return answer === undefined ? inputRequired({ inputRequests: { form: question } }) : textResult(answered(answer));
}

async function sample({ prompt }, { mcpReq }) {
  const params = { messages: [userMessage(text(prompt))], maxTokens: 100 };
  const question = { method: 'sampling/createMessage', params };
  const answer = mcpReq.envelope === undefined ? await mcpReq.send(question) : mcpReq.inputResponses?.sample;
  if (answer === undefined) return inputRequired({ inputRequests: { sample: question } });
  const { content } = answer;
  return textResult(`LLM response: ${content?.text ?? 'none'}`);
}

/** Requests of the 2025 revisions, sent while the call runs. */
function addTalkingTools(add) {
  const string = { type: 'string' };
  add('test_sampling', sample, object({ prompt: string }));
  add(
    'test_elicitation',
    ({ message }, context) => elicit(context, message, object({ username: string, email: string })),
    object({ message: string }),
  );
  add('test_elicitation_sep1034_defaults', (_args, context) =>
    elicit(context, 'Please review the defaults', object(DEFAULTS, [])),
  );
  add('test_elicitation_sep1330_enums', (_args, context) =>
    elicit(context, 'Please select options', object(CHOICES, [])),
  );
}

const askFor = (message, properties) => inputRequired.elicit({ message, requestedSchema: object(properties) });
const askName = () => askFor('What is your name?', { name: { type: 'string' } });
const askModel = (question, maxTokens = 50) =>
  inputRequired.createMessage({ messages: [userMessage(text(question))], maxTokens });
const confirm = () => askFor('Please confirm', { ok: { type: 'boolean' } });
const sealed = (value) => requestState.mint({ ...value, nonce: crypto.randomUUID() });

async function name(_args, { mcpReq }) {
  const given = acceptedContent(mcpReq.inputResponses, 'user_name')?.name;
  if (typeof given !== 'string') return inputRequired({ inputRequests: { user_name: askName() } });
  return textResult(`Hello, ${given}!`);
}

async function capital(_args, { mcpReq }) {
  const response = mcpReq.inputResponses?.capital_question;
  if (response === undefined) {
    return inputRequired({ inputRequests: { capital_question: askModel('What is the capital of France?', 100) } });
  }
  return textResult(`Sampling response: ${response.content?.text ?? 'none'}`);
}

async function roots(_args, { mcpReq }) {
  const list = mcpReq.inputResponses?.client_roots?.roots;
  if (!Array.isArray(list)) return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  return textResult(`${list.length} roots: ${list.map(({ uri }) => uri).join(', ')}`);
}

/** Completes only with a confirmation and a state that it sealed itself. */
const confirmedWith =
  (done) =>
  async (_args, { mcpReq }) => {
    const confirmed = acceptedContent(mcpReq.inputResponses, 'confirm') !== undefined;
    if (confirmed && mcpReq.requestState() !== undefined) return textResult(done);
    return inputRequired({ inputRequests: { confirm: confirm() }, requestState: await sealed({}) });
  };

async function everything(_args, { mcpReq: { inputResponses } }) {
  const given = acceptedContent(inputResponses, 'user_name')?.name;
  const greeting = inputResponses?.greeting?.content?.text;
  const list = inputResponses?.client_roots?.roots;
  if (typeof given === 'string' && typeof greeting === 'string' && Array.isArray(list)) {
    return textResult(`${greeting} ${given}, ${list.length} roots`);
  }
  const inputRequests = {
    user_name: askName(),
    greeting: askModel('Generate a greeting'),
    client_roots: inputRequired.listRoots(),
  };
  return inputRequired({ inputRequests, requestState: await sealed({}) });
}

const ROUNDS = [
  { step1: () => askFor('Step 1: What is your name?', { name: { type: 'string' } }) },
  { step2: () => askFor('Step 2: What is your favorite color?', { color: { type: 'string' } }) },
];

/** Two rounds; which one it is stands in the sealed state, because nothing else outlives a request. */
async function twoRounds(_args, { mcpReq }) {
  const state = mcpReq.requestState();
  const round = state?.round ?? 0;
  const given = acceptedContent(mcpReq.inputResponses, 'step1')?.name ?? state?.name;
  const next = ROUNDS[round];
  if (next === undefined) {
    return textResult(`${given} likes ${acceptedContent(mcpReq.inputResponses, 'step2')?.color}`);
  }
  const inputRequests = Object.fromEntries(Object.entries(next).map(([key, ask]) => [key, ask()]));
  return inputRequired({ inputRequests, requestState: await sealed({ round: round + 1, name: given }) });
}

/** Asks only for what the client said it can answer. */
async function whatTheClientCan(_args, { mcpReq }) {
  const declared = mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
  const inputRequests = {
    ...(declared.elicitation !== undefined && { user_name: askName() }),
    ...(declared.sampling !== undefined && { greeting: askModel('Generate a short greeting') }),
    ...(declared.roots !== undefined && { client_roots: inputRequired.listRoots() }),
  };
  if (mcpReq.inputResponses !== undefined || Object.keys(inputRequests).length === 0) return textResult('done');
  return inputRequired({ inputRequests });
}

async function needsSampling(_args, { mcpReq }) {
  if (mcpReq.inputResponses?.llm_answer !== undefined) return textResult('sampled');
  return inputRequired({ inputRequests: { llm_answer: askModel('Reply with the single word: pong', 16) } });
}

/** Registers the tools that ask. */
export function addAskingTools(server) {
  const add = (toolName, run, schema = object({})) =>
    server.registerTool(toolName, { description: `Fixture ${toolName}`, inputSchema: fromJsonSchema(schema) }, run);
  addTalkingTools(add);
  const prefix = 'test_input_required_result';
  add(`${prefix}_elicitation`, name);
  add(`${prefix}_sampling`, capital);
  add(`${prefix}_list_roots`, roots);
  add(`${prefix}_request_state`, confirmedWith('state-ok: the state came back as it was sealed'));
  add(`${prefix}_tampered_state`, confirmedWith('integrity-ok: the state came back as it was sealed'));
  add(`${prefix}_multiple_inputs`, everything);
  add(`${prefix}_multi_round`, twoRounds);
  add(`${prefix}_capabilities`, whatTheClientCan);
  add('test_missing_capability', needsSampling);
}

/** A prompt that asks before it is written. */
export async function askingPrompt({ mcpReq }) {
  const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context;
  if (typeof context !== 'string') {
    const inputRequests = { user_context: askFor('What context?', { context: { type: 'string' } }) };
    return inputRequired({ inputRequests });
  }
  return { messages: [userMessage(text(`Use the following context: ${context}`))] };
}
