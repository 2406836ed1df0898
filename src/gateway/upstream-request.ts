import type { StandardSchemaV1 } from '@modelcontextprotocol/client';
import {
  CLIENT_CAPABILITIES_META_KEY,
  type Client,
  LOG_LEVEL_META_KEY,
  ProtocolError,
  SdkError,
  SdkErrorCode,
} from '@modelcontextprotocol/client';
import { isJsonObject, isSallyportError, type JsonObject, SallyportError } from '../core/index.ts';
import type { Changes } from './upstream-changes.ts';
import type { UpstreamWire } from './upstream-wire.ts';

/** What one request to a server may carry besides its parameters. */
export interface UpstreamRequestOptions {
  readonly signal?: AbortSignal;
  /** Called for each progress notification of this request: `progress`, `total`, `message`, unchecked. */
  readonly progress?: (params: JsonObject) => void;
  /** What this request's client can be asked for, instead of what the policy allows; for stateless servers. */
  readonly abilities?: JsonObject;
  /** Headers of this request alone: `Mcp-Param-*`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Least level (RFC 5424, as MCP names them) of the log messages that this request may bring. */
  readonly logLevel?: string;
  /** Answers to the questions of the round before, by their keys; a server with sessions never asks for them. */
  readonly answers?: JsonObject;
  /** What the server gave out with its questions, to be handed back as it was. */
  readonly state?: string;
  /** Instead of the server's own time limit. Time in which the server waits for an answer of ours does not count. */
  readonly timeoutMs?: number;
}

/** What requests of one connection are sent with. */
export interface Sender {
  readonly client: Client;
  readonly wire: UpstreamWire;
  readonly era: 'modern' | 'legacy';
  readonly timeoutMs: number;
  /** Bytes that a result may have; null: only the limit of the wire. */
  readonly maxOutputBytes: number | null;
  readonly follow: Changes['follow'];
  /** Time in which the server waited for us, see `Questions`. */
  readonly waitedMs: () => number;
  readonly now: () => number;
  /** Ends the connection because of a failure. */
  readonly end: (failure: SallyportError) => void;
  /** Requests that the server has answered, with a result or an error. */
  answered: number;
  /** Log level that a server with sessions was last set to. */
  logLevel: string | null;
}

/**
 * Sends one request. Resolves with the raw result, which nobody has checked; `resultType: 'input_required'` stays in it.
 *
 * @throws ProtocolError when the server answered with an error
 * @throws SallyportError TOOL_TIMEOUT, TOOL_CANCELLED, SERVER_UNAVAILABLE, RESULT_TOO_LARGE, RESULT_MALFORMED
 */
export async function sendRequest(
  sender: Sender,
  method: string,
  params: JsonObject,
  options: UpstreamRequestOptions = {},
): Promise<unknown> {
  throwIfAborted(options.signal);
  await setLegacyLogLevel(sender, options);
  const answeredBefore = sender.answered;
  const watch = watchCall(sender, options);
  const progress = options.progress === undefined ? null : sender.follow(options.progress);
  try {
    const asked = { method, params: paramsOf(sender, params, { ...options, token: progress?.token }) };
    const result = await sender.client.request(asked, AS_IT_IS, {
      ...AS_WE_LIMIT,
      signal: watch.signal,
      ...(options.headers === undefined ? {} : { headers: { ...options.headers } }),
    });
    sender.answered += 1;
    checkSize(sender, method, result);
    return result;
  } catch (error) {
    if (error instanceof ProtocolError && !isBroken(error)) sender.answered += 1;
    throwIfAborted(options.signal);
    if (!watch.isLate()) throw failureOf(error, sender);
    const late = new SallyportError('TOOL_TIMEOUT', `the server did not answer within ${watch.timeoutMs} ms`);
    // A server that answered nothing meanwhile hangs, whatever else it says: it is stopped, and the next call starts it again.
    if (sender.answered === answeredBefore) sender.end(late);
    throw late;
  } finally {
    watch.stop();
    progress?.end();
  }
}

/** Takes a result as it is: the SDK's own schemas drop fields, and what is approved must be all that was said. */
const AS_IT_IS: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'sallyport', validate: (value) => ({ value }) },
};
/** The SDK's own time limit could not stand still: ours is always shorter. */
const AS_WE_LIMIT = { timeout: 2_147_483_647, allowInputRequired: true } as const;

type Given = Pick<UpstreamRequestOptions, 'answers' | 'state' | 'logLevel' | 'abilities'> & {
  readonly token: string | undefined;
};

