import {
  type InputRequests,
  inputRequired,
  type JSONRPCMessage,
  ProtocolError,
  ProtocolErrorCode,
  type Result,
  Server,
  type ServerCapabilities,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import { type ClientLimits, DEFAULT_CLIENT_LIMITS } from './client-limits.ts';
import { anyParams, checkParams } from './client-params.ts';
import { type Era, isAtLevel, openRequest } from './client-request.ts';
import type { ClientAnswer, Question, ServedSession, SessionEvent, SessionFeatures } from './exchange.ts';
import { type OpenRounds, openRounds } from './open-rounds.ts';
import { TASKS_VERSION } from './task-forms.ts';
import { throttled } from './throttle.ts';
import { QUESTION_ACTIONS } from './upstream-abilities.ts';

/** Revisions with sessions that clients may speak, newest first. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26'];
/** The stateless revision. */
export const MODERN_VERSION = '2026-07-28';

const INSTRUCTIONS =
  'Every call passes a policy. A denied call says which rule denied it and what would be allowed: change the call, or ask the operator.';

export interface McpServerOptions {
  /** Told to clients. */
  readonly version: string;
  readonly era: Era;
  readonly limits?: Partial<ClientLimits>;
  /** Hears of errors of which the client learns nothing. */
  readonly onError?: (error: unknown) => void;
}

/** An MCP server over one session, and what its transport needs to know of it. */
export interface ClientServer {
  readonly server: Server;
  /** A message of the client as the server takes it. */
  adapt(message: JSONRPCMessage): JSONRPCMessage;
  /** True for an event that the client of a 2025-era session is to be told. */
  wants(event: SessionEvent): boolean;
}

/** What one server remembers of its client. */
interface Client {
  readonly session: ServedSession;
  readonly server: Server;
  readonly era: Era;
  readonly limits: ClientLimits;
  readonly features: SessionFeatures;
  readonly onError: (error: unknown) => void;
  /** Signals of the requests in which the client was asked something: the same object in every round of a request. */
  readonly asked: WeakSet<AbortSignal>;
  readonly rounds: OpenRounds;
  readonly uris: Set<string>;
  /** Subscriptions that are being asked for: they count, so that a burst cannot pass the limit. */
  subscribing: number;
  level: string | null;
}

/** Builds the server: it offers the features of the session and answers nothing else. */
export async function buildMcpServer(session: ServedSession, options: McpServerOptions): Promise<ClientServer> {
  const { version, era, onError = () => undefined } = options;
  const limits = { ...DEFAULT_CLIENT_LIMITS, ...options.limits };
  const features = await session.features();
  const server = new Server(
    { name: 'sallyport', version },
    {
      capabilities: capabilitiesOf(features, era),
      instructions: INSTRUCTIONS,
      supportedProtocolVersions: [...LEGACY_VERSIONS, MODERN_VERSION],
      inputRequired: { maxRounds: limits.questionRounds, roundTimeoutMs: limits.questionMs },
    },
  );
  const rounds = openRounds((state) => session.abandon(state));
  const client: Client = {
    ...{ session, server, era, limits, features, onError, rounds },
    ...{ asked: new WeakSet(), uris: new Set(), subscribing: 0, level: null },
  };
  for (const method of methodsOf(features, era)) register(client, method);
  if (era === 'legacy') {
    const connect = server.connect.bind(server);
    server.connect = (transport) => connect(rounds.watch(transport));
    const method = 'notifications/roots/list_changed';
    // Each one may cost a record and a message to every server: a client that sends a flood of them causes few.
    const tell = throttled(() => void session.tell(method, {}).catch(onError), limits.tellMs);
    server.setNotificationHandler(method, tell);
  }
  server.onerror = onError;
  return { server, adapt: (message) => adaptMessage(client, message), wants: (event) => wants(client, event) };
}

function capabilitiesOf(features: SessionFeatures, era: Era): ServerCapabilities {
  const { resources, subscriptions, prompts, completion, logging, tasks } = features;
  return {
    tools: { listChanged: true },
    ...(resources ? { resources: { listChanged: true, ...(subscriptions ? { subscribe: true } : {}) } } : {}),
    ...(prompts ? { prompts: { listChanged: true } } : {}),
    ...(completion ? { completions: {} } : {}),
    ...(logging ? { logging: {} } : {}),
    ...(tasks && era === 'legacy' ? { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } } : {}),
  };
}

/** Our own name of a call that the client wants as a task: the SDK knows no such result of `tools/call`. */
const TASK_CALL = 'sallyport/tools-call-as-task';

function methodsOf(features: SessionFeatures, era: Era): readonly string[] {
  const isLegacy = era === 'legacy';
  return [
    ...['tools/list', 'tools/call'],
    ...(features.resources ? ['resources/list', 'resources/templates/list', 'resources/read'] : []),
    ...(features.resources && features.subscriptions && isLegacy
      ? ['resources/subscribe', 'resources/unsubscribe']
      : []),
    ...(features.prompts ? ['prompts/list', 'prompts/get'] : []),
    ...(features.completion ? ['completion/complete'] : []),
    ...(features.logging && isLegacy ? ['logging/setLevel'] : []),
    ...(features.tasks && isLegacy ? ['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel', TASK_CALL] : []),
  ];
}

