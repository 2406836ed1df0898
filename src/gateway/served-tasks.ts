import { setTimeout as wait } from 'node:timers/promises';
import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { Asked, CallExchange, CallOptions } from '../gate/index.ts';
import { actionName } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { callAnswer, DECISION_META_KEY } from './call-answer.ts';
import type { ClientRequest } from './exchange.ts';
import type { ReadAnswer } from './mcp-readers.ts';
import { DENIED, INVALID_PARAMS, localAction, resultOf, type ServedContext, serverAction } from './served-context.ts';
import { type KnownTask, MAX_TASKS, type TaskPlace } from './session-tasks.ts';
import {
  hasTaskCalls,
  RELATED_TASK_META_KEY,
  readTask,
  readWantedTtl,
  type Task,
  taskAsJson,
  taskSupportOf,
} from './task-forms.ts';

/** Whether a session may call tools of a server as tasks: it was approved with that, and the policy opens `tasks`. */
export const offersTasks = (mayBeAllowed: (name: string) => boolean, { rule, locked }: ApprovedServer): boolean =>
  hasTaskCalls(locked) && mayBeAllowed(actionName(rule.name, 'tasks/get'));

/** As what a tool is listed; null where no task can come of it. `tool`: its name in policies. */
export const taskSupportIn = (
  context: ServedContext,
  server: ApprovedServer | undefined,
  tool: string,
): 'optional' | 'required' | null =>
  server !== undefined && offersTasks(context.session.mayBeAllowed, server)
    ? taskSupportOf(server.rule.name, server.locked, tool)
    : null;

interface WantedCall {
  readonly server: ApprovedServer | undefined;
  /** The tool's name in policies. */
  readonly tool: string;
  readonly arguments: JsonValue;
}

/**
 * `tools/call` with `task`: the first round of the call starts the task. What cannot go on as a task is called as if none had
 * been asked for (MCP 2025-11-25, tasks), but is not asked back.
 *
 * @throws ProtocolError -32602 for too many tasks
 */
export async function callAsTask(
  context: ServedContext,
  call: WantedCall,
  request: ClientRequest,
  options: CallOptions,
): Promise<JsonObject> {
  const { session, tasks } = context;
  const { server, tool, arguments: args } = call;
  const ttl = readWantedTtl(request.params['task'] ?? null);
  if (server === undefined || !isJsonObject(args) || taskSupportIn(context, server, tool) === null)
    return callAnswer(await session.call(tool, args, options), server?.rule ?? null);
  const place = tasks.place({ server: server.rule.name, tool, arguments: args });
  if (place === null)
    throw new ProtocolError(
      INVALID_PARAMS,
      `at most ${MAX_TASKS} tasks of a session, with 4 MiB of arguments together`,
    );
  try {
    const result = await session.exchange(tool, args, exchangeWith({ task: { ttl } }), options);
    return result.kind === 'asked' ? begun(place, result) : callAnswer(result, server.rule);
  } finally {
    place.leave();
  }
}

/** A round of a call whose caller is not asked, and not told of progress: it does not wait. */
const exchangeWith = (round: Partial<Pick<CallExchange, 'task' | 'state'>>): CallExchange => ({
  ...{ abilities: {}, answers: null, wantsProgress: false, logLevel: null, tell: () => undefined },
  ...{ task: null, state: null, ...round },
});

function begun(place: TaskPlace, { task, state, rule, record }: Asked): JsonObject {
  if (task === null) throw new ProtocolError(DENIED, 'a call as a task cannot be asked back');
  const read = readTask(task);
  const { id } = place.keep({ upstreamId: read.taskId, state }, read.ttl);
  return { task: asShown(id, read), _meta: { [DECISION_META_KEY]: { outcome: 'task', rule: rule.id, record } } };
}

/** A task as its client sees it: by our id. */
const asShown = (id: string, { shown }: Task): JsonObject => ({ taskId: id, ...shown });

interface FoundTask extends KnownTask {
  readonly by: ApprovedServer;
}

/** @throws ProtocolError -32602 for what is no task of this session, any more or ever */
function found(context: ServedContext, id: unknown): FoundTask {
  const task = context.tasks.find(id);
  const by = context.servers().find(({ rule }) => rule.name === task?.server);
  if (task === null || by === undefined) throw new ProtocolError(INVALID_PARAMS, 'there is no such task');
  return { ...task, by };
}

