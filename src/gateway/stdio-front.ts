import type { Readable, Writable } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/server';
import { serveStdio as serveProtocol } from '@modelcontextprotocol/server/stdio';
import { DEFAULT_LIMITS, type Limits, SallyportError } from '../core/index.ts';
import type { Gate } from '../gate/index.ts';
import {
  admitMessage,
  cancelledRequestId,
  type Message,
  parseMessage,
  type RequestId,
  refusal,
  toJsonRpc,
} from './json-rpc.ts';
import { decodeLine, readLines } from './line-reader.ts';
import { writeLine } from './line-writer.ts';
import { buildMcpServer } from './mcp-server.ts';
import { serveSession } from './served-session.ts';

export interface StdioFrontOptions {
  readonly gate: Gate;
  readonly user: string;
  readonly agent: string;
  readonly input: Readable;
  /** Carries protocol and nothing else. */
  readonly output: Writable;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
  /** Runs before tools are listed; see `Upstreams.refresh`. */
  readonly refresh?: () => Promise<void>;
  readonly onError?: (error: unknown) => void;
}

/** A connection over stdio. */
export interface StdioFront {
  /** Resolves when the client has ended its input and what it asked was answered, or when `close` was called. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** How long calls that run may go on after the client has ended its input, in milliseconds. */
const DRAIN_MS = 5_000;

/** Serves MCP on a pair of streams, in both eras: the client's first message decides. */
export async function serveStdio(options: StdioFrontOptions): Promise<StdioFront> {
  const { gate, user, agent, version = '0.0.0', refresh = async () => undefined } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const session = serveSession(await gate.openSession({ user, agent, proof: 'local', surface: 'mcp-stdio' }), refresh);
  const wire = clientWire(options, limits);
  const handle = serveProtocol(() => buildMcpServer(session, version), {
    transport: wire.transport,
    onerror: (error) => options.onError?.(error),
  });
  return { closed: wire.closed, close: () => handle.close() };
}

/** The client's side of the pipe as a Transport: what is not one strict JSON-RPC message never reaches the protocol. */
function clientWire(options: StdioFrontOptions, limits: Limits): { transport: Transport; closed: Promise<void> } {
  const { input, output } = options;
  const pending = pendingRequests();
  const send = (message: unknown): Promise<void> => writeLine(output, message, limits.resultBinaryBytes);
  const answerNow = (message: unknown): void => void send(message).catch((error) => options.onError?.(error));
  let stop: () => void = () => undefined;
  let finish: (() => void) | null = null;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const transport: Transport = {
    start: async () => {
      stop = readLines(input, limits.requestBytes, {
        line: (line) => takeClientLine(line, limits, pending, answerNow, (message) => transport.onmessage?.(message)),
        tooLong: () =>
          answerNow(refusal(new SallyportError('INPUT_TOO_LARGE', 'the message is larger than its limit'))),
        end: () => pending.whenIdle(DRAIN_MS, () => void transport.close()),
      });
      output.on('error', () => void transport.close());
      output.on('close', () => void transport.close());
    },
    send: async (message) => {
      await send(message).finally(() => {
        if (!('method' in message)) pending.settle(message.id);
      });
    },
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

/** The requests of a client that wait for their answer. */
interface PendingRequests {
  /** False when the id waits already. */
  add(id: RequestId): boolean;
  settle(id: unknown): void;
  /** Runs `act` once nothing waits, at the latest after `maxMs`. */
  whenIdle(maxMs: number, act: () => void): void;
}

function pendingRequests(): PendingRequests {
  const waiting = new Set<RequestId>();
  let onIdle: (() => void) | null = null;
  return {
    add: (id) => !waiting.has(id) && waiting.add(id).has(id),
    settle: (id) => {
      if (typeof id === 'string' || typeof id === 'number') waiting.delete(id);
      if (waiting.size === 0) onIdle?.();
    },
    whenIdle: (maxMs, act) => {
      onIdle = act;
      if (waiting.size === 0) act();
      else setTimeout(act, maxMs).unref();
    },
  };
}

function takeClientLine(
  line: Buffer,
  limits: Limits,
  pending: PendingRequests,
  answer: (message: unknown) => void,
  handOn: (message: JSONRPCMessage) => void,
): void {
  try {
    const message = readClientLine(line, limits);
    const verdict = admitMessage(message);
    if (verdict === 'drop') return;
    if (verdict !== 'take') answer(verdict);
    else if (message.kind === 'request' && !pending.add(message.id)) answer(refusal(duplicateId(), message.id));
    else {
      pending.settle(cancelledRequestId(message));
      handOn(toJsonRpc(message));
    }
  } catch (error) {
    answer(refusal(error));
  }
}

function readClientLine(line: Buffer, limits: Limits): Message {
  const text = decodeLine(line);
  if (text === null) throw new SallyportError('INPUT_NOT_JSON', 'the message is not UTF-8');
  return parseMessage(text, { maxBytes: limits.requestBytes, maxDepth: limits.argumentDepth });
}

const duplicateId = (): SallyportError =>
  new SallyportError('INPUT_NOT_JSON', 'a request with this id is still waiting', { detail: { frame: true } });
