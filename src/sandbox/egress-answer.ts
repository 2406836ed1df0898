import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { httpStatusOf } from '../core/index.ts';
import { describeRefusal, type EgressRefusal } from './egress-refusal.ts';

const CHALLENGE = 'Basic realm="sallyport"';

/** The status that a client sees. 502 for what the endpoint did, 403 for what nobody may do. */
const statusOf = ({ code }: EgressRefusal): number => httpStatusOf(code);

function headersFor(refusal: EgressRefusal, body: string): Record<string, string> {
  const challenge = refusal.code === 'EGRESS_TOKEN' ? { 'Proxy-Authenticate': CHALLENGE } : {};
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(body)),
    // RFC 9209: tells an answer of the proxy from one of the endpoint.
    'Proxy-Status': `sallyport; details="${refusal.code}"`,
    ...challenge,
    Connection: 'close',
  };
}

/** Answers a request with a refusal; one that has begun to be answered is cut off. */
export function answerRefusal(response: ServerResponse, refusal: EgressRefusal): void {
  if (response.headersSent) return void response.destroy();
  const body = describeRefusal(refusal);
  response.writeHead(statusOf(refusal), headersFor(refusal, body));
  response.end(body);
}

/** Answers with a refusal what is no request of `node:http`, such as CONNECT, and ends the connection. */
export function endWithRefusal(socket: Duplex, refusal: EgressRefusal): void {
  const body = describeRefusal(refusal);
  const lines = Object.entries(headersFor(refusal, body)).map(([name, value]) => `${name}: ${value}\r\n`);
  if (!socket.writable) return void socket.destroy();
  socket.end(`HTTP/1.1 ${statusOf(refusal)} Refused\r\n${lines.join('')}\r\n${body}`);
  // What the client still sends is read and dropped, or a reset would take the answer with it.
  socket.resume();
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** How long a client may take to read why it was refused. */
const LINGER_MS = 2_000;