/** Sends `tasks/get` or `tasks/cancel` through the gate. @throws ProtocolError */
async function askAbout(
  context: ServedContext,
  { by, upstreamId }: FoundTask,
  method: 'tasks/get' | 'tasks/cancel',
  signal: AbortSignal,
): Promise<Task> {
  const read = (raw: JsonObject): ReadAnswer => {
    const task = readTask(raw);
    if (task.taskId !== upstreamId)
      throw new SallyportError('RESULT_MALFORMED', 'the server answered for another task');
    return { result: taskAsJson(task) };
  };
  const action = serverAction(context, by, method, { taskId: upstreamId }, read);
  return readTask(resultOf(await context.session.act(action, { signal })));
}

/** `tasks/get`. */
export async function getTask(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const task = found(context, params['taskId']);
  return asShown(task.id, await askAbout(context, task, 'tasks/get', signal));
}

/** `tasks/cancel`. */
export async function cancelTask(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const task = found(context, params['taskId']);
  return asShown(task.id, await askAbout(context, task, 'tasks/cancel', signal));
}

const TASKS_A_PAGE = 50;

/** `tasks/list`: the session's own tasks, each asked for; one that its server does not answer for is left out. */
export async function listTasks(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const all = context.tasks.all();
  const { cursor } = params;
  const last = cursor === undefined ? -1 : all.findIndex(({ id }) => id === cursor);
  if (cursor !== undefined && last < 0) throw new ProtocolError(INVALID_PARAMS, 'this cursor is not one of this list');
  const page = all.slice(last + 1, last + 1 + TASKS_A_PAGE);
  const tasks = await Promise.all(page.map(({ id }) => listed(context, id, signal)));
  const end = page.at(-1);
  const isMore = last + 1 + page.length < all.length;
  return { tasks: tasks.flat(), ...(isMore && end !== undefined ? { nextCursor: end.id } : {}) };
}

async function listed(context: ServedContext, id: string, signal: AbortSignal): Promise<JsonObject[]> {
  try {
    const task = found(context, id);
    return [asShown(id, await askAbout(context, task, 'tasks/get', signal))];
  } catch (error) {
    if (error instanceof ProtocolError) return []; // denied, or forgotten by its server: it stands in the log
    throw error;
  }
}

/**
 * `tasks/result`: waits until the task has ended, then plays the last round of its call, which is decided again with the same
 * arguments: its rule, its schema and its limits hold as if it had answered at once.
 */
export async function getTaskResult(context: ServedContext, { params, signal }: ClientRequest): Promise<JsonObject> {
  const task = await ended(context, params['taskId'], signal);
  const { session } = context;
  const { tool, state, by, upstreamId } = task;
  resultOf(await session.act(localAction(by, 'tasks/result', { taskId: upstreamId }), { signal }));
  const result = await session.exchange(tool, task.arguments, exchangeWith({ state }), { signal });
  if (result.kind === 'asked') throw new ProtocolError(DENIED, 'a task that has ended cannot ask');
  const { _meta: meta = null, ...answer } = callAnswer(result, by.rule);
  return { ...answer, _meta: { ...(isJsonObject(meta) ? meta : {}), [RELATED_TASK_META_KEY]: { taskId: task.id } } };
}

/** Milliseconds between two looks at a task whose server names none. */
const POLL_MS = 2_000;

/**
 * Looks at a task until it has ended, each time through the gate. The server is not asked for a result that it does not have:
 * one that answers nothing for a minute counts as hanging, and would be stopped.
 */
async function ended(context: ServedContext, id: unknown, signal: AbortSignal): Promise<FoundTask> {
  for (;;) {
    const task = found(context, id);
    const { status, pollMs } = await askAbout(context, task, 'tasks/get', signal);
    if (status === 'input_required')
      throw new ProtocolError(DENIED, 'the task waits for input, which this gateway does not pass on: cancel it');
    if (status !== 'working') return task;
    await pause(pollMs === 0 ? POLL_MS : pollMs, signal);
  }
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(milliseconds, undefined, { signal });
  } catch {
    throw new ProtocolError(DENIED, 'the request was cancelled'); // the only reason that a wait fails for
  }
}