function paramsOf({ era }: Sender, params: JsonObject, given: Given): Record<string, unknown> {
  const { answers, state, logLevel, token, abilities } = given;
  const isModern = era === 'modern';
  const meta = {
    ...(isJsonObject(params['_meta']) ? params['_meta'] : {}),
    ...(token === undefined ? {} : { progressToken: token }),
    ...(isModern && abilities !== undefined ? { [CLIENT_CAPABILITIES_META_KEY]: abilities } : {}),
    ...(isModern && logLevel !== undefined ? { [LOG_LEVEL_META_KEY]: logLevel } : {}),
  };
  return {
    ...params,
    ...(Object.keys(meta).length === 0 ? {} : { _meta: meta }),
    ...(isModern && answers !== undefined ? { inputResponses: answers } : {}),
    ...(isModern && state !== undefined ? { requestState: state } : {}),
  };
}

/** A server with sessions has one level for all its requests; one that cannot log is not asked. */
async function setLegacyLogLevel(sender: Sender, { logLevel, signal }: UpstreamRequestOptions): Promise<void> {
  const { client, era } = sender;
  if (era === 'modern' || logLevel === undefined || logLevel === sender.logLevel) return;
  if (client.getServerCapabilities()?.logging === undefined) return;
  sender.logLevel = logLevel;
  try {
    await sendRequest(sender, 'logging/setLevel', { level: logLevel }, signal === undefined ? {} : { signal });
  } catch (error) {
    sender.logLevel = null;
    // Without log messages the request itself is as good.
    if (!(error instanceof ProtocolError)) throw error;
  }
}

interface CallWatch {
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  isLate(): boolean;
  stop(): void;
}

/** How long a call may wait for answers of ours, on top of its own time. */
const MAX_WAIT_MS = 1_800_000;
const LOOK_AGAIN_MS = 250;

/** Ends a call when its caller does or its time is over; what the server is told of it is one fixed word. */
function watchCall(sender: Sender, { signal, timeoutMs = sender.timeoutMs }: UpstreamRequestOptions): CallWatch {
  const stop = new AbortController();
  const [start, waitedBefore] = [sender.now(), sender.waitedMs()];
  let isLate = false;
  const look = (): void => {
    const waited = Math.min(sender.waitedMs() - waitedBefore, MAX_WAIT_MS);
    const left = timeoutMs - (sender.now() - start - waited);
    if (left > 0) {
      timer = setTimeout(look, Math.max(left, LOOK_AGAIN_MS));
      return;
    }
    isLate = true;
    stop.abort('timed out');
  };
  let timer = setTimeout(look, timeoutMs);
  const cancel = (): void => stop.abort('cancelled');
  signal?.addEventListener('abort', cancel, { once: true });
  return {
    ...{ signal: stop.signal, timeoutMs, isLate: () => isLate },
    stop: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    },
  };
}

function checkSize({ maxOutputBytes }: Sender, method: string, result: unknown): void {
  // Definitions have limits of their own.
  if (maxOutputBytes === null || method.endsWith('/list')) return;
  if (Buffer.byteLength(JSON.stringify(result) ?? '') <= maxOutputBytes) return;
  throw new SallyportError(
    'RESULT_TOO_LARGE',
    `the server's result is larger than its limit of ${maxOutputBytes} bytes`,
  );
}

/** The wire's own word about an answer that cannot be used; see `failedAnswer`. */
const isBroken = (error: ProtocolError): boolean => isSallyportError(error.data);

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw isSallyportError(signal.reason)
    ? signal.reason
    : new SallyportError('TOOL_CANCELLED', 'the call was cancelled');
}

/** What a request that ended otherwise than with a result failed of. A connection that broke is over. */
function failureOf(error: unknown, sender: Sender): Error {
  if (error instanceof ProtocolError) return isSallyportError(error.data) ? error.data : error;
  const failure = sender.wire.failure();
  if (failure !== null) return failure;
  if (isSallyportError(error)) return error;
  if (error instanceof SdkError) {
    const malformed = error.code === SdkErrorCode.InvalidResult || error.code === SdkErrorCode.UnsupportedResultType;
    if (malformed)
      return new SallyportError('RESULT_MALFORMED', "the server's result is not one of MCP", { cause: error });
  }
  const broken = new SallyportError('SERVER_UNAVAILABLE', 'the connection to the server broke', { cause: error });
  if (isOver(error)) sender.end(broken);
  return broken;
}

/** HTTP 404: the server has forgotten the session. No status: there was no answer at all. */
function isOver(error: unknown): boolean {
  const status = error instanceof Error && 'status' in error ? error.status : undefined;
  return status === undefined || status === 404;
}
