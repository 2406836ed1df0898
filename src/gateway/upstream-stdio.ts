import type { Transport } from '@modelcontextprotocol/client';
import { isJsonObject, isSallyportError, type Limits, SallyportError } from '../core/index.ts';
import { type Message, parseMessage, toJsonRpc } from './json-rpc.ts';
import { decodeLine, readLines } from './line-reader.ts';
import { writeLine } from './line-writer.ts';
import { type ProcessSpec, type ServerProcess, startProcess } from './upstream-process.ts';
import { TOOLS_CHANGED, type UpstreamWire } from './upstream-wire.ts';

/** Lines that a server may write after we last wrote to it: more than that is a flood. */
const MAX_UNASKED = 10_000;

/**
 * A server process as a Transport for the SDK's client. What the server writes reaches the protocol only as strict
 * JSON-RPC within its limits; a server that breaks them is stopped, and `failure` says why.
 */
export function stdioWire(spec: ProcessSpec, limits: Limits): UpstreamWire {
  const state = { process: null as ServerProcess | null, failure: null as SallyportError | null, heard: 0, unasked: 0 };
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
  const hear = (line: Buffer): void => {
    state.heard += 1;
    const read = readServerLine(line, limits);
    state.unasked += 1;
    if (read.kind === 'broken') fail(read.error);
    else if (state.unasked > MAX_UNASKED) fail(new SallyportError('RESULT_TOO_LARGE', 'the server floods'));
    else if (read.kind === 'message' && isHeeded(read.message)) transport.onmessage?.(toJsonRpc(read.message));
  };
  const transport: Transport & { readonly pid: number | null; readonly stderr: null } = {
    // The SDK tells a stdio transport from a remote one by these two: silence on a probe then means "older", not "down".
    get pid() {
      return state.process?.pid ?? null;
    },
    stderr: null,
    start: async () => {
      const started = await startProcess(spec);
      state.process = started;
      if (isClosed) return started.stop();
      readLines(started.stdout, limits.resultBinaryBytes, {
        line: (line) => isClosed || hear(line),
        tooLong: () => fail(new SallyportError('RESULT_TOO_LARGE', 'the server sent a message beyond the limit')),
        end: () => undefined,
      });
      started.stdout.on('error', () => undefined);
      void started.ended.then((how) => fail(new SallyportError('SERVER_UNAVAILABLE', how)));
    },
    send: async (message) => {
      if (state.process === null || isClosed)
        throw new SallyportError('SERVER_UNAVAILABLE', 'the server is not running');
      state.unasked = 0;
      await writeLine(state.process.stdin, message, limits.resultBinaryBytes);
    },
    close,
  };
  return {
    transport,
    failure: () => state.failure,
    heard: () => state.heard,
    goodbye: async () => undefined,
    errorTail: () => state.process?.errorTail() ?? '',
  };
}

type ServerLine =
  | { readonly kind: 'message'; readonly message: Message }
  /** A stray print: servers do that, and nothing of it goes on. */
  | { readonly kind: 'noise' }
  | { readonly kind: 'broken'; readonly error: SallyportError };

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
    return id === null ? { kind: 'broken', error } : { kind: 'message', message: brokenAnswer(id, error) };
  }
}

/** Code under which a broken answer reaches the request it was meant for (JSON-RPC 2.0: implementation-defined). */
export const BROKEN_ANSWER = -32_050;

function brokenAnswer(id: number, error: SallyportError): Message {
  const body = { jsonrpc: '2.0', id, error: { code: BROKEN_ANSWER, message: error.message } };
  return { kind: 'response', id, body };
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

/** Answers, questions (which the client answers "method not found") and one notification; the rest is dropped. */
const isHeeded = (message: Message): boolean => message.kind !== 'notification' || message.method === TOOLS_CHANGED;
