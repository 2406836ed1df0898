import { ProtocolError } from '@modelcontextprotocol/server';
import { escapeForTerminal, type JsonObject } from '../core/index.ts';
import type { Action, CallExchange, CallResult, GateSession } from '../gate/index.ts';
import { actionName } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import type { Envelope } from './envelope.ts';
import type { ReadAnswer } from './mcp-readers.ts';
import type { ExposedTools } from './served-names.ts';
import { holderOf, type ServerCaller } from './server-caller.ts';
import type { SessionTasks } from './session-tasks.ts';

/** What one served session works with. */
export interface ServedContext {
  readonly session: GateSession;
  readonly caller: ServerCaller;
  readonly envelope: Envelope;
  /** The approved servers of now. */
  readonly servers: () => readonly ApprovedServer[];
  /** The tools that some rule could allow, by the names of clients. */
  readonly tools: () => ExposedTools;
  /** Lets a server tell the session of changes of exactly these resources. */
  readonly watch: (server: ApprovedServer, uris: ReadonlySet<string>) => Promise<void>;
  /** The calls of the session that go on as tasks. */
  readonly tasks: SessionTasks;
  /** Where people answer calls that wait, without the token that opens it; null: nowhere that we know. */
  readonly console: string | null;
  /** Takes over approvals that changed. */
  readonly refresh: () => Promise<void>;
}

/** Code of JSON-RPC 2.0 for parameters that are not right, and that of an error of our own (-32000 to -32099). */
export const INVALID_PARAMS = -32_602;
export const DENIED = -32_000;

/** What a client is told of an action that was not carried out, or did not end well. */
export function actionError(result: Exclude<CallResult, { readonly kind: 'delivered' }>): ProtocolError {
  const { code, rule, record } = result;
  const isInput = code === 'URI_MALFORMED' || code === 'INPUT_SCHEMA_MISMATCH';
  return new ProtocolError(isInput ? INVALID_PARAMS : DENIED, result.text, { code, rule: rule.id, record });
}

/** An action that goes to a server: sent over the session's connection, its answer read by `read`. */
export function serverAction(
  context: ServedContext,
  server: ApprovedServer,
  method: string,
  params: JsonObject,
  read: (raw: JsonObject) => ReadAnswer,
  exchange: CallExchange | null = null,
): Action {
  const holder = holderOf(context.session.principal, server);
  return {
    ...{ server: server.rule.name, method, params, runs: runsOf(server) },
    execute: async (given, signal) => {
      try {
        return { ok: await context.caller.call({ server, method, params: given, holder, exchange, signal }) };
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        return { error: { code: error.code, message: error.message } };
      }
    },
    read: ({ ok, error }) => (error === undefined ? read(asObject(ok)) : { result: { error } }),
  };
}

/**
 * The context with those servers only whose part of a list passes the gate: lists that are answered from the lock are judged
 * and recorded like every other action.
 */
export async function passingServers(context: ServedContext, method: string): Promise<ServedContext> {
  const passing: ApprovedServer[] = [];
  for (const server of context.servers()) {
    if (!context.session.mayBeAllowed(actionName(server.rule.name, method))) continue;
    const judged = await context.session.act(localAction(server, method, {}));
    if (judged.kind === 'delivered') passing.push(server);
  }
  return { ...context, servers: () => passing };
}

/** What nobody has is refused by the policy like anything else, so that the attempt stands in the log. */
export async function refuseUnknown(
  { session }: ServedContext,
  method: string,
  params: JsonObject,
  told: { readonly message: string; readonly data: JsonObject },
): Promise<never> {
  const nobody = { ...{ server: 'unknown', method, params, runs: 'remote' as const }, read: () => ({ result: {} }) };
  const refused = await session.act({ ...nobody, execute: async () => ({}) });
  const marks = refused.kind === 'denied' ? { code: refused.code, record: refused.record } : {};
  throw new ProtocolError(INVALID_PARAMS, told.message, { ...told.data, ...marks });
}

/** An action that is carried out here: a question, an answer or a notification on its way. */
export const localAction = (
  server: Pick<ApprovedServer, 'rule'>,
  method: string,
  params: JsonObject,
  carryOut: (params: JsonObject) => Promise<void> = async () => undefined,
): Action => ({
  ...{ server: server.rule.name, method, params, runs: runsOf(server) },
  execute: async (given) => {
    await carryOut(given);
    return {};
  },
  read: () => ({ result: {} }),
});

/** Words of a server on their way to the client: what is carried out has passed the guard. ATTACKER-CONTROLLED: `params`. */
export const tellingAction = (...telling: Required<Parameters<typeof localAction>>): Action => ({
  ...localAction(...telling),
  fromServer: true,
});

const runsOf = ({ rule }: Pick<ApprovedServer, 'rule'>): 'remote' | 'spawned' =>
  rule.url !== null ? 'remote' : 'spawned';

const asObject = (value: unknown): JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/**
 * The result of an action of a server, or the error that the server answered with: its words came through the gate like
 * any result.
 *
 * @throws ProtocolError
 */
export function resultOf(result: CallResult, data: JsonObject = {}): JsonObject {
  if (result.kind !== 'delivered') throw actionError(result);
  const { structuredContent = {} } = result;
  const error = structuredContent['error'];
  if (typeof error !== 'object' || error === null) return structuredContent;
  const { code, message } = asObject(error);
  // ATTACKER-CONTROLLED: the words, which must not look like ours; what stands in `data` is ours alone.
  const words = typeof message === 'string' ? escapeForTerminal(message.slice(0, MAX_WORDS)) : '';
  const known = typeof code === 'number' && Number.isSafeInteger(code) ? code : DENIED;
  throw new ProtocolError(known, `The server answered with error ${known}: ${words}`, data);
}

/** Characters of a server's error message that are passed on. */
const MAX_WORDS = 1_000;
