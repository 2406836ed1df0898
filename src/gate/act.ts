import { compileSchema, copyJson, isJsonObject, type JsonObject, type Limits, SallyportError } from '../core/index.ts';
import { actionName } from '../policy/index.ts';
import { guardValue } from './guard-result.ts';
import type { House } from './house.ts';
import { type ParsedCall, parseRegistered } from './parse.ts';
import type { RegisteredTool } from './registry.ts';
import type { Content, ToolOutput } from './tool.ts';

/**
 * An action of an MCP server other than a tool, as it crosses the gate in either direction: a request to the server, a
 * question of the server to the client, the answer to it, or a notification. It is judged as `mcp__SERVER:METHOD` by its
 * params, and has the same three records as every call.
 */
export interface Action {
  readonly server: string;
  /** Method of MCP: `resources/read`. */
  readonly method: string;
  /** What is judged, recorded and carried out: a copy of this and nothing else. ATTACKER-CONTROLLED. */
  readonly params: JsonObject;
  readonly runs: 'spawned' | 'remote';
  /** The params are words of the server on their way in: a question, a notification. They pass the guard. */
  readonly fromServer?: true;
  /** Carries the action out and returns what came back, which nobody has checked. */
  readonly execute: (params: JsonObject, signal: AbortSignal) => Promise<unknown>;
  /**
   * Reads what came back, a frozen copy, into what may be delivered: known fields only. Pieces of content are held to the
   * limits of content; the rest to that of text.
   *
   * @throws SallyportError RESULT_MALFORMED
   */
  readonly read: (raw: JsonObject) => { readonly content?: readonly Content[]; readonly result: JsonObject };
}

const ANY_OBJECT = compileSchema({ type: 'object' });

/**
 * Step 2 for an action: its params are copied, bounded and frozen. Never throws for what they hold.
 * INVARIANT: words of a server are cleaned before they are judged and passed on, and go nowhere when they give instructions.
 */
export function parseAction(house: House, action: Action): ParsedCall {
  const parsed = parseParams(house, action);
  if (action.fromServer !== true || parsed.trouble !== null) return parsed;
  const clean = guardValue(house.guard, parsed.given);
  if (clean === parsed.given) return parsed;
  return Object.freeze(
    clean === null ? { ...parsed, trouble: HOSTILE } : { ...parsed, given: clean, arguments: clean },
  );
}

const HOSTILE = Object.freeze({
  code: 'RESULT_QUARANTINED',
  reason: 'what the server says seems to give instructions to the model',
});

function parseParams(house: House, action: Action): ParsedCall {
  const { server, method, runs } = action;
  const name = actionName(server, method).slice(0, 128);
  const registered: RegisteredTool = {
    tool: {
      ...{ name, server, runs, schema: { type: 'object' } },
      execute: async (params, { signal }) => deliver(action, await action.execute(params, signal), house.limits),
    },
    input: ANY_OBJECT,
    output: null,
    secret: null,
  };
  return parseRegistered(house, { name, registered, args: action.params });
}

/** ATTACKER-CONTROLLED: `raw`, all of it. */
function deliver(action: Action, raw: unknown, limits: Limits): ToolOutput {
  const copied = copyJson(raw, {
    maxBytes: 2 * (limits.resultTextBytes + limits.resultBinaryBytes),
    maxDepth: limits.argumentDepth,
  });
  if (!isJsonObject(copied))
    throw new SallyportError('RESULT_MALFORMED', `the answer to ${action.method} is no object`);
  const { content = [], result } = action.read(copied);
  return { content, structuredContent: result };
}
