import { isJsonObject, SallyportError } from '../core/index.ts';

/** Messages, lines and events that a server may send after our last request, besides the answers to our requests. */
const MAX_UNASKED = 10_000;
/** Requests of its own among them: each costs an answer of ours. */
const MAX_QUESTIONS = 1_000;
/** What was used comes back over this time, so that a server may go on telling of changes while nobody asks. */
const REFILL_MS = 100_000;

/** What a server may send without being asked for it. */
export interface Allowance {
  /** Takes note of what goes to the server: a request of ours, and nothing else, begins the allowance anew. */
  sent(message: unknown): void;
  /**
   * Takes note of what came, in bytes; `body` is its JSON, null for what is no message. The first answer to a request of
   * ours is free: it has a limit of its own. ATTACKER-CONTROLLED: both.
   *
   * @throws SallyportError RESULT_TOO_LARGE when the server floods
   */
  heard(bytes: number, body: unknown): void;
}

/**
 * The allowance of one connection: `maxBytes` between two requests of ours, and the same again spread over each 100 s that
 * pass. `now` gives milliseconds of a clock that never goes back.
 */
export function connectionAllowance(maxBytes: number, now: () => number = () => performance.now()): Allowance {
  const waiting = new Set<unknown>();
  const used = { messages: 0, questions: 0, bytes: 0 };
  let filledAt = now();
  const refill = (): void => {
    const part = (now() - filledAt) / REFILL_MS;
    filledAt = now();
    used.messages = Math.max(0, used.messages - part * MAX_UNASKED);
    used.questions = Math.max(0, used.questions - part * MAX_QUESTIONS);
    used.bytes = Math.max(0, used.bytes - part * maxBytes);
  };
  return {
    sent: (message) => {
      if (!isJsonObject(message)) return;
      const { id, method, params } = message;
      if (method === 'notifications/cancelled' && isJsonObject(params)) waiting.delete(params['requestId']);
      if (method === undefined || id === undefined) return;
      waiting.add(id);
      Object.assign(used, { messages: 0, questions: 0, bytes: 0 });
    },
    heard: (bytes, body) => {
      const parts: readonly unknown[] = Array.isArray(body) ? body : [body];
      if (parts.length === 1 && isAnswer(body) && waiting.delete(body['id'])) return;
      refill();
      used.messages += parts.length;
      used.questions += parts.filter(isQuestion).length;
      used.bytes += bytes;
      const floods = used.messages > MAX_UNASKED || used.questions > MAX_QUESTIONS || used.bytes > maxBytes;
      if (floods) throw new SallyportError('RESULT_TOO_LARGE', 'the server floods');
    },
  };
}

const isAnswer = (body: unknown): body is Readonly<Record<string, unknown>> =>
  isJsonObject(body) && body['method'] === undefined;

const isQuestion = (body: unknown): boolean =>
  isJsonObject(body) && body['method'] !== undefined && body['id'] !== undefined;
