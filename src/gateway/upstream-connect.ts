import { Client } from '@modelcontextprotocol/client';
import { isJsonObject, isSallyportError, type JsonObject, type Limits, SallyportError } from '../core/index.ts';
import type { SandboxProcess } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { abilitiesFor } from './upstream-abilities.ts';
import { type Changes, changesOf } from './upstream-changes.ts';
import { httpWire } from './upstream-http.ts';
import { stdioWire } from './upstream-stdio.ts';
import type { UpstreamWire } from './upstream-wire.ts';

export interface ConnectOptions {
  /** Starts the program of a server that is spawned: a gate does (`gate.startServer`). */
  readonly start: (rule: ServerRule) => Promise<SandboxProcess>;
  readonly limits: Limits;
  /** Version of Sallyport, told to the server. */
  readonly version: string;
  /** Revision that an earlier connection negotiated: `protocol: auto` then need not ask again. */
  readonly knownProtocol?: string;
}

/** A client of the SDK whose handshake is done. */
export interface Opened {
  readonly client: Client;
  readonly wire: UpstreamWire;
  readonly changes: Changes;
  /** What the server declared. ATTACKER-CONTROLLED. */
  readonly capabilities: JsonObject;
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
export async function openClient(rule: ServerRule, options: ConnectOptions): Promise<Opened> {
  const asked = rule.protocol === 'auto' ? (options.knownProtocol ?? 'auto') : rule.protocol;
  try {
    return await openOnce(rule, options, asked);
  } catch (error) {
    const died = isSallyportError(error, 'SERVER_UNAVAILABLE') && error.detail['ended'] === true;
    if (asked !== 'auto' || rule.url !== null || !died) throw error;
    return openOnce(rule, options, LEGACY[0] ?? MODERN, LEGACY);
  }
}

async function openOnce(
  rule: ServerRule,
  options: ConnectOptions,
  asked: string,
  accepted: readonly string[] = asked === 'auto' ? [MODERN, ...LEGACY] : [asked],
): Promise<Opened> {
  const client = new Client(
    { name: 'sallyport', version: options.version },
    {
      capabilities: abilitiesFor(rule),
      supportedProtocolVersions: [...accepted],
      versionNegotiation: negotiation(asked),
    },
  );
  const changes = changesOf(client);
  const wire = wireOf(rule, options, () => changes.gap());
  client.onerror = () => undefined; // each call reports its own failure; what is out of band changes nothing
  try {
    await client.connect(wire.transport, { timeout: CONNECT_MS });
  } catch (error) {
    await client.close();
    await wire.transport.close();
    throw connectError(error, wire);
  }
  const declared: unknown = client.getServerCapabilities() ?? {};
  return { client, wire, changes, capabilities: isJsonObject(declared) ? declared : {} };
}

function wireOf(rule: ServerRule, { start, limits }: ConnectOptions, onGap: () => void): UpstreamWire {
  if (rule.url === null) return stdioWire(() => start(rule), limits);
  return httpWire(rule.url, { ...limits, upstreamMs: rule.timeoutMs ?? limits.upstreamMs }, onGap);
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
  // ATTACKER-CONTROLLED: the server may have chosen these words; the operator sees them, and nobody else.
  const words = error instanceof Error ? error.message : 'unknown error';
  return new SallyportError('SERVER_UNAVAILABLE', 'the server does not answer as MCP asks when it is connected', {
    cause: error,
    detail: { stderr, words },
  });
}
