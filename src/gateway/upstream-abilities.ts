import type { ClientCapabilities } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';

/** Keys of the policy that let a server ask. */
export type QuestionAction = 'sampling' | 'elicitation' | 'roots';

/** Questions that a server may have for its client, by method, and the action of the policy that lets it ask. */
export const QUESTION_ACTIONS: ReadonlyMap<string, QuestionAction> = new Map<string, QuestionAction>([
  ['sampling/createMessage', 'sampling'],
  ['elicitation/create', 'elicitation'],
  ['roots/list', 'roots'],
]);

/** True when the policy's rule of a server lets it ask this. */
export const allowsAction = ({ actions }: ServerRule, action: QuestionAction): boolean => actions[action] !== null;

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

/**
 * The same for one request of a client, in the terms of `_meta` of MCP 2026-07-28: what the policy allows and this client can.
 * `abilities`: `ClientAbilities` as JSON.
 */
export function abilitiesOf(rule: ServerRule, abilities: JsonObject): JsonObject {
  const { sampling, elicitation, roots } = abilities;
  const { form, url } = isJsonObject(elicitation) ? elicitation : {};
  const modes = { ...(form === true ? { form: {} } : {}), ...(url === true ? { url: {} } : {}) };
  return {
    ...(sampling === true && allowsAction(rule, 'sampling') ? { sampling: {} } : {}),
    ...(Object.keys(modes).length > 0 && allowsAction(rule, 'elicitation') ? { elicitation: modes } : {}),
    ...(roots === true && allowsAction(rule, 'roots') ? { roots: {} } : {}),
  };
}
