import { isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../../../core/index.ts';
import { callVault, type VaultAnswer, type VaultCall, VaultLineError, type VaultTransport } from './request.ts';

/** A failure of Vault, before it is known which reference it belongs to. */
export class VaultFailure extends Error {
  override readonly name = 'VaultFailure';
  readonly code:
    | 'SECRET_PROVIDER_UNAVAILABLE'
    | 'SECRET_PROVIDER_SEALED'
    | 'SECRET_THROTTLED'
    | 'SECRET_ACCESS_DENIED'
    | 'SECRET_MALFORMED';

  constructor(code: VaultFailure['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** One Vault or OpenBao under one or more addresses: what one node cannot answer, the next is asked. */
export class VaultServer {
  readonly #addresses: readonly URL[];
  readonly #transport: VaultTransport;

  /** @throws SallyportError SECRET_PROVIDER_CONFIG */
  constructor(addresses: readonly string[], transport: VaultTransport) {
    if (addresses.length === 0) throw invalid('expected an address');
    this.#addresses = addresses.map(readAddress);
    this.#transport = transport;
  }

  /**
   * An answer that is about what was asked: 200, 204, 403, 404 or 400. What is about the node (sealed, standby, broken) is
   * thrown, after every address was tried.
   * @throws VaultFailure
   */
  async call(call: VaultCall, signal: AbortSignal): Promise<VaultAnswer> {
    const failures: VaultFailure[] = [];
    for (const address of this.#addresses) {
      const result = await this.#callOne(address, call, signal);
      if (!(result instanceof VaultFailure)) return result;
      failures.push(result);
    }
    // A sealed node says more than one that could not be reached.
    const sealed = failures.find(({ code }) => code === 'SECRET_PROVIDER_SEALED');
    throw sealed ?? failures.at(-1) ?? new VaultFailure('SECRET_PROVIDER_UNAVAILABLE', 'no address');
  }

  async #callOne(address: URL, call: VaultCall, signal: AbortSignal): Promise<VaultAnswer | VaultFailure> {
    try {
      const answer = await callVault(address, call, { ...this.#transport, signal });
      return troubleOf(answer) ?? answer;
    } catch (error) {
      if (error instanceof VaultLineError) return new VaultFailure('SECRET_PROVIDER_UNAVAILABLE', error.message);
      throw error;
    }
  }
}

function troubleOf(answer: VaultAnswer): VaultFailure | null {
  const { status } = answer;
  if ([200, 204, 400, 403, 404].includes(status)) return null;
  const said = errorsOf(answer);
  if (/\bsealed\b/i.test(said)) return new VaultFailure('SECRET_PROVIDER_SEALED', 'the server is sealed');
  // 429 is a quota for most requests, and a standby node for some; 472 and 473 are standby nodes.
  if (status === 429 && !/standby/i.test(said))
    return new VaultFailure('SECRET_THROTTLED', 'the server wants fewer requests');
  if ([307, 308, 429, 472, 473].includes(status))
    return new VaultFailure('SECRET_PROVIDER_UNAVAILABLE', 'this node is on standby, and names no other');
  return new VaultFailure('SECRET_PROVIDER_UNAVAILABLE', `the server answered ${status}`);
}

/** What the server says went wrong: for decisions of ours, never for a message, since it can repeat what was sent. */
const errorsOf = (answer: VaultAnswer): string => {
  const errors = answer.body?.['errors'];
  return Array.isArray(errors) ? errors.filter((one) => typeof one === 'string').join('; ') : '';
};

/** An object inside an answer, or null. */
export const objectIn = (body: JsonObject | null, key: string): JsonObject | null => {
  const value: JsonValue | undefined = body?.[key];
  return isJsonObject(value) ? value : null;
};

function readAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const local = url !== null && ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
  const plain = url !== null && url.username === '' && url.password === '' && url.search === '' && url.pathname === '/';
  if (url !== null && plain && (url.protocol === 'https:' || (local && url.protocol === 'http:'))) return url;
  throw invalid('an address is https://HOST:PORT, or http on this machine');
}

const invalid = (why: string): SallyportError =>
  new SallyportError('SECRET_PROVIDER_CONFIG', `providers.vault: ${why}`);
