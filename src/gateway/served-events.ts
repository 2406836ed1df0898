import type { JsonObject } from '../core/index.ts';
import type { UpstreamEvent } from './approved-server.ts';
import type { SessionEvent } from './exchange.ts';
import { clientUri } from './resource-uris.ts';
import { localAction, type ServedContext } from './served-context.ts';
import type { Watched } from './served-resources.ts';
import { readNotification } from './served-rounds.ts';
import { holderOf } from './server-caller.ts';
import type { Upstreams } from './upstreams.ts';

const LISTS: ReadonlyMap<string, 'tools' | 'prompts' | 'resources'> = new Map([
  ['notifications/tools/list_changed', 'tools'],
  ['notifications/prompts/list_changed', 'prompts'],
  ['notifications/resources/list_changed', 'resources'],
]);

/** Notifications of servers of one session that wait for the gate; beyond it they are dropped. */
const MAX_WAITING = 256;

/**
 * Passes what servers say of their own accord on to a session: each through the gate, in order, and only what concerns this
 * session. The result ends it.
 */
export function passEvents(
  context: ServedContext,
  upstreams: Pick<Upstreams, 'onEvent'>,
  watched: Watched,
  emit: (event: SessionEvent) => void,
): () => void {
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();
  return upstreams.onEvent((event) => {
    const read = readEvent(context, watched, event);
    if (read === null || waiting >= MAX_WAITING) return;
    waiting += 1;
    last = last
      .then(() =>
        context.session.act(localAction(read.server, event.method, read.params, async () => emit(read.event))),
      )
      .catch(() => undefined) // the gate is closed, or the log broke: then nothing passes
      .finally(() => {
        waiting -= 1;
      });
  });
}

/** ATTACKER-CONTROLLED: method and params of the event. */
function readEvent(
  context: ServedContext,
  watched: Watched,
  { server: name, holder, method, params }: UpstreamEvent,
): {
  readonly server: ReturnType<ServedContext['servers']>[number];
  readonly params: JsonObject;
  readonly event: SessionEvent;
} | null {
  const server = context.servers().find(({ rule }) => rule.name === name);
  if (server === undefined) return null;
  const list = LISTS.get(method);
  if (list !== undefined) return { server, params: {}, event: { kind: list } };
  if (holder !== holderOf(context.session.principal, server)) return null;
  if (method === 'notifications/resources/updated') {
    const { uri } = params;
    if (typeof uri !== 'string' || watched.get(name)?.has(uri) !== true) return null;
    return { server, params: { uri }, event: { kind: 'updated', uri: clientUri(server.rule, uri) } };
  }
  if (method !== 'notifications/message' || context.caller.isTelling(holder)) return null;
  const message = readNotification(method, params);
  return { server, params: message, event: { kind: 'log', message } };
}
