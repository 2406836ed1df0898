import { SallyportError } from '../core/index.ts';
import { INVALID_REQUEST, type Message, type RequestId } from './json-rpc.ts';

/**
 * The questions of one session that wait for its client's answer.
 *
 * INVARIANT: a response reaches the protocol only for an id that was asked in this session, and only once.
 */
export interface Questions {
  /** @throws SallyportError SERVER_UNAVAILABLE when the client has too many to answer */
  ask(id: RequestId): void;
  /** The answer as it may go on, or null for one that nobody waits for. ATTACKER-CONTROLLED: `message`. */
  take(message: Message): Message | null;
  /** The question is over: its answer is not taken any more. */
  drop(id: unknown): void;
  waiting(): number;
}

export function pendingQuestions(limits: { readonly questions: number; readonly answerBytes: number }): Questions {
  const asked = new Set<unknown>();
  return {
    ask: (id) => {
      if (asked.size >= limits.questions) {
        throw new SallyportError('SERVER_UNAVAILABLE', 'the client has too many questions to answer');
      }
      asked.add(id);
    },
    take: (message) => {
      // No conversion: the id "0" was never asked where 0 was.
      if (message.kind !== 'response' || message.id === null || !asked.delete(message.id)) return null;
      const isLarge = Buffer.byteLength(JSON.stringify(message.body)) > limits.answerBytes;
      return isLarge ? tooLarge(message.id, limits.answerBytes) : message;
    },
    drop: (id) => void asked.delete(id),
    waiting: () => asked.size,
  };
}

/** In the place of an answer beyond its limit: whoever waits learns that none will come. */
function tooLarge(id: RequestId, maxBytes: number): Message {
  const error = { code: INVALID_REQUEST, message: `expected an answer of at most ${maxBytes} bytes` };
  return { kind: 'response', id, body: { jsonrpc: '2.0', id, error } };
}
