import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { cancelledRequestId, type Message, type RequestId, toJsonRpc } from './json-rpc.ts';

/** What a request is answered with: the response, or null when it was cancelled or the session ended. */
type Answer = JSONRPCMessage | null;

/**
 * One 2025-era session over HTTP as a Transport for the SDK's server: each POST carries one message, and a request is
 * answered in the response of its own POST. The server side asks and tells the client nothing, so there is no stream to
 * hold open.
 */
export interface LegacyTransport {
  readonly transport: Transport;
  /** Hands one message to the server. Resolves with the answer to a request, with null for a notification. */
  post(message: Message): Promise<Answer>;
  /** True while a request with this id waits for its answer. */
  isPending(id: RequestId): boolean;
  pending(): number;
}

export function legacyTransport(): LegacyTransport {
  const waiting = new Map<RequestId, (answer: Answer) => void>();
  const settle = (id: unknown, answer: Answer): void => {
    if (typeof id !== 'string' && typeof id !== 'number') return;
    waiting.get(id)?.(answer);
    waiting.delete(id);
  };
  const transport: Transport = {
    start: async () => undefined,
    send: async (message) => {
      if (!('method' in message)) settle(message.id, message);
    },
    close: async () => {
      for (const id of [...waiting.keys()]) settle(id, null);
      transport.onclose?.();
    },
  };
  return {
    transport,
    isPending: (id) => waiting.has(id),
    pending: () => waiting.size,
    post: (message) => post(transport, waiting, settle, message),
  };
}

async function post(
  transport: Transport,
  waiting: Map<RequestId, (answer: Answer) => void>,
  settle: (id: unknown, answer: Answer) => void,
  message: Message,
): Promise<Answer> {
  const answer = message.kind === 'request' ? new Promise<Answer>((resolve) => waiting.set(message.id, resolve)) : null;
  transport.onmessage?.(toJsonRpc(message));
  // A cancelled request gets no response (MCP 2025-11-25, cancellation), but its POST must end.
  settle(cancelledRequestId(message), null);
  return answer;
}
