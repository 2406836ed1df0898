import { isJsonObject, type JsonObject, type JsonValue, type Principal, SallyportError } from '../core/index.ts';
import { type CallExchange, NeedsAnswers, type Questions } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ApprovedServer } from './approved-server.ts';
import { callerKey, ownerOf, sessionHolder } from './caller.ts';
import type { Question } from './exchange.ts';
import { createLanes } from './lanes.ts';
import { createParking, type ParkedCall } from './parked-calls.ts';
import { abilitiesOf } from './upstream-abilities.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** One request to a server on behalf of a session. */
interface ServerCall {
  readonly server: ApprovedServer;
  readonly method: string;
  readonly params: JsonObject;
  /** Whose connection it goes over; see {@link holderOf}. */
  readonly holder: string;
  /** How the client can be asked; null where it cannot. */
  readonly exchange: CallExchange | null;
  /** Headers of the request, for a server that is reached by HTTP without sessions. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Sends requests to servers; the same to its callers whether a server asks in mid-call or by its result. */
export interface ServerCaller {
  /**
   * Resolves with the raw result, which nobody has checked.
   *
   * @throws NeedsAnswers when the server asks; the next call, with `exchange.answers` and `exchange.state`, goes on
   */
  call(call: ServerCall): Promise<unknown>;
  /** Whether log messages over a holder's connections are told with a call that runs. */
  isTelling(holder: string): boolean;
  /** Ends the request behind `NeedsAnswers.state`: nobody will answer. */
  abandon(holder: string, state: JsonValue): void;
  /** Ends what waits for a holder's answers, on all its lanes. */
  release(holder: string): void;
}

/** Runs something on a connection of an approved server; see `Upstreams.with`. */
export type UseServer = <T>(
  server: ApprovedServer,
  holder: string,
  use: (connection: UpstreamConnection) => Promise<T>,
) => Promise<T>;

/** Whether a server may turn to the client, or keep tasks for it, so that its connection is one session's and no other's. */
const isInteractive = ({ actions }: ServerRule): boolean =>
  [
    ...[actions.sampling, actions.elicitation, actions.roots],
    ...[actions.logging, actions.subscriptions, actions.tasks],
  ].some((right) => right !== null);

/** Whose connection a request goes over: one session's where the server may turn to the client, else one principal's. */
export const holderOf = (principal: Principal, { rule }: Pick<ApprovedServer, 'rule'>): string =>
  isInteractive(rule) ? sessionHolder(principal) : callerKey(principal);

const mayAsk = ({ actions }: ServerRule): boolean =>
  [actions.sampling, actions.elicitation, actions.roots].some((right) => right !== null);

export function serverCaller(withConnection: UseServer): ServerCaller {
  const parking = createParking();
  const lanes = createLanes();
  const tells = new WeakMap<ParkedCall, { exchange: CallExchange }>();
  const telling = new Map<string, number>();
  const begin = (call: ServerCall, exchange: CallExchange): ParkedCall => {
    const current = { exchange };
    const server = call.server.rule.name;
    const holding = { holder: call.holder, share: JSON.stringify([server, ownerOf(call.holder)]) };
    const parked: ParkedCall = parking.begin(holding, async (ask, signal) => {
      const lane = await lanes.enter({ server, holder: call.holder, signal, abandon: () => parked.abandon() });
      const own = { ...call, holder: lane.holder };
      const askParked: Ask = (question, cancelled) => lane.whileParked(() => ask(question, cancelled));
      try {
        return await withConnection(call.server, lane.holder, (connection) =>
          whileTelling(telling, own, () => sendAsking(connection, own, current, { ask: askParked, signal })),
        );
      } finally {
        lane.leave();
      }
    });
    tells.set(parked, current);
    return parked;
  };
  const goOn = async (call: ServerCall, exchange: CallExchange): Promise<unknown> => {
    const id = parkedId(exchange.state);
    const parked = id === null ? begin(call, exchange) : parking.take(call.holder, id);
    if (parked === null) throw new SallyportError('TOOL_CANCELLED', 'the call does not wait for answers any more');
    if (id !== null) {
      const current = tells.get(parked);
      if (current !== undefined) current.exchange = exchange;
      parked.answer(answerIn(exchange.answers));
    }
    const step = await parked.next(call.signal);
    if (step.kind === 'result') return step.result;
    throw new NeedsAnswers({ [QUESTION]: step.question }, { parked: parked.id });
  };
  return {
    call: async (call) => {
      const { exchange } = call;
      if (exchange !== null && mayAsk(call.server.rule)) {
        const era = await withConnection(call.server, call.holder, async (connection) => connection.era);
        if (era === 'legacy') return goOn(call, exchange);
      }
      return withConnection(call.server, call.holder, (connection) =>
        whileTelling(telling, call, () => send(connection, call)),
      );
    },
    isTelling: (holder) => (telling.get(holder) ?? 0) > 0,
    abandon: (holder, state) => parking.take(holder, parkedId(state) ?? '')?.abandon(),
    release: (holder) => parking.release(holder),
  };
}

/** Key of the question of a server that asks in mid-call: it asks one at a time. */
const QUESTION = 'question';

function answerIn(answers: JsonObject | null): JsonObject {
  const answer = answers?.[QUESTION];
  if (!isJsonObject(answer)) throw new SallyportError('INPUT_SCHEMA_MISMATCH', 'the question has no answer');
  return answer;
}

const parkedId = (state: JsonValue): string | null =>
  isJsonObject(state) && typeof state['parked'] === 'string' ? state['parked'] : null;

async function whileTelling<T>(telling: Map<string, number>, call: ServerCall, run: () => Promise<T>): Promise<T> {
  if (call.exchange === null || call.exchange.logLevel === null) return run();
  const { holder } = call;
  telling.set(holder, (telling.get(holder) ?? 0) + 1);
  try {
    return await run();
  } finally {
    telling.set(holder, (telling.get(holder) ?? 1) - 1);
    if (telling.get(holder) === 0) telling.delete(holder);
  }
}

type Ask = (question: Question, signal: AbortSignal) => Promise<JsonObject>;

async function sendAsking(
  connection: UpstreamConnection,
  { method, params }: ServerCall,
  current: { readonly exchange: CallExchange },
  { ask, signal }: { readonly ask: Ask; readonly signal: AbortSignal },
): Promise<unknown> {
  connection.onQuestion((asked, askedParams, cancelled) => ask({ method: asked, params: askedParams }, cancelled));
  const stop = passLogs(connection, () => current.exchange);
  try {
    return await connection.request(method, params, { signal, ...tellings(() => current.exchange) });
  } finally {
    stop();
    connection.onQuestion(null);
  }
}

async function send(connection: UpstreamConnection, call: ServerCall): Promise<unknown> {
  const { method, params, exchange, signal } = call;
  const stop = exchange === null ? () => undefined : passLogs(connection, () => exchange);
  try {
    const result = await connection.request(method, params, {
      signal,
      ...(call.headers === undefined ? {} : { headers: call.headers }),
      ...(exchange === null ? {} : tellings(() => exchange)),
      ...given(exchange),
      ...(exchange === null ? {} : { abilities: abilitiesOf(call.server.rule, exchange.abilities) }),
    });
    return unlessAsked(result);
  } finally {
    stop();
  }
}

/** What a stateless server gets of the round before. */
function given(exchange: CallExchange | null): { answers?: JsonObject; state?: string } {
  const state = isJsonObject(exchange?.state) ? exchange.state['server'] : null;
  return {
    ...(exchange === null || exchange.answers === null ? {} : { answers: exchange.answers }),
    ...(typeof state === 'string' ? { state } : {}),
  };
}

/** ATTACKER-CONTROLLED: the result. */
function unlessAsked(result: unknown): unknown {
  if (!isJsonObject(result) || result['resultType'] !== 'input_required') return result;
  const { inputRequests, requestState } = result;
  const questions: Questions = isJsonObject(inputRequests) ? (inputRequests as unknown as Questions) : {};
  throw new NeedsAnswers(questions, { server: typeof requestState === 'string' ? requestState : null });
}

function tellings(exchange: () => CallExchange): {
  progress?: (params: JsonObject) => void;
  logLevel?: string;
} {
  const { wantsProgress, logLevel } = exchange();
  return {
    ...(wantsProgress ? { progress: (params) => exchange().tell('notifications/progress', params) } : {}),
    ...(logLevel === null ? {} : { logLevel }),
  };
}

/** Log messages that arrive while a call runs are told with it. */
function passLogs(connection: UpstreamConnection, exchange: () => CallExchange): () => void {
  if (exchange().logLevel === null) return () => undefined;
  return connection.onNotification((method, params) => {
    if (method === 'notifications/message') exchange().tell(method, params);
  });
}
