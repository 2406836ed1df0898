import { ProtocolError } from '@modelcontextprotocol/server';
import type { JsonObject, JsonValue } from '../core/index.ts';
import type { CallOptions, Gate, GateSession, Tool } from '../gate/index.ts';
import { actionName } from '../policy/index.ts';
import { approvalWait, withConsole } from './approval-waits.ts';
import type { ApprovedServer } from './approved-server.ts';
import { callAnswer } from './call-answer.ts';
import { sessionHolder } from './caller.ts';
import { createEnvelope } from './envelope.ts';
import type { ClientAnswer, ClientRequest, ServedSession, SessionEvent, SessionFeatures } from './exchange.ts';
import { actionError, INVALID_PARAMS, passingServers, type ServedContext } from './served-context.ts';
import { passEvents } from './served-events.ts';
import { listedTool, toolExposure } from './served-names.ts';
import { complete, getPrompt, listPrompts } from './served-prompts.ts';
import { listResources, listTemplates, readResource, type Watched, watchResource } from './served-resources.ts';
import { abandonRound, playRound } from './served-rounds.ts';
import {
  callAsTask,
  cancelTask,
  getTask,
  getTaskResult,
  listTasks,
  offersTasks,
  taskSupportIn,
} from './served-tasks.ts';
import { holderOf, serverCaller } from './server-caller.ts';
import { sessionTasks } from './session-tasks.ts';
import { ABILITIES, MISSING_ABILITY } from './upstream-result.ts';
import type { Upstreams } from './upstreams.ts';

type GateChanges = Pick<Gate, 'onToolsChanged' | 'onPolicyChanged'>;

/** What the sessions of a front share: the servers, and what is on its way through their clients. */
export interface Serving {
  readonly upstreams: Upstreams | null;
  /** The gate, as far as it says that what it offers may have changed; null: it never does. */
  readonly changes: GateChanges | null;
  readonly caller: ServedContext['caller'];
  readonly envelope: ServedContext['envelope'];
  readonly console: ServedContext['console'];
}

/** Shared by all sessions of a front. Without servers only the gate's own tools are served. */
export function serving(
  upstreams: Upstreams | null,
  changes: GateChanges | null = null,
  console: string | null = null,
): Serving {
  const none = (): never => {
    throw new ProtocolError(INVALID_PARAMS, 'there are no servers');
  };
  return {
    upstreams,
    changes,
    console,
    caller: upstreams?.caller ?? serverCaller(none),
    envelope: createEnvelope(() => performance.now()),
  };
}

type Answerer = (context: ServedContext, request: ClientRequest, watched: Watched) => Promise<ClientAnswer>;

const plain =
  (answer: (context: ServedContext, request: ClientRequest) => Promise<JsonObject>): Answerer =>
  async (context, request) => ({ kind: 'result', result: await answer(context, request) });

/** Every method that a client may use; the rest is unknown here, and the protocol side answers so. */
const ANSWERERS: ReadonlyMap<string, Answerer> = new Map<string, Answerer>([
  ['tools/list', plain(listTools)],
  ['tools/call', callTool],
  ['resources/list', plain(listResources)],
  [
    'resources/templates/list',
    plain(async (context) => listTemplates(await passingServers(context, 'resources/templates/list'))),
  ],
  ['resources/read', readResource],
  ['resources/subscribe', (context, request, watched) => watchResource(context, request, watched, true)],
  ['resources/unsubscribe', (context, request, watched) => watchResource(context, request, watched, false)],
  ['prompts/list', plain(listPrompts)],
  ['prompts/get', getPrompt],
  ['completion/complete', plain(complete)],
  ['logging/setLevel', plain(setLevel)],
  ['tasks/get', plain(getTask)],
  ['tasks/result', plain(getTaskResult)],
  ['tasks/list', plain(listTasks)],
  ['tasks/cancel', plain(cancelTask)],
]);

