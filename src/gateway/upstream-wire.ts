import type { Transport } from '@modelcontextprotocol/client';
import type { SallyportError } from '../core/index.ts';

/** A connection to a server, below the protocol. */
export interface UpstreamWire {
  readonly transport: Transport;
  /** Why the connection is over; null while it is not, or when we closed it. */
  failure(): SallyportError | null;
  /** Number of messages that came from the server. */
  heard(): number;
  /** Tells a remote server that its session is over; best effort, within two seconds. */
  goodbye(): Promise<void>;
  /** The last of what the server wrote to standard error; empty for a remote one. ATTACKER-CONTROLLED. */
  errorTail(): string;
}

/** The only notification of a server that is heeded: its tools may have changed. */
export const TOOLS_CHANGED = 'notifications/tools/list_changed';
