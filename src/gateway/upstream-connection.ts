import { type Client, SdkError, SdkErrorCode } from '@modelcontextprotocol/client';
import { type JsonObject, type Limits, SallyportError } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ServerDefinitions } from './definitions.ts';
import type { NotificationListener } from './upstream-changes.ts';
import { type ConnectOptions, type Opened, openClient } from './upstream-connect.ts';
import { describeServer } from './upstream-describe.ts';
import { type QuestionHandler, takeQuestions } from './upstream-questions.ts';
import { type Sender, sendRequest, type UpstreamRequestOptions } from './upstream-request.ts';
import { type Watch, watchOf } from './upstream-watch.ts';

/** An open connection to a server. */
export interface UpstreamConnection {
  /** `modern`: MCP 2026-07-28, without sessions; questions come as results. `legacy`: the revisions before it. */
  readonly era: 'modern' | 'legacy';
  isOpen(): boolean;
  /** Resolves when the connection is over, with what it failed of; with null when we closed it. */
  readonly over: Promise<SallyportError | null>;
  /** What the server declares that it can do. ATTACKER-CONTROLLED. */
  capabilities(): JsonObject;
  /** How often the server has said that its tools or prompts changed, and how often that its resources did. */
  changes(): { readonly definitions: number; readonly resources: number };
  /** False while nobody would tell us of changed lists although the server says that it can. */
  hearsChanges(): boolean;
  /** Who it says it is and what it offers now. @throws as `request`, and SERVER_DEFINITIONS */
  definitions(): Promise<ServerDefinitions>;
  /**
   * One request. Resolves with the raw result, which nobody has checked; `resultType: 'input_required'` stays in it.
   *
   * @throws ProtocolError when the server answered with an error
   * @throws SallyportError TOOL_TIMEOUT, TOOL_CANCELLED, SERVER_UNAVAILABLE, RESULT_TOO_LARGE, RESULT_MALFORMED
   */
  request(method: string, params: JsonObject, options?: UpstreamRequestOptions): Promise<unknown>;
  /** Tells the server something; what its revision does not know is not sent. @throws SallyportError SERVER_UNAVAILABLE */
  notify(method: string, params: JsonObject): Promise<void>;
  /** Who answers the questions of a server with sessions; null: nobody, and the server is told "method not found". */
  onQuestion(handler: QuestionHandler | null): void;
  /** Since when at least one question has waited for its answer, in milliseconds of `performance.now()`; null for none. */
  waitsSince(): number | null;
  /**
   * Calls `listener` for changed lists, updated resources, log messages, completed elicitations and the state of tasks;
   * the result ends it. Progress comes with its request only.
   */
  onNotification(listener: NotificationListener): () => void;
  /**
   * Lets the server tell of changes of exactly these resources.
   *
   * @throws ProtocolError when it cannot, or will not
   * @throws SallyportError INPUT_TOO_LARGE (more than 1,024), and as `request`
   */
  watch(uris: ReadonlySet<string>): Promise<void>;
  /** The resources that are watched now. */
  watched(): ReadonlySet<string>;
  /** Bytes that the server has written to standard error. */
  errorBytes(): number;
  close(): Promise<void>;
}

/**
 * Connects to a server, in the revision that the policy names; `auto` asks for the stateless one first, in place, and
 * starts over with the older handshake when the server does not live through the question.
 *
 * @throws SallyportError SERVER_UNAVAILABLE, RESULT_TOO_LARGE, RESULT_MALFORMED
 */
export async function connectUpstream(rule: ServerRule, options: ConnectOptions): Promise<UpstreamConnection> {
  const opened = await openClient(rule, options);
  const { connection, begin } = connectionOf(opened, rule, options.limits);
  await begin();
  return connection;
}

/** How long a server may take to confirm the stream of its changes before it is used without. */
const LISTEN_MS = 5_000;
const now = (): number => performance.now();

interface Connected {
  readonly connection: UpstreamConnection;
  /** Lets the server tell of its changes. */
  readonly begin: () => Promise<void>;
}

function connectionOf(opened: Opened, rule: ServerRule, limits: Limits): Connected {
  const { client, wire, changes, capabilities } = opened;
  const era = client.getProtocolEra() === 'modern' ? ('modern' as const) : ('legacy' as const);
  const life = lifeOf(opened, () => watch.stop());
  const questions = takeQuestions(client, rule, now);
  const sender: Sender = {
    ...{ client, wire, era, now, timeoutMs: rule.timeoutMs ?? limits.upstreamMs, waitedMs: questions.waitedMs },
    ...{ maxOutputBytes: rule.maxOutput, answered: 0, logLevel: null, follow: changes.follow },
    end: (failure) => void life.end(failure),
  };
  const request: UpstreamConnection['request'] = (method, params, given) => sendRequest(sender, method, params, given);
  const watch: Watch = watchOf({
    ...{ client, era, now, timeoutMs: Math.min(sender.timeoutMs, LISTEN_MS), onGap: () => changes.gap(watch.uris) },
    request: (method, uri) => request(method, { uri }),
  });
  const connection: UpstreamConnection = {
    ...{ era, request, over: life.over, isOpen: life.isOpen, close: () => life.end(null) },
    capabilities: () => capabilities,
    changes: changes.counted,
    hearsChanges: watch.hears,
    definitions: () => describeServer(opened, request, limits),
    notify: (method, params) => notify(client, method, params),
    onQuestion: questions.answerWith,
    waitsSince: questions.waitsSince,
    onNotification: changes.listen,
    watch: watch.set,
    watched: () => watch.uris,
    errorBytes: wire.errorBytes,
  };
  // A server that will not tell of its changes is compared in time instead.
  return { connection, begin: () => watch.set(new Set()).catch(() => undefined) };
}

interface Life {
  readonly over: Promise<SallyportError | null>;
  isOpen(): boolean;
  /** Ends the connection; `failure` is null when nothing was wrong. */
  end(failure: SallyportError | null): Promise<void>;
}

function lifeOf({ client, wire }: Opened, stopWatch: () => Promise<void>): Life {
  let isOpen = true;
  let failed: SallyportError | null = null;
  const over = new Promise<SallyportError | null>((resolve) => {
    client.onclose = () => {
      isOpen = false;
      resolve(failed ?? wire.failure());
    };
  });
  const end: Life['end'] = async (failure) => {
    failed ??= failure;
    const wasOpen = isOpen;
    isOpen = false;
    stopWatch().catch(() => undefined); // the stream ends with the connection in any case
    if (wasOpen) await wire.goodbye();
    await client.close().catch(() => undefined); // one that cannot be closed in order is over all the same
  };
  return { over, end, isOpen: () => isOpen && wire.failure() === null };
}

async function notify(client: Client, method: string, params: JsonObject): Promise<void> {
  try {
    await client.notification({ method, params: { ...params } });
  } catch (cause) {
    if (isUnknownHere(cause)) return;
    throw new SallyportError('SERVER_UNAVAILABLE', 'the connection to the server broke', { cause });
  }
}

const isUnknownHere = (error: unknown): boolean =>
  error instanceof SdkError &&
  (error.code === SdkErrorCode.MethodNotSupportedByProtocolVersion ||
    error.code === SdkErrorCode.CapabilityNotSupported);
