import type { Client } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import { TOLD_NOTIFICATIONS } from './upstream-wire.ts';

/** Hears what a server says without being asked. ATTACKER-CONTROLLED: `params`. */
export type NotificationListener = (method: string, params: JsonObject) => void;

/** What a server has said without being asked. */
export interface Changes {
  counted(): { readonly definitions: number; readonly resources: number };
  /** Calls `listener` for each notification that goes on; the result ends it. */
  listen(listener: NotificationListener): () => void;
  /**
   * Takes the progress of one request, until `end`: under a token of ours, which goes with the request. The SDK's own way loses
   * what comes in one piece with the answer.
   */
  follow(progress: (params: JsonObject) => void): { readonly token: string; end(): void };
  /** Something may have been said that nobody heard: the definitions, and `watched` resources, may have changed. */
  readonly gap: (watched?: ReadonlySet<string>) => void;
}

/** Counts and hands on the notifications of a client, from before its connection is open. ATTACKER-CONTROLLED: all of them. */
export function changesOf(client: Client): Changes {
  const listeners = new Set<NotificationListener>();
  const followed = new Map<unknown, (params: JsonObject) => void>();
  let tokens = 0;
  let [definitions, resources] = [0, 0];
  const tell = (method: string, params: JsonObject): void => {
    for (const listener of [...listeners]) listener(method, params);
  };
  client.removeNotificationHandler('notifications/progress');
  client.fallbackNotificationHandler = async ({ method, params }) => {
    if (method === 'notifications/progress' && isJsonObject(params)) {
      const { progressToken, ...progress } = params;
      followed.get(progressToken)?.(progress);
    }
    if (!TOLD_NOTIFICATIONS.has(method)) return;
    if (method === 'notifications/resources/list_changed') resources += 1;
    else if (method.endsWith('/list_changed')) definitions += 1;
    tell(method, isJsonObject(params) ? params : {});
  };
  return {
    counted: () => ({ definitions, resources }),
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    follow: (progress) => {
      tokens += 1;
      const token = `progress-${tokens}`;
      followed.set(token, progress);
      return { token, end: () => void followed.delete(token) };
    },
    gap: (watched = new Set()) => {
      definitions += 1;
      for (const uri of watched) tell('notifications/resources/updated', { uri });
    },
  };
}
