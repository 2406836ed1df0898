import type { JSONRPCMessage, RequestId, Transport } from '@modelcontextprotocol/server';

/** The requests of one 2025-era client that were answered with questions, and did not come back yet. */
export interface OpenRounds {
  /** A request was answered with questions: `state` is what it comes back with. `signal` ends with the request. */
  asked(id: RequestId, state: string, signal: AbortSignal): void;
  /** It came back. */
  cameBack(id: RequestId): void;
  /** The transport, watched: a request whose response is sent does not come back any more. */
  watch(transport: Transport): Transport;
}

/** Calls `abandon` once for each request that ends without coming back: cancelled, or answered by the protocol itself. */
export function openRounds(abandon: (state: string) => void): OpenRounds {
  const states = new Map<RequestId, string>();
  const end = (id: RequestId | undefined): void => {
    const state = id === undefined ? undefined : states.get(id);
    if (id === undefined || state === undefined) return;
    states.delete(id);
    abandon(state);
  };
  return {
    asked: (id, state, signal) => {
      if (signal.aborted) return abandon(state);
      states.set(id, state);
      // Only this round: a later request may have the same id.
      signal.addEventListener('abort', () => states.get(id) === state && end(id), { once: true });
    },
    cameBack: (id) => void states.delete(id),
    watch: (transport) => {
      const send = transport.send.bind(transport);
      transport.send = (message: JSONRPCMessage, options) => {
        if (!('method' in message)) end(message.id);
        return send(message, options);
      };
      return transport;
    },
  };
}
