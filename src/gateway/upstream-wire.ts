import type { JSONRPCErrorResponse, Transport } from '@modelcontextprotocol/client';
import type { SallyportError } from '../core/index.ts';
import { SERVER_ERROR } from './json-rpc.ts';

/** A connection to a server, below the protocol. */
export interface UpstreamWire {
  readonly transport: Transport;
  /** Why the connection is over; null while it is not, or when we closed it. */
  failure(): SallyportError | null;
  /** Tells a remote server that its session is over; best effort, within two seconds. */
  goodbye(): Promise<void>;
  /** The last of what the server wrote to standard error; empty for a remote one. ATTACKER-CONTROLLED. */
  errorTail(): string;
  /** Bytes that the server wrote to standard error; 0 for a remote one. */
  errorBytes(): number;
}

/** Notifications of a server that go on to who listens to its connection. */
export const TOLD_NOTIFICATIONS: ReadonlySet<string> = new Set([
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
  'notifications/resources/updated',
  'notifications/message',
  'notifications/elicitation/complete',
  'notifications/tasks/status',
]);

/** Those, and the ones that the protocol itself needs: all other notifications of a server are dropped. */
export const HEEDED_NOTIFICATIONS: ReadonlySet<string> = new Set([
  ...TOLD_NOTIFICATIONS,
  'notifications/progress',
  'notifications/cancelled',
  'notifications/subscriptions/acknowledged',
]);

/**
 * A response of our own to a request whose answer cannot be used. INVARIANT: `data` is the error itself: nothing that a server
 * sends is an instance of it, so no server can pass its words off as ours.
 */
export function failedAnswer(id: string | number, error: SallyportError): JSONRPCErrorResponse {
  return { jsonrpc: '2.0', id, error: { code: SERVER_ERROR, message: error.message, data: error } };
}
