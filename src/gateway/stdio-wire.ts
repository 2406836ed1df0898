import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { type Limits, SallyportError } from '../core/index.ts';
import type { ClientLimits } from './client-limits.ts';
import {
  admitMessage,
  cancelledRequestId,
  type Message,
  parseMessage,
  protocolError,
  type RequestId,
  refusal,
  SERVER_ERROR,
  toJsonRpc,
} from './json-rpc.ts';
import { decodeLine, readLines } from './line-reader.ts';
import { writeLine } from './line-writer.ts';
import { pendingQuestions, type Questions } from './questions.ts';
import type { StdioListens } from './stdio-listens.ts';

/** How long calls that run may go on after the client has ended its input, in milliseconds. */
const DRAIN_MS = 5_000;

export interface StdioWireOptions {
  readonly input: Readable;
  readonly output: Writable;
  readonly limits: Limits;
  readonly clientLimits: ClientLimits;
  readonly listens: StdioListens;
  /** How the server is to see a message. */
  readonly adapt: (message: JSONRPCMessage) => JSONRPCMessage;
  readonly onError: (error: unknown) => void;
}

/** The client's side of the pipe as a Transport, and when it ended. */
export interface StdioWire {
  readonly transport: Transport;
  readonly closed: Promise<void>;
}

/** What a line of the client meets. */
interface Wire extends StdioWireOptions {
  readonly pending: PendingRequests;
  readonly questions: Questions;
  /** Writes an answer of our own. */
  readonly answer: (message: unknown) => void;
  readonly handOn: (message: Message) => void;
}

/** A Transport over two streams: what is not one strict JSON-RPC message never reaches the protocol. */
export function stdioWire(options: StdioWireOptions): StdioWire {
  const { input, output, limits, onError } = options;
  const pending = pendingRequests();
  const questions = pendingQuestions(options.clientLimits);
  const send = (message: unknown): Promise<void> => writeLine(output, message, limits.resultBinaryBytes);
  const wire: Wire = {
    ...{ ...options, pending, questions },
    answer: (message) => void send(message).catch(onError),
    handOn: (message) => transport.onmessage?.(options.adapt(toJsonRpc(message))),
  };
  let stop: () => void = () => undefined;
  let finish: (() => void) | null = null;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const transport: Transport = {
    start: async () => {
      stop = readLines(input, limits.requestBytes, {
        line: (line) => takeClientLine(wire, line),
        tooLong: () =>
          wire.answer(refusal(new SallyportError('INPUT_TOO_LARGE', 'the message is larger than its limit'))),
        end: () => pending.whenIdle(DRAIN_MS, () => void transport.close()),
      });
      output.on('error', () => void transport.close());
      output.on('close', () => void transport.close());
    },
    send: (message) => sendToClient(wire, send, message),
    close: async () => {
      if (finish === null) return;
      const finished = finish;
      finish = null;
      stop();
      transport.onclose?.();
      finished();
    },
  };
  return { transport, closed };
}

async function sendToClient(
  { pending, questions, listens }: Wire,
  send: (message: unknown) => Promise<void>,
  message: JSONRPCMessage,
): Promise<void> {
  if (!('method' in message)) {
    listens.end(message.id);
    return send(message).finally(() => pending.settle(message.id));
  }
  if (message.method === 'notifications/cancelled') questions.drop(message.params?.['requestId']);
  if (!('id' in message)) return send(message);
  questions.ask(message.id);
  try {
    await send(message);
  } catch (error) {
    questions.drop(message.id);
    throw error;
  }
}

/** The requests of a client that wait for their answer. */
interface PendingRequests {
  has(id: unknown): boolean;
  add(id: RequestId): void;
  size(): number;
  settle(id: unknown): void;
  /** Runs `act` once nothing waits, at the latest after `maxMs`. */
  whenIdle(maxMs: number, act: () => void): void;
}

function pendingRequests(): PendingRequests {
  const waiting = new Set<unknown>();
  let onIdle: (() => void) | null = null;
  return {
    has: (id) => waiting.has(id),
    add: (id) => void waiting.add(id),
    size: () => waiting.size,
    settle: (id) => {
      waiting.delete(id);
      if (waiting.size === 0) onIdle?.();
    },
    whenIdle: (maxMs, act) => {
      onIdle = act;
      if (waiting.size === 0) act();
      else setTimeout(act, maxMs).unref();
    },
  };
}

function takeClientLine(wire: Wire, line: Buffer): void {
  try {
    const message = readClientLine(line, wire.limits);
    const response = wire.questions.take(message);
    const verdict = response === null ? admitMessage(message) : 'take';
    if (verdict === 'drop') return;
    if (verdict !== 'take') wire.answer(verdict);
    else if (message.kind === 'request') takeRequest(wire, message);
    else {
      const cancelled = cancelledRequestId(message);
      wire.listens.end(cancelled);
      wire.pending.settle(cancelled);
      wire.handOn(response ?? message);
    }
  } catch (error) {
    wire.answer(refusal(error));
  }
}

function takeRequest(wire: Wire, message: Message & { readonly kind: 'request' }): void {
  const { pending, listens, clientLimits } = wire;
  if (pending.has(message.id) || listens.has(message.id)) wire.answer(refusal(duplicateId(), message.id));
  else if (message.method === 'subscriptions/listen') takeListen(wire, message);
  else if (pending.size() >= clientLimits.pending) {
    wire.answer(protocolError(SERVER_ERROR, 'too many requests are waiting', message.id));
  } else {
    pending.add(message.id);
    wire.handOn(message);
  }
}

function takeListen({ listens, answer, handOn, onError }: Wire, message: Message & { readonly kind: 'request' }): void {
  listens.open(message).then(
    (opened) => {
      if (opened === null) return;
      if ('kind' in opened) handOn(opened);
      else answer(opened);
    },
    (error: unknown) => {
      onError(error);
      answer(refusal(error, message.id));
    },
  );
}

function readClientLine(line: Buffer, limits: Limits): Message {
  const text = decodeLine(line);
  if (text === null) throw new SallyportError('INPUT_NOT_JSON', 'the message is not UTF-8');
  return parseMessage(text, { maxBytes: limits.requestBytes, maxDepth: limits.argumentDepth });
}

const duplicateId = (): SallyportError =>
  new SallyportError('INPUT_NOT_JSON', 'a request with this id is still waiting', { detail: { frame: true } });
