import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ServerActions } from './policy.ts';

/** What a key of `servers.NAME` opens, besides tools. */
export type ActionRight = keyof ServerActions;

/** An action of a server other than a tool: `mcp__SERVER:METHOD`. */
export interface ServerAction {
  readonly server: string;
  /** Method of MCP: `resources/read`. */
  readonly method: string;
}

/**
 * Every method of MCP that is an action of its own, with the key of the policy that opens it. `null`: what belongs to every
 * server that stands in the policy, because it carries nothing but numbers or "look again": the words beside a progress
 * belong to `logging`, and whoever passes them on leaves them out without it.
 */
const RIGHTS: ReadonlyMap<string, ActionRight | null> = new Map<string, ActionRight | null>([
  ['resources/list', 'resources'],
  ['resources/templates/list', 'resources'],
  ['resources/read', 'resources'],
  ['resources/subscribe', 'subscriptions'],
  ['resources/unsubscribe', 'subscriptions'],
  ['notifications/resources/updated', 'subscriptions'],
  ['prompts/list', 'prompts'],
  ['prompts/get', 'prompts'],
  ['completion/complete', 'completion'],
  ['logging/setLevel', 'logging'],
  ['notifications/message', 'logging'],
  ['tasks/get', 'tasks'],
  ['tasks/result', 'tasks'],
  ['tasks/list', 'tasks'],
  ['tasks/cancel', 'tasks'],
  ['notifications/tasks/status', 'tasks'],
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['notifications/elicitation/complete', 'elicitation'],
  ['roots/list', 'roots'],
  ['notifications/roots/list_changed', 'roots'],
  ['notifications/progress', null],
  ['notifications/cancelled', null],
  ['notifications/tools/list_changed', null],
  ['notifications/prompts/list_changed', 'prompts'],
  ['notifications/resources/list_changed', 'resources'],
]);

/** The name of an action in policies and records. */
export const actionName = (server: string, method: string): string => `mcp__${server}:${method}`;

/** The action that a name stands for; null for the name of a tool. ATTACKER-CONTROLLED: `name`. */
export function readActionName(name: string): ServerAction | null {
  const [, server, method] = /^mcp__([a-z0-9-]{1,20}):([A-Za-z/_]{1,64})$/.exec(name) ?? [];
  return server === undefined || method === undefined ? null : { server, method };
}

/** The key of the policy that opens a method; undefined for a method that is not one of MCP. */
export const rightFor = (method: string): ActionRight | null | undefined => RIGHTS.get(method);

/** What the arguments of an action name: the resource or the prompt that it is about; null for neither. */
export function targetOf(
  method: string,
  args: JsonObject,
): { readonly kind: 'uri' | 'prompt'; readonly text: string } | null {
  const { uri, name, ref } = args;
  if (typeof uri === 'string' && method.includes('resources/')) return { kind: 'uri', text: uri };
  if (method === 'prompts/get' && typeof name === 'string') return { kind: 'prompt', text: name };
  if (method !== 'completion/complete' || !isJsonObject(ref)) return null;
  if (ref['type'] === 'ref/prompt' && typeof ref['name'] === 'string') return { kind: 'prompt', text: ref['name'] };
  return null;
}

/** Longest URI of a resource, in UTF-16 code units. */
const MAX_URI_LENGTH = 2_048;

/**
 * Whether a URI can be compared with patterns: RFC 3986 characters with a scheme, and nothing that a server could read as
 * another place (dot segments, with or without parameters; backslashes, encoded separators, a `file:` that is relative to
 * who knows what). ATTACKER-CONTROLLED: `uri`.
 */
export function isPlainUri(uri: string): boolean {
  if (uri.length > MAX_URI_LENGTH || !/^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z_[\]a-z~]*$/.test(uri)) return false;
  if (/%(?![0-9A-Fa-f]{2})|%(2[EeFf]|5[Cc]|00|25)/.test(uri)) return false;
  if (/^file:(?!\/)/i.test(uri)) return false;
  return !/(^|[/:])\.{1,2}(\/|$|[?#;]|%3[Bb])/.test(uri);
}

/**
 * Whether a pattern of `resources:` names a URI. `*` stands for any run of characters without `/`, `**` for any run; all
 * else is exact. Takes time and steps in proportion to the product of the two lengths, at most: each part of the pattern
 * goes over the URI once. ATTACKER-CONTROLLED: `uri`.
 */
export function matchesUri(pattern: string, uri: string): boolean {
  let reachable = new Set([0]);
  for (const part of pattern.match(/\*\*|\*|[^*]+/g) ?? []) {
    const next = new Set<number>();
    let done = -1; // positions rise: what an earlier one reached is not gone over again
    for (const at of reachable) {
      if (part === '**') for (let to = at; to <= uri.length; to++) next.add(to);
      else if (part === '*') {
        if (at <= done) continue;
        for (let to = at; to <= uri.length; to++) {
          next.add(to);
          done = to;
          if (uri[to] === '/') break;
        }
      } else if (uri.startsWith(part, at)) next.add(at + part.length);
      if (part === '**') break; // the first one reaches all that the others do
    }
    reachable = next;
  }
  return reachable.has(uri.length);
}
