import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import type { JsonObject } from '../../src/core/index.ts';
import type {
  ClientAnswer,
  ClientRequest,
  ServedSession,
  SessionEvent,
  SessionFeatures,
} from '../../src/gateway/exchange.ts';

/** A session that answers from a script and remembers what it was asked. */
export interface ScriptedSession extends ServedSession {
  readonly requests: ClientRequest[];
  readonly told: string[];
  readonly abandoned: string[];
  readonly listeners: () => number;
  readonly closed: () => number;
  emit(event: SessionEvent): void;
}

export type Script = (request: ClientRequest) => Promise<ClientAnswer>;

const ALL_FEATURES: SessionFeatures = {
  ...{ resources: true, subscriptions: true, prompts: true, completion: true, logging: true, tasks: true },
};

/** The requests for one method, in the order in which they came. */
export const requestsFor = ({ requests }: ScriptedSession, method: string): readonly ClientRequest[] =>
  requests.filter((request) => request.method === method);

export function scriptedSession(script: Script, features: Partial<SessionFeatures> = {}): ScriptedSession {
  const listeners = new Set<(event: SessionEvent) => void>();
  const requests: ClientRequest[] = [];
  const told: string[] = [];
  const abandoned: string[] = [];
  let closed = 0;
  return {
    ...{
      requests,
      told,
      abandoned,
      abandon: (state) => void abandoned.push(state),
      closed: () => closed,
      listeners: () => listeners.size,
    },
    features: async () => ({ ...ALL_FEATURES, ...features }),
    answer: (request) => {
      requests.push(request);
      return script(request);
    },
    schemaOf: async () => null,
    tell: async (method) => void told.push(method),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    close: async () => {
      closed += 1;
    },
  };
}

/** What a session with everything in it answers. The tool is in the name of the call. */
export async function answerAll(request: ClientRequest): Promise<ClientAnswer> {
  const { method, params } = request;
  const known = FIXED[method];
  if (known !== undefined) return { kind: 'result', result: known };
  if (method === 'tools/call') return callTool(request, String(params['name']));
  throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
}

const TASK = {
  ...{ taskId: 't1', status: 'working', ttl: 60_000, createdAt: '2026-01-01T00:00:00Z' },
  lastUpdatedAt: '2026-01-01T00:00:00Z',
};
export const LISTED_TOOL: JsonObject = {
  ...{ name: 'echo', title: 'Echo', description: 'says it again' },
  inputSchema: { type: 'object', properties: { a: { type: 'number' } } },
  outputSchema: { type: 'object', properties: { a: { type: 'number' } } },
  annotations: { readOnlyHint: true },
  _meta: { 'example.com/key': [1, 2] },
};

const FIXED: Readonly<Record<string, (ClientAnswer & { kind: 'result' })['result']>> = {
  // What is said about caching here is another server's word, and must not reach a client.
  'tools/list': { tools: [LISTED_TOOL], nextCursor: 'next', ttlMs: 60_000, cacheScope: 'public', resultType: 'other' },
  'resources/list': { resources: [{ uri: 'file:///a', name: 'a' }] },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'file:///{x}', name: 'x' }] },
  'resources/read': { contents: [{ uri: 'file:///a', text: 'A' }] },
  'resources/subscribe': {},
  'resources/unsubscribe': {},
  'prompts/list': { prompts: [{ name: 'p' }] },
  'prompts/get': { messages: [{ role: 'user', content: { type: 'text', text: 'P' } }] },
  'completion/complete': { completion: { values: ['one'] } },
  'logging/setLevel': {},
  'tasks/get': TASK,
  'tasks/list': { tasks: [TASK] },
  'tasks/cancel': { ...TASK, status: 'cancelled' },
  'tasks/result': { content: [{ type: 'text', text: 'done' }] },
};

const said = (text: string): ClientAnswer => ({ kind: 'result', result: { content: [{ type: 'text', text }] } });

export const FORM: JsonObject = {
  ...{ mode: 'form', message: 'who?' },
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
};
export const SAMPLE: JsonObject = { messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }], maxTokens: 5 };

async function callTool(request: ClientRequest, name: string): Promise<ClientAnswer> {
  if (request.params['task'] !== undefined) return { kind: 'result', result: { task: TASK } };
  switch (name) {
    case 'ask':
      return ask(request);
    case 'progress':
      for (let progress = 1; progress <= 500; progress++) await request.progress?.({ progress, total: 500 });
      return said('progressed');
    case 'loud':
      for (let count = 0; count < 500; count++)
        await request.progress?.({ progress: count, message: 'x'.repeat(60_000) });
      return said('loud');
    case 'log':
      for (const level of ['debug', 'warning']) await request.log?.({ level, data: level });
      return said('logged');
    case 'wait':
      return new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(new Error('stopped'))));
    case 'broken':
      throw new Error('a secret of ours');
    default:
      return said(JSON.stringify(request.params['arguments'] ?? {}));
  }
}

/** Two rounds: a form, a sample and the roots; then a form again; then what came of it. */
function ask({ answers, state }: ClientRequest): ClientAnswer {
  if (state === null) {
    const questions = {
      form: { method: 'elicitation/create', params: FORM },
      sample: { method: 'sampling/createMessage', params: SAMPLE },
      roots: { method: 'roots/list', params: {} },
    };
    return { kind: 'questions', questions, state: 'sealed-1' };
  }
  if (state === 'sealed-1') {
    const again = { again: { method: 'elicitation/create', params: FORM } };
    return { kind: 'questions', questions: again, state: `sealed-2 ${JSON.stringify(answers)}` };
  }
  return said(`${state} ${JSON.stringify(answers)}`);
}