function register(client: Client, method: string): void {
  client.server.setRequestHandler(method, { params: anyParams }, (params: JsonObject, context) =>
    method === TASK_CALL ? serve(client, 'tools/call', params, context) : serveMethod(client, method, params, context),
  );
}

async function serveMethod(
  client: Client,
  method: string,
  params: JsonObject,
  context: ServerContext,
): Promise<Result> {
  if (method.startsWith('tasks/') && !hasTasks(client)) {
    throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
  }
  // A receiver without tasks answers as if none had been asked for (MCP 2025-11-25, tasks).
  const { task: _, ...plain } = params;
  if (method === 'resources/subscribe') return subscribe(client, plain, context);
  const result = await serve(client, method, plain, context);
  if (method === 'tools/list' && !hasTasks(client)) return withoutTaskSupport(result);
  const { uri, level } = params;
  if (method === 'resources/unsubscribe' && typeof uri === 'string') client.uris.delete(uri);
  if (method === 'logging/setLevel' && typeof level === 'string') client.level = level;
  return result;
}

async function subscribe(client: Client, params: JsonObject, context: ServerContext): Promise<Result> {
  const uri = String(params['uri']);
  if (!client.uris.has(uri) && client.uris.size + client.subscribing >= client.limits.uris) {
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, `at most ${client.limits.uris} subscriptions`);
  }
  client.subscribing += 1;
  try {
    const result = await serve(client, 'resources/subscribe', params, context);
    client.uris.add(uri);
    return result;
  } finally {
    client.subscribing -= 1;
  }
}

/** One request through the session. Of what goes wrong in it the client reads only a ProtocolError. */
async function serve(client: Client, method: string, params: JsonObject, context: ServerContext): Promise<Result> {
  checkParams(method, params, client.limits.nameLength);
  const { signal, id } = context.mcpReq;
  const { era, server, limits, level, features, asked, rounds } = client;
  const again = era === 'modern' || asked.has(signal);
  const setting = { era, server, limits, level, logging: features.logging, again };
  rounds.cameBack(id);
  const { request, finish } = openRequest(method, params, context, setting);
  try {
    const answer = await client.session.answer(request);
    if (answer.kind === 'questions') {
      if (!ASKING_METHODS.has(method)) throw new TypeError(`a question in the middle of ${method}`);
      asked.add(signal);
      if (era === 'legacy') rounds.asked(id, answer.state, signal);
    }
    return resultOf(answer);
  } catch (error) {
    throw toldError(error, client.onError);
  } finally {
    await finish();
  }
}

/** Requests in which MCP lets a client be asked (MCP 2026-07-28, multi round-trip requests). */
const ASKING_METHODS: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Members of a result that the protocol side alone may set: no server says how long another principal may keep it. */
const RESULT_FRAME_KEYS: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);

function resultOf(answer: ClientAnswer): Result {
  if (answer.kind === 'questions') {
    return inputRequired({ inputRequests: inputRequests(answer.questions), requestState: answer.state });
  }
  return Object.fromEntries(Object.entries(answer.result).filter(([name]) => !RESULT_FRAME_KEYS.has(name)));
}

function inputRequests(questions: Readonly<Record<string, Question>>): InputRequests {
  // A key may be a server's: as an entry it is an own member, whatever its name.
  const requests = Object.fromEntries(
    Object.entries(questions).map(([key, { method, params }]) => [key, { method, params }]),
  );
  if (!areInputRequests(requests)) throw new TypeError('a question that MCP does not have');
  return requests;
}

const areInputRequests = (requests: Record<string, unknown>): requests is InputRequests =>
  Object.values(requests).every((request) => isJsonObject(request) && QUESTION_ACTIONS.has(String(request['method'])));

function toldError(error: unknown, onError: (error: unknown) => void): ProtocolError {
  if (error instanceof ProtocolError) return error;
  onError(error);
  return new ProtocolError(ProtocolErrorCode.InternalError, 'Internal error');
}

function adaptMessage(client: Client, message: JSONRPCMessage): JSONRPCMessage {
  if (!('method' in message) || message.method !== 'tools/call' || message.params?.['task'] === undefined) {
    return message;
  }
  return hasTasks(client) ? { ...message, method: TASK_CALL } : message;
}

const hasTasks = ({ features, era, server }: Client): boolean =>
  features.tasks && era === 'legacy' && server.getNegotiatedProtocolVersion() === TASKS_VERSION;

/** A client that has no tasks is not told which tools could be called as one. */
function withoutTaskSupport({ tools, ...rest }: Result): Result {
  const withoutExecution = (tool: unknown): unknown =>
    isJsonObject(tool) ? Object.fromEntries(Object.entries(tool).filter(([name]) => name !== 'execution')) : tool;
  return { ...rest, tools: Array.isArray(tools) ? tools.map(withoutExecution) : [] };
}

function wants(client: Client, event: SessionEvent): boolean {
  const { features, uris, level } = client;
  switch (event.kind) {
    case 'tools':
      return true;
    case 'prompts':
    case 'resources':
      return features[event.kind];
    case 'updated':
      return uris.has(event.uri);
    case 'log':
      return features.logging && isAtLevel(event.message, level);
  }
}
