import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { endWithRefusal } from './egress-answer.ts';
import { troubleInConnect } from './egress-framing.ts';
import { headersOf } from './egress-headers.ts';
import { refuse } from './egress-refusal.ts';
import { type Arrived, noToken, type Requests, serveRequest } from './egress-request.ts';
import { type EgressContext, refusedEvent } from './egress-session.ts';
import { unreadableAsk } from './egress-target.ts';
import { hasToken } from './egress-token.ts';

/** The HTTP side of the proxy: connections are handed to it. */
export interface HttpFront {
  /** Serves the requests of a connection, each judged by itself. */
  serve(socket: Socket, requests: Requests): void;
  close(): void;
}

/** Takes a tunnel that was asked for with the token, and `authority` as it was written. */
export type OnConnect = (socket: Duplex, authority: string) => void;

/** A connection and what is known about it. */
interface Connection {
  readonly requests: Requests;
  /** Resolves when the request before is answered: one at a time, so that nobody has to hold many. */
  last: Promise<void>;
  waiting: number;
  served: number;
  head: NodeJS.Timeout | null;
}

type Connections = WeakMap<object, Connection>;

/** Opens the HTTP side. It listens on nothing: what it serves is handed to it. */
export function openHttpFront(context: EgressContext, onConnect: OnConnect): HttpFront {
  const { headerBytes: maxHeaderSize, headMs } = context.limits;
  const server = createServer({ maxHeaderSize, insecureHTTPParser: false, requireHostHeader: false });
  // Zero: no header is dropped before ours are counted.
  server.maxHeadersCount = 0;
  server.keepAliveTimeout = headMs;
  const connections: Connections = new WeakMap();
  listen(context, { server, connections, onConnect });
  return {
    serve(socket, requests) {
      const connection = { requests, last: Promise.resolve(), waiting: 0, served: 0, head: null };
      connections.set(socket, connection);
      awaitHead(context, connection, socket);
      socket.once('close', () => forgetHead(connection));
      server.emit('connection', socket);
      socket.resume();
    },
    close: () => server.closeAllConnections(),
  };
}

function listen(
  context: EgressContext,
  front: { readonly server: Server; readonly connections: Connections; readonly onConnect: OnConnect },
): void {
  const { server, connections, onConnect } = front;
  const receive = (arrived: Arrived): void => {
    const connection = connections.get(arrived.request.socket);
    if (connection === undefined) arrived.request.socket.destroy();
    else void queueRequest(context, connection, arrived);
  };
  server.on('request', (request, response) => receive({ request, response, expectsContinue: false }));
  server.on('checkContinue', (request, response) => receive({ request, response, expectsContinue: true }));
  server.on('connect', (request, socket, head) => {
    if (head.length > 0) socket.unshift(head);
    receiveConnect(context, connections.get(socket), { request, socket, onConnect });
  });
  server.on('clientError', (error, socket) => {
    if (!('code' in error) || !String(error.code).startsWith('HPE_')) return void socket.destroy();
    // The body of a request that is being served: what is said about that request is all that is said.
    const isServed = (connections.get(socket)?.waiting ?? 0) > 0;
    if (isServed) return void setImmediate(() => endSoon(socket));
    const refusal = refuse('EGRESS_MALFORMED', 'it is not HTTP/1.1', error);
    context.record(refusedEvent(unreadableAsk('http'), refusal));
    endWithRefusal(socket, refusal);
  });
}

/** Ends a connection after what has been written to it. */
const endSoon = (socket: Duplex): void => {
  if (socket instanceof Socket) socket.destroySoon();
  else socket.destroy();
};

const forgetHead = ({ head }: Connection): void => {
  if (head !== null) clearTimeout(head);
};

/** A head that does not come, or comes a byte at a time, ends the connection. */
function awaitHead(context: EgressContext, connection: Connection, socket: Socket): void {
  forgetHead(connection);
  connection.head = setTimeout(() => {
    socket.destroy();
    if (connection.served > 0) return;
    const refusal = refuse('EGRESS_TIMEOUT', 'the head of the request did not come in time');
    context.record(refusedEvent(unreadableAsk('http'), refusal));
  }, context.limits.headMs);
}

async function queueRequest(context: EgressContext, connection: Connection, arrived: Arrived): Promise<void> {
  const { socket } = arrived.request;
  forgetHead(connection);
  connection.served++;
  if (connection.waiting >= context.limits.pipelined) return void socket.destroy();
  connection.waiting++;
  const done = connection.last.then(() => serveRequest(context, connection.requests, arrived));
  connection.last = done;
  await done;
  connection.waiting--;
  if (connection.waiting === 0 && !socket.destroyed) awaitHead(context, connection, socket);
}

function receiveConnect(
  context: EgressContext,
  connection: Connection | undefined,
  asked: { readonly request: IncomingMessage; readonly socket: Duplex; readonly onConnect: OnConnect },
): void {
  const { request, socket, onConnect } = asked;
  if (connection !== undefined) forgetHead(connection);
  const isFree = connection?.requests.kind === 'proxy' && connection.waiting === 0;
  const headers = headersOf(request.rawHeaders);
  const refusal = isFree
    ? hasToken(headers, context.token)
      ? troubleInConnect(request, headers, context.limits)
      : noToken()
    : refuse('EGRESS_MALFORMED', 'there is no tunnel within this connection');
  if (refusal === null) {
    onConnect(socket, request.url ?? '');
    return;
  }
  context.record(refusedEvent(unreadableAsk('tcp', request.url), refusal));
  endWithRefusal(socket, refusal);
}
