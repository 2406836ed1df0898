import type { ClientCapabilities } from '@modelcontextprotocol/client';
import type { ServerRule } from '../policy/index.ts';

/** Questions that a server may have for its client, by method, and the action of the policy that lets it ask. */
export const QUESTION_ACTIONS: ReadonlyMap<string, string> = new Map([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
]);

/** True when the policy's rule of a server has something under an action other than tools; absent means no. */
export function allowsAction(rule: ServerRule, action: string): boolean {
  const actions: unknown = 'actions' in rule ? rule.actions : null;
  if (typeof actions !== 'object' || actions === null) return false;
  const entry: unknown = Object.entries(actions).find(([name]) => name === action)?.[1];
  return Array.isArray(entry) ? entry.length > 0 : entry !== undefined && entry !== null && entry !== false;
}

/**
 * What a server is told that its client can be asked for: only what the policy's rule lets it ask. A client of ours that
 * cannot do it answers the question with an error; the server cannot tell clients apart by this.
 */
export function abilitiesFor(rule: ServerRule): ClientCapabilities {
  return {
    ...(allowsAction(rule, 'sampling') ? { sampling: {} } : {}),
    ...(allowsAction(rule, 'elicitation') ? { elicitation: { form: {}, url: {} } } : {}),
    ...(allowsAction(rule, 'roots') ? { roots: { listChanged: true } } : {}),
  };
}

/** Bytes that one result of a server may have under its rule; null: only the limits that hold for all. */
export function outputLimitOf(rule: ServerRule): number | null {
  const limit: unknown = 'maxOutputBytes' in rule ? rule.maxOutputBytes : null;
  return typeof limit === 'number' ? limit : null;
}
