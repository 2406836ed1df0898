import { type JsonObject, newId, SallyportError } from '../core/index.ts';
import { ROUND_MS } from './envelope.ts';
import type { Question } from './exchange.ts';

/** What a request that may be asked back comes to next. */
type NextStep =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'question'; readonly question: Question };

/** A request to a server with sessions that waits while its client is asked. */
export interface ParkedCall {
  readonly id: string;
  /** Waits for the result, or for the next question. Rejects as the request does. */
  next(signal: AbortSignal): Promise<NextStep>;
  /** Answers the question that is open. */
  answer(answer: JsonObject): void;
  /** Ends the request: nobody will answer. */
  abandon(): void;
}

/** Requests of one server that may wait at the same time, over all sessions. */
const MAX_PARKED = 256;

/**
 * The bridge between clients that are asked by a result and servers that ask in mid-call: the request to the server stays
 * open here while the question travels through the client and back.
 */
export interface Parking {
  /** Begins a request. `send` gets the handler of the server's questions and a signal of its own. */
  begin(
    holder: string,
    send: (
      ask: (question: Question, signal: AbortSignal) => Promise<JsonObject>,
      signal: AbortSignal,
    ) => Promise<unknown>,
  ): ParkedCall;
  /** The waiting request, for its holder only; null when there is none (any more). */
  take(holder: string, id: string): ParkedCall | null;
  /** Ends everything that waits for a holder. */
  release(holder: string): void;
}

interface Waiting {
  readonly holder: string;
  readonly call: ParkedCall;
}

export function createParking(): Parking {
  const waiting = new Map<string, Waiting>();
  return {
    begin: (holder, send) => {
      if (waiting.size >= MAX_PARKED) throw new SallyportError('SERVER_UNAVAILABLE', 'too many calls wait for answers');
      const call = park(send, () => waiting.delete(call.id));
      waiting.set(call.id, { holder, call });
      return call;
    },
    take: (holder, id) => {
      const found = waiting.get(id);
      return found?.holder === holder ? found.call : null;
    },
    release: (holder) => {
      for (const { holder: owner, call } of waiting.values()) if (owner === holder) call.abandon();
    },
  };
}

interface OpenQuestion {
  readonly question: Question;
  readonly answer: (answer: JsonObject) => void;
  readonly refuse: (error: Error) => void;
}

function park(send: Parameters<Parking['begin']>[1], forget: () => void): ParkedCall {
  const own = new AbortController();
  const queue: OpenQuestion[] = [];
  let open: OpenQuestion | null = null;
  let wake: () => void = () => undefined;
  const ask = (question: Question, signal: AbortSignal): Promise<JsonObject> =>
    new Promise((resolve, reject) => {
      const asked: OpenQuestion = { question, answer: resolve, refuse: reject };
      queue.push(asked);
      signal.addEventListener(
        'abort',
        () => reject(new SallyportError('TOOL_CANCELLED', 'the server took its question back')),
        { once: true },
      );
      wake();
    });
  const ended = send(ask, own.signal).then(
    (result): { result: unknown } => ({ result }),
    (error: unknown): { error: unknown } => ({ error }),
  );
  // What ended while its question is with the client is kept until the client comes back, or its time is over.
  const isTaken = (): void => {
    clearTimeout(timer);
    forget();
  };
  const abandon = (): void => {
    isTaken();
    own.abort(new SallyportError('TOOL_CANCELLED', 'nobody answered in time'));
    for (const asked of [...queue.splice(0), ...(open === null ? [] : [open])])
      asked.refuse(new SallyportError('TOOL_CANCELLED', 'nobody answers'));
  };
  const timer = setTimeout(abandon, ROUND_MS).unref();
  const nextQuestion = (): Promise<void> =>
    queue.length > 0 ? Promise.resolve() : new Promise((resolve) => (wake = resolve));
  return {
    id: newId('park'),
    next: async (signal) => {
      const cancel = (): void => own.abort(signal.reason);
      signal.addEventListener('abort', cancel, { once: true });
      if (signal.aborted) cancel();
      try {
        const done = await Promise.race([ended, nextQuestion()]);
        const asked = done === undefined ? queue.shift() : undefined;
        if (asked !== undefined) {
          open = asked;
          timer.refresh();
          return { kind: 'question', question: asked.question };
        }
        const end = done ?? (await ended);
        isTaken();
        if ('error' in end) throw end.error;
        return { kind: 'result', result: end.result };
      } finally {
        signal.removeEventListener('abort', cancel);
      }
    },
    answer: (answer) => {
      open?.answer(answer);
      open = null;
    },
    abandon,
  };
}