/** Serves a gate session to one client. */
export function serveSession(session: GateSession, shared: Serving): ServedSession {
  const { upstreams, changes, caller, envelope, console } = shared;
  const servers = (): readonly ApprovedServer[] => upstreams?.approved() ?? [];
  const context: ServedContext = {
    ...{ session, caller, envelope, servers, console },
    tools: toolExposure(session, servers),
    watch: async (server, uris) =>
      upstreams?.with(server, holderOf(session.principal, server), (connection) => connection.watch(uris)),
    tasks: sessionTasks(() => performance.now()),
    refresh: async () => upstreams?.refresh(),
  };
  const listeners = new Set<(event: SessionEvent) => void>();
  const watched: Watched = new Map();
  const emit = (event: SessionEvent): void => {
    for (const listener of listeners) listener(event);
  };
  const stopChanges = changes === null ? [] : tellOfChanges(changes, emit);
  const stopEvents =
    upstreams === null
      ? () => undefined
      : passEvents(context, upstreams, watched, { emit, isHeard: () => listeners.size > 0 });
  return {
    features: () => offeredFeatures(upstreams, session.mayBeAllowed),
    answer: async (request) => {
      const answerer = ANSWERERS.get(request.method);
      if (answerer === undefined) throw new ProtocolError(-32_601, 'Method not found');
      await context.refresh();
      return answerer(context, request, watched);
    },
    abandon: (state) => abandonRound(context, state),
    schemaOf: async (name) => {
      await context.refresh();
      return context.tools().byName.get(name)?.schema ?? null;
    },
    tell: (method, params) => tellServers(context, upstreams, method, params),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: async () => {
      stopEvents();
      for (const stop of stopChanges) stop();
      listeners.clear();
      const holder = sessionHolder(session.principal);
      caller.release(holder);
      await upstreams?.release(holder);
      await session.close();
    },
  };
}

/** A policy or an approval that changed shows in every list. */
const tellOfChanges = (changes: GateChanges, emit: (event: SessionEvent) => void): readonly (() => void)[] => [
  changes.onToolsChanged(() => emit({ kind: 'tools' })),
  changes.onPolicyChanged(() => {
    emit({ kind: 'prompts' });
    emit({ kind: 'resources' });
  }),
];

/**
 * What a caller may be offered: what some approved server can and some rule could allow. It needs no session of the gate and
 * leaves no record.
 */
export async function offeredFeatures(
  upstreams: Pick<Upstreams, 'refresh' | 'approved'> | null,
  mayBeAllowed: (name: string) => boolean,
): Promise<SessionFeatures> {
  await upstreams?.refresh();
  const servers = upstreams?.approved() ?? [];
  const some = (method: string, capability: string): boolean =>
    servers.some(
      ({ rule, locked }) =>
        locked.capabilities[capability] !== undefined && mayBeAllowed(actionName(rule.name, method)),
    );
  return {
    resources: some('resources/read', 'resources'),
    subscriptions: some('resources/subscribe', 'resources'),
    prompts: some('prompts/get', 'prompts'),
    completion: some('completion/complete', 'completions'),
    logging: servers.some(({ rule }) => mayBeAllowed(actionName(rule.name, 'notifications/message'))),
    tasks: servers.some((server) => offersTasks(mayBeAllowed, server)),
  };
}

async function listTools(context: ServedContext): Promise<JsonObject> {
  const { byName } = context.tools();
  const servers = new Map(context.servers().map((server) => [server.rule.name, server]));
  const taskSupport = ({ name, server = '' }: Tool): ReturnType<typeof taskSupportIn> =>
    taskSupportIn(context, servers.get(server), name);
  return { tools: [...byName].map(([name, tool]) => listedTool(name, tool, taskSupport(tool))) };
}

/** The level is kept on the client's side; each server that may log is asked whether it may. */
async function setLevel(context: ServedContext): Promise<JsonObject> {
  await passingServers(context, 'logging/setLevel');
  return {};
}

async function callTool(context: ServedContext, request: ClientRequest): Promise<ClientAnswer> {
  const { name, arguments: args = {} } = request.params;
  if (typeof name !== 'string') throw new ProtocolError(INVALID_PARAMS, 'a tool is called by its name');
  const waiting = approvalWait(request, context.console);
  try {
    const answer = await callNamed(context, { request, name, args, options: waiting.options });
    return withConsole(answer, context.console);
  } finally {
    waiting.end();
  }
}

interface NamedCall {
  readonly request: ClientRequest;
  readonly name: string;
  readonly args: JsonValue;
  readonly options: CallOptions;
}

