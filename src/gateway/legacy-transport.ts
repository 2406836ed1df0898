import type { JSONRPCMessage, JSONRPCRequest, RequestId, Transport } from '@modelcontextprotocol/server';
import { SallyportError } from '../core/index.ts';
import type { ClientStream } from './client-stream.ts';
import { cancelledRequestId, type Message, toJsonRpc } from './json-rpc.ts';
import type { Questions } from './questions.ts';

/** What a request is answered with: the response, null when there will be none, or `streamed` when it is written already. */
type Answer = JSONRPCMessage | 'streamed' | null;

/**
 * One 2025-era session over HTTP as a Transport for the SDK's server. Each POST carries one message; a request is answered
 * in the response of its own POST, which becomes an event stream when something related to it is sent before. What belongs
 * to no request goes to the one stream that the client may hold open with GET, and is lost while there is none.
 */
export interface LegacyTransport {
  readonly transport: Transport;
  /**
   * Hands one message to the server. Resolves with the answer to a request, with null for anything else. `open` turns the
   * response of this POST into a stream; null when the client takes none.
   */
  post(message: Message, open: (() => ClientStream) | null): Promise<Answer>;
  /** Makes `stream` the one for what belongs to no request. */
  attach(stream: ClientStream): void;
  /** The stream for what belongs to no request, if one is open. */
  stream(): ClientStream | null;
  /** True while a request with this id waits for its answer. */
  isPending(id: RequestId): boolean;
  pending(): number;
}

interface Exchange {
  readonly open: (() => ClientStream) | null;
  readonly resolve: (answer: Answer) => void;
  stream: ClientStream | null;
}

interface Wire {
  readonly questions: Questions;
  readonly exchanges: Map<unknown, Exchange>;
  own: ClientStream | null;
}

/** `adapt` says how the server is to see a message; `questions` knows which responses it waits for. */
export function legacyTransport(
  questions: Questions,
  adapt: (message: JSONRPCMessage) => JSONRPCMessage,
): LegacyTransport {
  const wire: Wire = { questions, exchanges: new Map(), own: null };
  const own = (): ClientStream | null => (wire.own === null || wire.own.closed ? null : wire.own);
  const transport: Transport = {
    start: async () => undefined,
    send: async (message, options) => send(wire, message, options?.relatedRequestId),
    close: async () => {
      for (const id of [...wire.exchanges.keys()]) settle(wire, id, null);
      wire.own?.end();
      transport.onclose?.();
    },
  };
  return {
    transport,
    attach: (stream) => {
      wire.own = stream;
    },
    stream: own,
    isPending: (id) => wire.exchanges.has(id),
    pending: () => wire.exchanges.size,
    post: (message, open) => post(wire, (given) => transport.onmessage?.(adapt(given)), message, open),
  };
}

async function post(
  wire: Wire,
  handOn: (message: JSONRPCMessage) => void,
  message: Message,
  open: (() => ClientStream) | null,
): Promise<Answer> {
  const answer =
    message.kind === 'request'
      ? new Promise<Answer>((resolve) => wire.exchanges.set(message.id, { open, resolve, stream: null }))
      : null;
  handOn(toJsonRpc(message));
  // A cancelled request gets no response (MCP 2025-11-25, cancellation), but its POST must end.
  settle(wire, cancelledRequestId(message), null);
  return answer;
}

function settle(wire: Wire, id: unknown, answer: JSONRPCMessage | null): void {
  const exchange = wire.exchanges.get(id);
  if (exchange === undefined) return;
  wire.exchanges.delete(id);
  exchange.stream?.end(answer ?? undefined);
  exchange.resolve(exchange.stream === null ? answer : 'streamed');
}

function send(wire: Wire, message: JSONRPCMessage, related: RequestId | undefined): void {
  if (!('method' in message)) settle(wire, message.id, message);
  else if ('id' in message) ask(wire, message, related);
  else {
    // The server gave a question up: whatever the client still answers, nobody waits for it.
    if (message.method === 'notifications/cancelled') wire.questions.drop(message.params?.['requestId']);
    push(wire, message, related);
  }
}

function ask(wire: Wire, message: JSONRPCRequest, related: RequestId | undefined): void {
  wire.questions.ask(message.id);
  try {
    push(wire, message, related);
  } catch (error) {
    wire.questions.drop(message.id);
    throw error;
  }
}

/** @throws SallyportError SERVER_UNAVAILABLE when the client has no stream for it, or does not read */
function push(wire: Wire, message: JSONRPCMessage, related: RequestId | undefined): void {
  const stream = related === undefined ? wire.own : streamOf(wire, related);
  if (stream?.send(message) === true) return;
  throw new SallyportError('SERVER_UNAVAILABLE', 'the client has no stream open for this message');
}

function streamOf({ exchanges }: Wire, id: RequestId): ClientStream | null {
  const exchange = exchanges.get(id);
  if (exchange === undefined || exchange.open === null) return null;
  exchange.stream ??= exchange.open();
  return exchange.stream;
}
