import { type Client, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { isJsonObject, type JsonObject } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { RELATED_TASK_META_KEY } from './task-forms.ts';
import { allowsAction, QUESTION_ACTIONS } from './upstream-abilities.ts';

/** Answers a question of a server; what it throws, but for a ProtocolError, is not told to the server. */
export type QuestionHandler = (method: string, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;

/** The questions of one server with sessions. */
export interface Questions {
  /** Who answers from now on; null: nobody, and the server is told "method not found". */
  answerWith(handler: QuestionHandler | null): void;
  /** Milliseconds during which at least one question waited for its answer, since the connection began. */
  waitedMs(): number;
  /** Since when at least one question has waited, on the clock of `now`; null while none does. */
  waitsSince(): number | null;
}

/** Questions of one connection that may wait for an answer at the same time. */
const MAX_WAITING = 16;

/**
 * Takes the questions of a server off its client. ATTACKER-CONTROLLED: method and params. A question that the policy does
 * not let this server ask is "method not found", as are all other requests.
 */
export function takeQuestions(client: Client, rule: ServerRule, now: () => number): Questions {
  let handler: QuestionHandler | null = null;
  const clock = { waiting: 0, since: 0, waited: 0 };
  const begin = (): void => {
    if (clock.waiting === 0) clock.since = now();
    clock.waiting += 1;
  };
  const end = (): void => {
    clock.waiting -= 1;
    if (clock.waiting === 0) clock.waited += now() - clock.since;
  };
  client.fallbackRequestHandler = async (request, context) => {
    const action = QUESTION_ACTIONS.get(request.method);
    if (handler === null || action === undefined || !allowsAction(rule, action)) throw notFound();
    if (clock.waiting >= MAX_WAITING) throw refused('too many questions wait for an answer');
    const params = isJsonObject(request.params) ? request.params : {};
    // A question of a task is nobody's: the call that runs now is another one.
    if (isOfTask(params['_meta'])) throw notFound();
    begin();
    try {
      return { ...(await handler(request.method, params, context.mcpReq.signal)) };
    } catch (error) {
      // INVARIANT: a server learns that it gets no answer, not why.
      throw error instanceof ProtocolError ? error : refused('the question is not answered');
    } finally {
      end();
    }
  };
  return {
    answerWith: (next) => {
      handler = next;
    },
    waitsSince: () => (clock.waiting === 0 ? null : clock.since),
    waitedMs: () => clock.waited + (clock.waiting === 0 ? 0 : now() - clock.since),
  };
}

const isOfTask = (meta: unknown): boolean => isJsonObject(meta) && meta[RELATED_TASK_META_KEY] !== undefined;

const notFound = (): ProtocolError => new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
const refused = (message: string): ProtocolError => new ProtocolError(ProtocolErrorCode.InternalError, message);
