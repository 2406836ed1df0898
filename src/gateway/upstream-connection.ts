import { Client, ProtocolError, SdkError, SdkErrorCode, type StandardSchemaV1 } from '@modelcontextprotocol/client';
import {
  isJsonObject,
  isSallyportError,
  type JsonObject,
  type Limits,
  quoteForMessage,
  SallyportError,
} from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { copyDefinition, fetchTools, type ServerDefinitions } from './definitions.ts';
import { httpWire } from './upstream-http.ts';
import { BROKEN_ANSWER, stdioWire } from './upstream-stdio.ts';
import { TOOLS_CHANGED, type UpstreamWire } from './upstream-wire.ts';

export interface ConnectOptions {
  /** Folder that a server process starts in: the policy's root. */
  readonly root: string;
  readonly limits: Limits;
  /** Version of Sallyport, told to the server. */
  readonly version: string;
  /** Revision that an earlier connection negotiated: `protocol: auto` then need not ask again. */
  readonly knownProtocol?: string;
}

/** An open connection to a server. */
export interface UpstreamConnection {
  isOpen(): boolean;
  /** How often the server has said that its tools changed. */
  toolsChanges(): number;
  /** Who it says it is and what it offers now. @throws as `request`, and SERVER_DEFINITIONS */
  definitions(): Promise<ServerDefinitions>;
  /**
   * One request. Resolves with the raw result, which nobody has checked.
   *
   * @throws ProtocolError when the server answered with an error
   * @throws SallyportError TOOL_TIMEOUT, TOOL_CANCELLED, SERVER_UNAVAILABLE, RESULT_TOO_LARGE, RESULT_MALFORMED
   */
  request(method: string, params: JsonObject, options?: { signal?: AbortSignal }): Promise<unknown>;
  close(): Promise<void>;
}

const MODERN = '2026-07-28';
/** Revisions with sessions that a server may speak, newest first. */
const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];
/** How long a connection may take, the start of the process included, and how long a probe for the modern era waits. */
const CONNECT_MS = 30_000;
const PROBE_MS = 5_000;

/**
 * Connects to a server, in the revision that the policy names; `auto` asks for the stateless one first, in place, and
 * starts over with the older handshake when the server does not live through the question.
 *
 * @throws SallyportError SERVER_UNAVAILABLE, RESULT_TOO_LARGE, RESULT_MALFORMED
 */
export async function connectUpstream(rule: ServerRule, options: ConnectOptions): Promise<UpstreamConnection> {
  const asked = rule.protocol === 'auto' ? (options.knownProtocol ?? 'auto') : rule.protocol;
  try {
    return await connectOnce(rule, options, asked);
  } catch (error) {
    const died = isSallyportError(error, 'SERVER_UNAVAILABLE') && error.detail['ended'] === true;
    if (asked !== 'auto' || rule.command === null || !died) throw error;
    return connectOnce(rule, options, LEGACY[0] ?? MODERN, LEGACY);
  }
}

async function connectOnce(
  rule: ServerRule,
  options: ConnectOptions,
  asked: string,
  accepted: readonly string[] = asked === 'auto' ? [MODERN, ...LEGACY] : [asked],
): Promise<UpstreamConnection> {
  const wire = wireOf(rule, options);
  // No client capability: a server that wants to sample, to ask the user or to see roots is told "method not found".
  const client = new Client(
    { name: 'sallyport', version: options.version },
    {
      capabilities: {},
      supportedProtocolVersions: [...accepted],
      versionNegotiation: negotiation(asked),
    },
  );
  let toolsChanges = 0;
  client.setNotificationHandler(TOOLS_CHANGED, () => {
    toolsChanges += 1;
  });
  client.onerror = () => undefined; // each call reports its own failure; what is out of band changes nothing
  let isOpen = true;
  client.onclose = () => {
    isOpen = false;
  };
  try {
    await client.connect(wire.transport, { timeout: CONNECT_MS });
  } catch (error) {
    await client.close();
    await wire.transport.close();
    throw connectError(error, wire);
  }
  const timeoutMs = rule.timeoutMs ?? options.limits.upstreamMs;
  const close = async (): Promise<void> => {
    const wasOpen = isOpen;
    isOpen = false;
    if (wasOpen) await wire.goodbye();
    await client.close();
  };
  const request: UpstreamConnection['request'] = (method, params, { signal } = {}) =>
    sendRequest({ client, wire, timeoutMs, close }, method, params, signal);
  return {
    isOpen: () => isOpen && wire.failure() === null,
    toolsChanges: () => toolsChanges,
    definitions: () => describe(client, request, options.limits),
    request,
    close,
  };
}

