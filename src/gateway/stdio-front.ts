import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { serveStdio as serveProtocol } from '@modelcontextprotocol/server/stdio';
import { DEFAULT_LIMITS, type Limits } from '../core/index.ts';
import type { Gate } from '../gate/index.ts';
import { APPROVAL_WAIT_MS } from './approval-waits.ts';
import { tellEvent } from './client-events.ts';
import { type ClientLimits, DEFAULT_CLIENT_LIMITS } from './client-limits.ts';
import type { Era } from './client-request.ts';
import { relayEvents } from './event-relay.ts';
import type { ServedSession, SessionEvent } from './exchange.ts';
import { buildMcpServer, type ClientServer } from './mcp-server.ts';
import { serveSession, serving } from './served-session.ts';
import { stdioListens } from './stdio-listens.ts';
import { stdioWire } from './stdio-wire.ts';
import { type Subscriptions, subscriptions } from './subscriptions.ts';
import type { Upstreams } from './upstreams.ts';

/** The pipe of one client, whatever session it is served. */
export interface StdioPipeOptions {
  readonly input: Readable;
  /** Carries protocol and nothing else. */
  readonly output: Writable;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
  readonly clientLimits?: Partial<ClientLimits>;
  readonly onError?: (error: unknown) => void;
}

export interface StdioFrontOptions extends StdioPipeOptions {
  readonly gate: Gate;
  readonly user: string;
  readonly agent: string;
  /** The servers behind the gate; without them only the gate's own tools are served. */
  readonly upstreams?: Upstreams;
  /** How long a call waits for a person where its client did not ask for progress, in milliseconds; 50 seconds if absent. */
  readonly approvalWaitMs?: number;
}

/** A connection over stdio. */
export interface StdioFront {
  /** Resolves when the client has ended its input and what it asked was answered, or when `close` was called. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Serves MCP on a pair of streams, in both eras: the client's first message decides. */
export async function serveStdio(options: StdioFrontOptions): Promise<StdioFront> {
  const { gate, user, agent, upstreams = null, approvalWaitMs = APPROVAL_WAIT_MS } = options;
  const session = await gate.openSession({ user, agent, proof: 'local', surface: 'mcp-stdio', approvalWaitMs });
  return servePipe(serveSession(session, serving(upstreams, gate)), options);
}

/** {@link serveStdio} over any session. */
export function servePipe(session: ServedSession, options: StdioPipeOptions): StdioFront {
  const { input, output, version = '0.0.0', onError = () => undefined } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const clientLimits = { ...DEFAULT_CLIENT_LIMITS, ...options.clientLimits };
  const held = subscriptions(session, clientLimits.uris);
  let adapt = (message: JSONRPCMessage): JSONRPCMessage => message;
  const wire = stdioWire({
    ...{ input, output, limits, clientLimits, onError, listens: stdioListens(held, clientLimits) },
    adapt: (message) => adapt(message),
  });
  const build = async (era: Era): Promise<ClientServer['server']> => {
    const client = await buildMcpServer(session, { version, era, limits: clientLimits, onError });
    adapt = client.adapt;
    relayTo({ session, client, era, held }, output, clientLimits, onError);
    return client.server;
  };
  const handle = serveProtocol(({ era }) => build(era), {
    ...{ transport: wire.transport, onerror: onError, maxSubscriptions: clientLimits.streams },
  });
  return { closed: wire.closed.finally(() => session.close().catch(onError)), close: () => handle.close() };
}

interface Served {
  readonly session: ServedSession;
  readonly client: ClientServer;
  readonly era: Era;
  readonly held: Subscriptions;
}

function relayTo(
  { session, client, era, held }: Served,
  output: Writable,
  limits: ClientLimits,
  onError: (error: unknown) => void,
): void {
  // In the stateless revision the SDK hands on what the client's streams name: only the URIs are ours to know.
  const wants = (event: SessionEvent): boolean => {
    if (era === 'modern' && event.kind === 'updated') return held.has(event.uri);
    return (era === 'legacy' || event.kind !== 'log') && client.wants(event);
  };
  const state = (): 'ready' | 'busy' | 'absent' => {
    if (!output.writable) return 'absent';
    return output.writableNeedDrain ? 'busy' : 'ready';
  };
  const deliver = (event: SessionEvent): void => void tellEvent(client.server, event).catch(onError);
  const relay = relayEvents((listener) => session.listen(listener), { wants, state, deliver }, limits.eventMs);
  client.server.onclose = relay.end;
}
