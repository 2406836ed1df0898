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

/** Questions that may be open at the same time: over all servers and principals, and of one principal and server. */
const MAX_OPEN = 256;
const MAX_SHARE = 32;

/** Whose a parked request is. */
interface Holding {
  readonly holder: string;
  /** Its principal and server: what they may have open at most is counted by it. */
  readonly share: string;
}

/**
 * The bridge between clients that are asked by a result and servers that ask in mid-call: the request to the server stays
 * open here while the question travels through the client and back.
 */
export interface Parking {
  /**
   * Begins a request. `send` gets the handler of the server's questions and a signal of its own. Only open questions are
   * limited; the request that asks one too many ends with SERVER_UNAVAILABLE.
   */
  begin(
    holding: Holding,
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
  const open = openCount();
  return {
    begin: ({ holder, share }, send) => {
      const call = park(send, { forget: () => waiting.delete(call.id), count: open(share) });
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

/** The open questions of one request. */
interface OpenQuestions {
  /** One more is asked; false when there are too many. */
  add(): boolean;
  /** One is answered. */
  remove(): void;
  /** None is open any more. */
  clear(): void;
}

/** Counts over all requests, and over those of each share. */
function openCount(): (share: string) => OpenQuestions {
  const shares = new Map<string, number>();
  let total = 0;
  const change = (share: string, by: number): void => {
    const count = (shares.get(share) ?? 0) + by;
    total += by;
    if (count > 0) shares.set(share, count);
    else shares.delete(share);
  };
  return (share) => {
    let mine = 0;
    const remove = (count: number): void => {
      const taken = Math.min(mine, count);
      mine -= taken;
      if (taken > 0) change(share, -taken);
    };
    return {
      add: () => {
        if (total >= MAX_OPEN || (shares.get(share) ?? 0) >= MAX_SHARE) return false;
        mine += 1;
        change(share, 1);
        return true;
      },
      remove: () => remove(1),
      clear: () => remove(mine),
    };
  };
}

interface OpenQuestion {
  readonly question: Question;
  readonly answer: (answer: JsonObject) => void;
  readonly refuse: (error: Error) => void;
}

function park(
  send: Parameters<Parking['begin']>[1],
  { forget, count }: { readonly forget: () => void; readonly count: OpenQuestions },
): ParkedCall {
  const own = new AbortController();
  const queue: OpenQuestion[] = [];
  let open: OpenQuestion | null = null;
  let isOver = false;
  let wake: () => void = () => undefined;
  const ask = (question: Question, signal: AbortSignal): Promise<JsonObject> =>
    new Promise((resolve, reject) => {
      if (isOver || !count.add()) {
        const error = new SallyportError('SERVER_UNAVAILABLE', 'too many questions wait for answers');
        own.abort(error);
        return reject(error);
      }
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
    isOver = true;
    count.clear();
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
      if (open === null) return;
      open.answer(answer);
      open = null;
      count.remove();
    },
    abandon,
  };
}