async function callNamed(context: ServedContext, { request, name, args, options }: NamedCall): Promise<ClientAnswer> {
  const { session } = context;
  const { policyName, tool } = calledTool(context, name);
  const server = context.servers().find(({ rule }) => rule.name === tool?.server);
  if (request.params['task'] !== undefined) {
    const call = { server, tool: policyName, arguments: args };
    return { kind: 'result', result: await callAsTask(context, call, request, options) };
  }
  if (server === undefined) {
    return { kind: 'result', result: callAnswer(await session.call(policyName, args, options), null) };
  }
  const round = await playRound(context, {
    ...{ request, server, params: { name, arguments: args } },
    run: (exchange) => session.exchange(policyName, args, exchange, options),
  });
  if (round.kind === 'questions') return round;
  const { result } = round;
  if (result.kind === 'failed' && result.code === 'CLIENT_ABILITY_MISSING') throw abilityError(result.reason);
  return { kind: 'result', result: callAnswer(result, server.rule) };
}

/**
 * The tool behind a client's name, or behind its name in policies; a tool that is not offered, because its name could be
 * mistaken for another's, is called by a name that no tool has, and so denied and recorded.
 */
function calledTool(context: ServedContext, name: string): { readonly policyName: string; readonly tool?: Tool } {
  const exposed = context.tools();
  const policyName = exposed.policyName(name);
  const tool = exposed.byName.get(name) ?? [...exposed.byName.values()].find((offered) => offered.name === policyName);
  if (tool !== undefined) return { policyName: tool.name, tool };
  const isHidden = context.session.tools().some((hidden) => hidden.name === policyName);
  return { policyName: isHidden ? `${policyName.slice(0, 127)}…` : policyName };
}

/** Not the model but the client has to know: it can say that it offers more. */
function abilityError(reason: string): ProtocolError {
  const named = ABILITIES.filter((name) => reason.includes(name));
  const requiredCapabilities = Object.fromEntries(named.map((name) => [name, {}]));
  return new ProtocolError(MISSING_ABILITY, reason, { requiredCapabilities });
}

/** Tells the servers that may know what a client says of itself. */
async function tellServers(
  context: ServedContext,
  upstreams: Upstreams | null,
  method: string,
  params: JsonObject,
): Promise<void> {
  if (method !== 'notifications/roots/list_changed' || upstreams === null) return;
  await Promise.all(context.servers().map((server) => tellServer(context, upstreams, server, method, params)));
}

async function tellServer(
  context: ServedContext,
  upstreams: Upstreams,
  server: ApprovedServer,
  method: string,
  params: JsonObject,
): Promise<void> {
  if (!context.session.mayBeAllowed(actionName(server.rule.name, method))) return;
  const holder = holderOf(context.session.principal, server);
  const result = await context.session.act({
    ...{ server: server.rule.name, method, params: {}, runs: server.rule.url !== null ? 'remote' : 'spawned' },
    execute: async () => {
      await upstreams.with(server, holder, (connection) => connection.notify(method, params));
      return {};
    },
    read: () => ({ result: {} }),
  });
  if (result.kind === 'denied') throw actionError(result);
}

/**
 * A session that is opened, and recorded, with the first request that needs it: a handshake alone, which asks only for
 * `features`, costs no record.
 */
export function servedWhenUsed(open: () => Promise<ServedSession>, features: ServedSession['features']): ServedSession {
  let opening: Promise<ServedSession> | null = null;
  const opened = (): Promise<ServedSession> => {
    opening ??= open().catch((error: unknown) => {
      opening = null;
      throw error;
    });
    return opening;
  };
  return {
    features,
    schemaOf: async (tool) => (await opened()).schemaOf(tool),
    answer: async (request) => (await opened()).answer(request),
    abandon: (state) =>
      void opened().then(
        (session) => session.abandon(state),
        () => undefined, // what was never opened gave no state out
      ),
    tell: async (method, params) => (await opened()).tell(method, params),
    listen: (listener) => {
      let stop: (() => void) | null = null;
      let isOver = false;
      void opened().then(
        (session) => {
          if (!isOver) stop = session.listen(listener);
        },
        () => undefined, // whoever asks for something next is told why it cannot be opened
      );
      return () => {
        isOver = true;
        stop?.();
      };
    },
    close: async () => (await opening)?.close(),
  };
}
