import type { Transport } from '@modelcontextprotocol/client';
import { isJsonObject, isSallyportError, type Limits, SallyportError } from '../core/index.ts';
import { type Message, parseMessage, toJsonRpc } from './json-rpc.ts';
import { decodeLine, readLines } from './line-reader.ts';
import { writeLine } from './line-writer.ts';
import { connectionAllowance } from './upstream-allowance.ts';
import { type ServerProcess, type StartServer, startProcess } from './upstream-process.ts';
import { failedAnswer, HEEDED_NOTIFICATIONS, type UpstreamWire } from './upstream-wire.ts';

/**
 * A server process as a Transport for the SDK's client. What the server writes reaches the protocol only as strict
 * JSON-RPC within its limits; a server that breaks them is stopped, and `failure` says why.
 */
export function stdioWire(start: StartServer, limits: Limits): UpstreamWire {
  const state = { process: null as ServerProcess | null, failure: null as SallyportError | null };
  const allowance = connectionAllowance(limits.resultBinaryBytes);
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    await state.process?.stop();
    transport.onclose?.();
  };
  const fail = (error: SallyportError): void => {
    if (isClosed) return;
    state.failure ??= error;
    void close();
  };
  const count = (bytes: number, body: unknown): void => {
    try {
      allowance.heard(bytes, body);
    } catch (error) {
      if (!isSallyportError(error)) throw error;
      fail(error);
    }
  };
  const hear = (line: Buffer): void => {
    const read = readServerLine(line, limits);
    count(line.length + 1, bodyOf(read));
    if (isClosed || read.kind === 'noise') return;
    if (read.kind === 'broken') fail(read.error);
    else if (read.kind === 'spoiled') transport.onmessage?.(failedAnswer(read.id, read.error));
    else if (isHeeded(read.message)) transport.onmessage?.(toJsonRpc(read.message));
  };
  const transport: Transport & { readonly pid: number | null; readonly stderr: null } = {
    // The SDK tells a stdio transport from a remote one by these two: silence on a probe then means "older", not "down".
    get pid() {
      return state.process?.pid ?? null;
    },
    stderr: null,
    start: async () => {
      const started = await startProcess(start);
      state.process = started;
      if (isClosed) return started.stop();
      readLines(started.stdout, limits.resultBinaryBytes, {
        line: (line) => isClosed || hear(line),
        blank: () => isClosed || count(1, null),
        tooLong: () => fail(new SallyportError('RESULT_TOO_LARGE', 'the server sent a message beyond the limit')),
        end: () => undefined,
      });
      started.stdout.on('error', () => undefined);
      void started.ended.then((how) => fail(new SallyportError('SERVER_UNAVAILABLE', how)));
    },
    send: async (message) => {
      if (state.process === null || isClosed)
        throw new SallyportError('SERVER_UNAVAILABLE', 'the server is not running');
      allowance.sent(message);
      await writeLine(state.process.stdin, message, limits.resultBinaryBytes);
    },
    close,
  };
  return {
    transport,
    failure: () => state.failure,
    goodbye: async () => undefined,
    errorTail: () => state.process?.errorTail() ?? '',
    errorBytes: () => state.process?.errorBytes() ?? 0,
  };
}

type ServerLine =
  | { readonly kind: 'message'; readonly message: Message }
  /** A stray print: servers do that, and nothing of it goes on. */
  | { readonly kind: 'noise' }
  | { readonly kind: 'broken'; readonly error: SallyportError }
  /** Broken, too, but it can be told which request of ours it answers. */
  | { readonly kind: 'spoiled'; readonly error: SallyportError; readonly id: number };

/** What the allowance of the connection is told of a line. */
function bodyOf(read: ServerLine): unknown {
  if (read.kind === 'message') return read.message.body;
  return read.kind === 'spoiled' ? { id: read.id } : null;
}

/** ATTACKER-CONTROLLED: the line. A broken answer to a request that can be told becomes that request's error. */
function readServerLine(line: Buffer, limits: Limits): ServerLine {
  const text = decodeLine(line);
  if (text === null || !/^\s*[[{]/.test(text)) return { kind: 'noise' };
  try {
    const bounds = { maxBytes: limits.resultBinaryBytes, maxDepth: limits.argumentDepth };
    return { kind: 'message', message: parseMessage(text, bounds) };
  } catch (cause) {
    const why = isSallyportError(cause) ? cause.message : 'it cannot be read';
    const error = new SallyportError('RESULT_MALFORMED', `the server sent no message of the protocol: ${why}`, {
      cause,
    });
    const id = answeredId(text);
    return id === null ? { kind: 'broken', error } : { kind: 'spoiled', error, id };
  }
}

/** The id of our request that a broken line answers. We number requests, so only an integer can be one. */
function answeredId(text: string): number | null {
  try {
    const value: unknown = JSON.parse(text);
    const id = isJsonObject(value) && value['method'] === undefined ? value['id'] : null;
    return typeof id === 'number' && Number.isSafeInteger(id) ? id : null;
  } catch {
    return null;
  }
}

/** Answers, questions and the known notifications; the rest is dropped. */
const isHeeded = (message: Message): boolean =>
  message.kind !== 'notification' || HEEDED_NOTIFICATIONS.has(message.method);
