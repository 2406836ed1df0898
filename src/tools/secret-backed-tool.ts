import { type JsonObject, type JsonValue, parseStrictJson, SallyportError, SecretName } from '../core/index.ts';
import type { FetchRequest, FetchResult, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import { decodeText } from './decode-text.ts';

/** What a request of a secret-backed tool may say; the credential is not among it. */
export interface SecretFetchOptions {
  /** `GET` when absent. */
  readonly method?: string;
  /** A header in which the policy puts the secret, and any other credential, is dropped. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as it stands, an object as JSON. */
  readonly body?: string | JsonObject;
}

/** What an endpoint answered. ATTACKER-CONTROLLED. */
export interface SecretAnswer {
  readonly status: number;
  /** Names in lower case; of several with one name the last. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body; at most 1 MiB. @throws SallyportError RESULT_MALFORMED when it is not text */
  text(): string;
  /** The body as JSON. @throws SallyportError RESULT_MALFORMED when it is not text, or the code of the JSON error */
  json(): JsonValue;
}

/** A secret that can be used and not seen: it shows its name, never the value. It ends with the call. */
export class UsableSecret extends SecretName {
  readonly #send: (request: FetchRequest) => Promise<FetchResult>;

  constructor(reference: string, send: (request: FetchRequest) => Promise<FetchResult>) {
    super(reference, null);
    this.#send = send;
    Object.freeze(this);
  }

  /**
   * Sends one request, with the secret in the place where the rule of the tool puts it for this destination. Every hop of a redirect
   * is judged anew.
   *
   * @throws SallyportError ENDPOINT_NOT_ALLOWED, ENDPOINT_ADDRESS, SECRET_NOT_GRANTED, SECRET_UNAVAILABLE and the other codes of a
   * request, before anything is sent; TOOL_TIMEOUT, RESULT_TOO_LARGE and the like
   */
  async fetch(url: string, { method = 'GET', headers = {}, body }: SecretFetchOptions = {}): Promise<SecretAnswer> {
    const result = await this.#send({ method, url, headers: { ...headers }, body: body ?? null });
    if (result.kind === 'denied') throw new SallyportError(result.code, result.reason);
    return answerOf(result);
  }
}

/** A function that talks to an API with a secret that it never has. */
export interface SecretBackedTool extends Omit<Tool, 'execute' | 'paths' | 'runs' | 'secret' | 'server'> {
  /** A reference as docs/secrets.md writes them: `aws-ssm:/prod/stripe/api-key`, `vault:kv/ci#github`, `env:NAME`. */
  readonly secret: string;
  execute(args: JsonObject, secret: UsableSecret): Promise<ToolOutput | string>;
}

/**
 * A tool whose requests carry a secret. The keeper fetches the value for an admitted call, puts it where the rule of the tool says
 * (`secrets`, by destination), and takes it out of whatever comes back: neither the model nor the function reads it, and it goes to no
 * other host. Where the rule does not grant it, the request is refused with SECRET_NOT_GRANTED.
 *
 * @throws SallyportError SECRET_REFERENCE_INVALID when it is added to a gate
 * @example
 * const balance = secretBackedTool({
 *   name: 'stripe_balance',
 *   schema: { type: 'object', additionalProperties: false },
 *   secret: 'aws-ssm:/prod/stripe/api-key',
 *   execute: async (_args, secret) => (await secret.fetch('https://api.stripe.com/v1/balance')).text(),
 * });
 */
export function secretBackedTool({ execute, ...tool }: SecretBackedTool): Tool {
  return {
    effect: 'egress',
    ...tool,
    runs: 'in-process',
    execute: async (args: JsonObject, { send }: ToolContext) => {
      if (send === undefined) throw new SallyportError('INTERNAL', 'the gate opened no way out for this call');
      return execute(args, new UsableSecret(tool.secret, send));
    },
  };
}

function answerOf({ status, headers, body }: Extract<FetchResult, { kind: 'answered' }>): SecretAnswer {
  const text = (): string => {
    const decoded = decodeText(body);
    if (decoded !== null) return decoded.text;
    throw new SallyportError('RESULT_MALFORMED', `the body has ${body.length} bytes that are not text`);
  };
  return Object.freeze({ status, headers: new Map(headers), text, json: () => parseStrictJson(text()) });
}
