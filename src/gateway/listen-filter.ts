import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ClientLimits } from './client-limits.ts';
import type { Message } from './json-rpc.ts';
import type { Subscriptions } from './subscriptions.ts';

/**
 * The URIs that a `subscriptions/listen` asks for, each once; null for more than one stream may name, or for something that
 * is no URI. ATTACKER-CONTROLLED: `message`.
 */
export function requestedUris(message: Message, limits: ClientLimits): readonly string[] | null {
  const given = notificationsOf(message)['resourceSubscriptions'];
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length > limits.uris) return null;
  const uris = given.filter((uri) => typeof uri === 'string' && uri.length <= limits.nameLength);
  return uris.length === given.length ? [...new Set(uris)] : null;
}

/** Subscribes to those that the session grants. Takes all back when one of them fails. */
export async function grantedUris(held: Subscriptions, uris: readonly string[]): Promise<readonly string[]> {
  const outcomes = await Promise.allSettled(uris.map((uri) => held.add(uri)));
  const granted = uris.filter((_, index) => {
    const outcome = outcomes[index];
    return outcome?.status === 'fulfilled' && outcome.value;
  });
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed === undefined) return granted;
  await Promise.all(granted.map((uri) => held.remove(uri)));
  throw failed.reason;
}

/** The same message with no URI in its filter but those that were granted. */
export function narrowedTo(message: Message, uris: readonly string[]): JsonObject {
  const { params } = message.body;
  const notifications = notificationsOf(message);
  if (!isJsonObject(params) || notifications['resourceSubscriptions'] === undefined) return message.body;
  const narrowed = { ...notifications, resourceSubscriptions: uris };
  return { ...message.body, params: { ...params, notifications: narrowed } };
}

function notificationsOf({ body }: Message): JsonObject {
  const params = body['params'];
  const notifications = isJsonObject(params) ? params['notifications'] : undefined;
  return isJsonObject(notifications) ? notifications : {};
}
