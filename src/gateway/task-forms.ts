import { ProtocolError } from '@modelcontextprotocol/server';
import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';
import type { LockedServer } from './lock.ts';
import { policyToolName } from './names.ts';

/** The one revision that has tasks; everything here is its section "Tasks". */
export const TASKS_VERSION = '2025-11-25';

/** Key in `_meta` of a task's result under which the id of the task stands. */
export const RELATED_TASK_META_KEY = 'io.modelcontextprotocol/related-task';

/** How long a task is kept, in milliseconds: the least and the most, and what holds when the client does not say. */
const MIN_TTL_MS = 1_000;
export const MAX_TTL_MS = 3_600_000;
const DEFAULT_TTL_MS = 600_000;
const INVALID_PARAMS = -32_602;

/**
 * How long a client wants a task to be kept, in milliseconds and within our bounds. ATTACKER-CONTROLLED: `task`.
 *
 * @throws ProtocolError -32602
 */
export function readWantedTtl(task: JsonValue): number {
  const { ttl = DEFAULT_TTL_MS } = isJsonObject(task) ? task : { ttl: null };
  if (typeof ttl !== 'number' || !Number.isSafeInteger(ttl))
    throw new ProtocolError(INVALID_PARAMS, 'Invalid params: "task" of tools/call');
  return Math.min(Math.max(ttl, MIN_TTL_MS), MAX_TTL_MS);
}

const STATUSES: ReadonlySet<unknown> = new Set(['working', 'input_required', 'completed', 'failed', 'cancelled']);
const MAX_ID_LENGTH = 256;
const MAX_MESSAGE_LENGTH = 500;
/** Milliseconds between two looks at a task that we tell a client to wait, and wait ourselves: the least and the most. */
const MIN_POLL_MS = 500;
const MAX_POLL_MS = 60_000;

/** A task as a server describes it, in known fields within bounds. */
export interface Task {
  /** The server's own id. */
  readonly taskId: string;
  readonly status: string;
  /** At most an hour, in milliseconds. */
  readonly ttl: number;
  /** Between half a second and a minute, in milliseconds; 0 when the server does not say. */
  readonly pollMs: number;
  /** What a client is shown besides the id. */
  readonly shown: JsonObject;
}

/** Reads a server's task. ATTACKER-CONTROLLED: `raw`. @throws SallyportError RESULT_MALFORMED */
export function readTask(raw: JsonValue | undefined): Task {
  const { taskId, status, statusMessage, createdAt, lastUpdatedAt, ttl, pollInterval } = isJsonObject(raw) ? raw : {};
  if (typeof taskId !== 'string' || taskId === '' || taskId.length > MAX_ID_LENGTH) throw malformed('no usable id');
  if (typeof status !== 'string' || !STATUSES.has(status)) throw malformed('a status that MCP does not have');
  if (statusMessage !== undefined && typeof statusMessage !== 'string') throw malformed('a message that is no text');
  const kept = ttl === null ? MAX_TTL_MS : numberWithin(ttl, 0, MAX_TTL_MS);
  const poll = pollInterval === undefined ? {} : { pollInterval: numberWithin(pollInterval, MIN_POLL_MS, MAX_POLL_MS) };
  const message = statusMessage?.slice(0, MAX_MESSAGE_LENGTH).toWellFormed();
  const shown = {
    ...{ status, createdAt: time(createdAt), lastUpdatedAt: time(lastUpdatedAt), ttl: kept, ...poll },
    ...(message === undefined ? {} : { statusMessage: message }),
  };
  return { taskId, status, ttl: kept, pollMs: poll.pollInterval ?? 0, shown };
}

function numberWithin(value: JsonValue | undefined, least: number, most: number): number {
  if (typeof value !== 'number') throw malformed('a time span that is no number');
  return Math.min(Math.max(Math.trunc(value), least), most);
}

/** RFC 3339. */
function time(value: JsonValue | undefined): string {
  const isTime = typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]{5,20}(?:Z|[+-]\d\d:\d\d)$/.test(value);
  if (!isTime) throw malformed('a time that is none');
  return value;
}

const malformed = (what: string): SallyportError =>
  new SallyportError('RESULT_MALFORMED', `the server answered with a task that has ${what}`);

/** A task that `readTask` has read, as one JSON object, and back: what crosses the gate. */
export const taskAsJson = ({ taskId, shown }: Task): JsonObject => ({ taskId, ...shown });

/** True for a server that was approved with calls of tools as tasks. */
export function hasTaskCalls({ protocol, capabilities }: LockedServer): boolean {
  const calls = ['requests', 'tools'].reduce(objectIn, objectIn(capabilities, 'tasks'));
  return protocol === TASKS_VERSION && isJsonObject(calls['call'] ?? null);
}

/** Whether a tool was approved as one that can, or must, be called as a task; null: neither. `tool`: its name in policies. */
export function taskSupportOf(server: string, locked: LockedServer, tool: string): 'optional' | 'required' | null {
  const definition = locked.tools.find(({ name }) => policyToolName(server, String(name)) === tool);
  const { taskSupport } = objectIn(definition ?? {}, 'execution');
  return taskSupport === 'optional' || taskSupport === 'required' ? taskSupport : null;
}

function objectIn(from: JsonObject, key: string): JsonObject {
  const value = from[key];
  return isJsonObject(value) ? value : {};
}
