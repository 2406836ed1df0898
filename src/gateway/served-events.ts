import type { JsonObject } from '../core/index.ts';
import { actionName } from '../policy/index.ts';
import type { ApprovedServer, UpstreamEvent } from './approved-server.ts';
import { type EventPace, eventPace } from './event-pace.ts';
import type { SessionEvent } from './exchange.ts';
import { clientUri } from './resource-uris.ts';
import { type ServedContext, tellingAction } from './served-context.ts';
import type { Watched } from './served-resources.ts';
import { readLog } from './served-tellings.ts';
import { holderOf } from './server-caller.ts';
import type { Upstreams } from './upstreams.ts';

const LISTS: ReadonlyMap<string, 'tools' | 'prompts' | 'resources'> = new Map([
  ['notifications/tools/list_changed', 'tools'],
  ['notifications/prompts/list_changed', 'prompts'],
  ['notifications/resources/list_changed', 'resources'],
]);

/** Log messages of servers of one session that wait for the gate; beyond it they are dropped. */
const MAX_WAITING = 256;

/** How often changes of one list of a server, and of one resource, cross the gate: at first, and while they keep coming. */
const LIST_PACE = { firstMs: 250, longestMs: 4_000 };
const RESOURCE_PACE = { firstMs: 250, longestMs: 1_000 };

/** Where the events of a session go. */
export interface EventListeners {
  readonly emit: (event: SessionEvent) => void;
  /** Whether anybody would hear one now: what nobody hears does not cross the gate, and leaves no record. */
  readonly isHeard: () => boolean;
}

/** An event that concerns the session. */
interface ReadEvent {
  readonly server: ApprovedServer;
  readonly method: string;
  readonly params: JsonObject;
  readonly event: SessionEvent;
}

/**
 * Passes what servers say of their own accord on to a session: each through the gate, in order, only what concerns this
 * session, and of what says "look again" only the newest, at a pace that a flooding server cannot raise. The result ends it.
 */
export function passEvents(
  context: ServedContext,
  upstreams: Pick<Upstreams, 'onEvent'>,
  watched: Watched,
  listeners: EventListeners,
): () => void {
  const line = gateLine(context, listeners);
  const paces: readonly EventPace<ReadEvent>[] = [LIST_PACE, RESOURCE_PACE].map((pace) => eventPace(line.pass, pace));
  const [lists, resources] = paces;
  const stop = upstreams.onEvent((event) => {
    if (!listeners.isHeard()) return;
    const read = readEvent(context, watched, event);
    if (read === null) return;
    const key = JSON.stringify([event.server, event.method, read.params]);
    if (read.event.kind === 'log') line.passIfShort(read);
    else if (read.event.kind === 'updated') resources?.push(key, read);
    else lists?.push(key, read);
  });
  return () => {
    stop();
    for (const pace of paces) pace.end();
  };
}

/** The way through the gate, one event after the other. */
function gateLine(
  { session }: ServedContext,
  { emit, isHeard }: EventListeners,
): { readonly pass: (read: ReadEvent) => void; readonly passIfShort: (read: ReadEvent) => void } {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  const act = async ({ server, method, params, event }: ReadEvent): Promise<unknown> =>
    isHeard()
      ? session.act(tellingAction(server, method, params, async (clean) => emit(cleanEvent(event, clean))))
      : null;
  const pass = (read: ReadEvent): void => {
    waiting += 1;
    last = last
      .then(() => act(read))
      .catch(() => undefined) // the gate is closed, or the log broke: then nothing passes
      .finally(() => {
        waiting -= 1;
      });
  };
  return { pass, passIfShort: (read) => (waiting < MAX_WAITING ? pass(read) : undefined) };
}

/** The event as it passed the gate. */
const cleanEvent = (event: SessionEvent, params: JsonObject): SessionEvent =>
  event.kind === 'log' ? { ...event, message: params } : event;

/** ATTACKER-CONTROLLED: method and params of the event. */
function readEvent(
  context: ServedContext,
  watched: Watched,
  { server: name, holder, method, params }: UpstreamEvent,
): ReadEvent | null {
  const server = context.servers().find(({ rule }) => rule.name === name);
  if (server === undefined) return null;
  const list = LISTS.get(method);
  if (list !== undefined)
    return showsList(context, server, list) ? { server, method, params: {}, event: { kind: list } } : null;
  if (holder !== holderOf(context.session.principal, server)) return null;
  if (method === 'notifications/resources/updated') {
    const { uri } = params;
    if (typeof uri !== 'string' || watched.get(name)?.has(uri) !== true) return null;
    return { server, method, params: { uri }, event: { kind: 'updated', uri: clientUri(server.rule, uri) } };
  }
  if (method !== 'notifications/message' || context.caller.isTelling(holder)) return null;
  const message = readLog(params);
  if (message === null) return null;
  return { server, method, params: message, event: { kind: 'log', message } };
}

/** Whether a list of the session could have something of the server in it. */
const showsList = (
  { session }: ServedContext,
  { rule, locked }: ApprovedServer,
  list: 'tools' | 'prompts' | 'resources',
): boolean => {
  const isOpen = session.mayBeAllowed(actionName(rule.name, `notifications/${list}/list_changed`));
  return isOpen && (list === 'tools' || locked.capabilities[list] !== undefined);
};
