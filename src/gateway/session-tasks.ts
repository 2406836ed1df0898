import { type JsonObject, type JsonValue, newId } from '../core/index.ts';
import { MAX_TTL_MS } from './task-forms.ts';

/** The call that goes on as a task. */
interface TaskCall {
  /** Name of the server. */
  readonly server: string;
  /** The tool's name in policies. */
  readonly tool: string;
  readonly arguments: JsonObject;
}

/** A task of a session. */
export interface KnownTask extends TaskCall {
  /** Ours: what its client knows it by. */
  readonly id: string;
  /** The server's own id. */
  readonly upstreamId: string;
  /** What the tool needs to go on. */
  readonly state: JsonValue;
}

/** A place for a task that may come of a call. */
export interface TaskPlace {
  /** The call goes on as a task, which is kept for `ttl` milliseconds, an hour at most. */
  keep(task: Pick<KnownTask, 'upstreamId' | 'state'>, ttl: number): KnownTask;
  /** The call is over: a place without a task is free again. */
  leave(): void;
}

/** The tasks of one session. INVARIANT: an id leads to a task only here, so no other session can name it. */
export interface SessionTasks {
  /** Null when the session has as many tasks as it may. */
  place(call: TaskCall): TaskPlace | null;
  /** Null for an id that is none of this session, or was kept long enough. ATTACKER-CONTROLLED: `id`. */
  find(id: unknown): KnownTask | null;
  /** The oldest first. */
  all(): readonly KnownTask[];
}

/** Tasks of one session, and the bytes of all their arguments, which are kept for the round that fetches the result. */
export const MAX_TASKS = 256;
const MAX_ARGUMENT_BYTES = 4_194_304;

interface Place {
  readonly bytes: number;
  task: KnownTask | null;
  endsAt: number;
}

/** `now`: milliseconds on a clock that never goes back. */
export function sessionTasks(now: () => number): SessionTasks {
  const places = new Map<string, Place>();
  const sweep = (): void => {
    for (const [id, { endsAt }] of places) if (endsAt <= now()) places.delete(id);
  };
  const isFull = (bytes: number): boolean => {
    const sum = [...places.values()].reduce((total, place) => total + place.bytes, bytes);
    return places.size >= MAX_TASKS || sum > MAX_ARGUMENT_BYTES;
  };
  return {
    place: (call) => {
      sweep();
      const bytes = Buffer.byteLength(JSON.stringify(call.arguments));
      if (isFull(bytes)) return null;
      const id = newId('task');
      const place: Place = { bytes, task: null, endsAt: Number.POSITIVE_INFINITY };
      places.set(id, place);
      return {
        keep: (task, ttl) => {
          place.endsAt = now() + Math.min(ttl, MAX_TTL_MS);
          place.task = Object.freeze({ ...call, ...task, id });
          return place.task;
        },
        leave: () => {
          if (place.task === null) places.delete(id);
        },
      };
    },
    find: (id) => {
      sweep();
      return typeof id === 'string' ? (places.get(id)?.task ?? null) : null;
    },
    all: () => {
      sweep();
      return [...places.values()].flatMap(({ task }) => (task === null ? [] : [task]));
    },
  };
}