function wireOf(rule: ServerRule, { root, limits }: ConnectOptions): UpstreamWire {
  if (rule.command !== null) return stdioWire({ command: rule.command, cwd: root, env: rule.env }, limits);
  if (rule.url !== null) return httpWire(rule.url, { ...limits, upstreamMs: rule.timeoutMs ?? limits.upstreamMs });
  throw new SallyportError('SERVER_UNAVAILABLE', 'the server has neither a command nor a URL');
}

type Negotiation = NonNullable<ConstructorParameters<typeof Client>[1]>['versionNegotiation'];

function negotiation(asked: string): NonNullable<Negotiation> {
  if (asked === MODERN) return { mode: { pin: MODERN }, probe: { timeoutMs: CONNECT_MS } };
  return asked === 'auto' ? { mode: 'auto', probe: { timeoutMs: PROBE_MS } } : { mode: 'legacy' };
}

function connectError(error: unknown, wire: UpstreamWire): SallyportError {
  const failure = wire.failure() ?? (isSallyportError(error) ? error : null);
  const stderr = wire.errorTail();
  if (failure !== null) {
    return new SallyportError(failure.code, failure.message, { cause: error, detail: { ended: true, stderr } });
  }
  // ATTACKER-CONTROLLED: the server chose these words.
  const words = error instanceof Error ? quoteForMessage(error.message, 200) : 'unknown error';
  return new SallyportError('SERVER_UNAVAILABLE', `no connection to the server: ${words}`, {
    cause: error,
    detail: { stderr },
  });
}

async function describe(
  client: Client,
  request: UpstreamConnection['request'],
  limits: Limits,
): Promise<ServerDefinitions> {
  const info = copyDefinition(client.getServerVersion() ?? null, limits);
  const instructions = copyDefinition(client.getInstructions() ?? null, limits);
  const hasTools = client.getServerCapabilities()?.tools !== undefined;
  return {
    protocol: client.getNegotiatedProtocolVersion() ?? 'unknown',
    serverInfo: isJsonObject(info) ? info : null,
    instructions: typeof instructions === 'string' ? instructions : null,
    tools: hasTools ? await fetchTools((method, params) => request(method, params), limits) : [],
  };
}

/** Takes a result as it is: the SDK's own schemas drop fields, and what is approved must be all that was said. */
const AS_IT_IS: StandardSchemaV1<unknown, unknown> = {
  '~standard': { version: 1, vendor: 'sallyport', validate: (value) => ({ value }) },
};

interface Sender {
  readonly client: Client;
  readonly wire: UpstreamWire;
  readonly timeoutMs: number;
  readonly close: () => Promise<void>;
}

async function sendRequest(
  { client, wire, timeoutMs, close }: Sender,
  method: string,
  params: JsonObject,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const heardBefore = wire.heard();
  try {
    const options = { timeout: timeoutMs, allowInputRequired: true, ...(signal === undefined ? {} : { signal }) };
    return await client.request({ method, params: { ...params } }, AS_IT_IS, options);
  } catch (error) {
    if (signal?.aborted === true) throw abortReason(signal);
    if (error instanceof ProtocolError) throw answeredError(error);
    const timedOut = error instanceof SdkError && error.code === SdkErrorCode.RequestTimeout;
    if (!timedOut) throw requestError(error, wire);
    // A server that said nothing at all hangs: it is stopped, and started again with the next call.
    if (wire.heard() === heardBefore) void close();
    throw new SallyportError('TOOL_TIMEOUT', `the server did not answer within ${timeoutMs} ms`);
  }
}

function answeredError(error: ProtocolError): Error {
  if (error.code !== BROKEN_ANSWER) return error;
  return new SallyportError('RESULT_MALFORMED', error.message, { cause: error });
}

const abortReason = (signal: AbortSignal): SallyportError =>
  isSallyportError(signal.reason) ? signal.reason : new SallyportError('TOOL_CANCELLED', 'the call was cancelled');

function requestError(error: unknown, wire: UpstreamWire): SallyportError {
  const failure = wire.failure();
  if (failure !== null) return failure;
  if (isSallyportError(error)) return error;
  if (error instanceof SdkError) {
    const malformed = error.code === SdkErrorCode.InvalidResult || error.code === SdkErrorCode.UnsupportedResultType;
    if (malformed)
      return new SallyportError('RESULT_MALFORMED', "the server's result is not one of MCP", { cause: error });
  }
  return new SallyportError('SERVER_UNAVAILABLE', 'the connection to the server broke', { cause: error });
}
