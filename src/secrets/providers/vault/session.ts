import type { Clock } from '../../../core/index.ts';
import { DEFAULT_SECRET_LIMITS } from '../../limits.ts';
import { logIn, renew, type VaultAuth, type VaultToken } from './login.ts';
import { VaultFailure, type VaultServer } from './server.ts';

interface SessionOptions {
  readonly server: VaultServer;
  readonly auth: VaultAuth;
  readonly namespace: string | null;
  readonly clock: Clock;
}

/** How long a refused token is not replaced again, so that a secret that may not be read costs no stream of logins. */
const RELOGIN_MS = 30_000;

/** The keeper's token: got by one login at a time, renewed after two thirds of its life, replaced when it was refused. */
export class VaultSession {
  readonly #options: SessionOptions;
  #held: { readonly token: VaultToken; readonly since: number } | null = null;
  #getting: Promise<VaultToken> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** A token that is not near its end. @throws VaultFailure */
  async token(): Promise<string> {
    if (this.#held !== null && !this.#isDue(this.#held)) return this.#held.token.token;
    // One for all who wait: the flight has its own time limit, not that of whoever came first.
    this.#getting ??= this.#get(AbortSignal.timeout(DEFAULT_SECRET_LIMITS.resolveMs)).finally(() => {
      this.#getting = null;
    });
    return (await this.#getting).token;
  }

  /** Says that this token was refused. True if asking for another one can help. */
  refused(token: string): boolean {
    if (this.#held === null || this.#held.token.token !== token) return true;
    const age = this.#options.clock.mono() / 1_000 - this.#held.since;
    if (age < RELOGIN_MS) return false;
    this.#held = null;
    return true;
  }

  /** Revokes a token that a login of ours made. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const held = this.#held;
    this.#held = null;
    if (held === null || !held.token.ours) return;
    const { server, namespace } = this.#options;
    const signal = AbortSignal.timeout(DEFAULT_SECRET_LIMITS.requestMs);
    const call = {
      method: 'POST',
      path: 'auth/token/revoke-self',
      token: held.token.token,
      namespace,
      body: {},
    } as const;
    await server.call(call, signal).catch((error: unknown) => {
      // It ends by itself soon: a server that is away must not keep the keeper from stopping.
      if (!(error instanceof VaultFailure)) throw error;
    });
  }

  async #get(signal: AbortSignal): Promise<VaultToken> {
    const token = (await this.#renewed(signal)) ?? (await logIn({ ...this.#options, signal }));
    if (this.#closed) throw new VaultFailure('SECRET_PROVIDER_UNAVAILABLE', 'the provider was closed');
    this.#held = { token, since: this.#options.clock.mono() / 1_000 };
    this.#renewInTime(token);
    return token;
  }

  /** Null when there is nothing to renew, or it failed: the login that follows says whether the server is at fault. */
  async #renewed(signal: AbortSignal): Promise<VaultToken | null> {
    if (this.#held?.token.renewable !== true) return null;
    try {
      return await renew({ ...this.#options, signal }, this.#held.token);
    } catch (error) {
      if (error instanceof VaultFailure) return null;
      throw error;
    }
  }

  #isDue(held: { token: VaultToken; since: number }): boolean {
    const { lastsMs } = held.token;
    return lastsMs !== null && this.#options.clock.mono() / 1_000 >= held.since + dueAfter(lastsMs);
  }

  /** A token that is not used must not end either: one that was given to us cannot be had again. */
  #renewInTime({ lastsMs, renewable }: VaultToken): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (lastsMs === null || !renewable) return;
    this.#timer = setTimeout(
      () => {
        // What fails here is tried again, and told, when a secret is asked for.
        this.token().catch(() => undefined);
      },
      Math.min(dueAfter(lastsMs) + 1, 2 ** 31 - 1),
    );
    this.#timer.unref();
  }
}

const dueAfter = (lastsMs: number): number => (lastsMs * 2) / 3;
