import { setTimeout as delay } from 'node:timers/promises';
import type { SecretReference, SecretScheme } from '../core/index.ts';
import { type Clock, isSallyportError, SallyportError, systemClock } from '../core/index.ts';
import { type CacheEntry, type Failed, SecretCache } from './cache.ts';
import { copySecret, disposeSecret, type SecretHandle, sealSecret } from './handle.ts';
import { DEFAULT_SECRET_LIMITS, type SecretLimits } from './limits.ts';
import { checkValue, failure, type ProvidedSecret, type SecretProvider } from './provider.ts';
import { ProviderGate, type Wait } from './provider-gate.ts';

export interface ResolverOptions {
  readonly providers: readonly SecretProvider[];
  readonly clock?: Clock;
  readonly limits?: Partial<SecretLimits>;
  /** How time passes, for tests. */
  readonly wait?: Wait;
}

/** A value, and whether its provider could not be asked whether it is still the one. */
export interface ResolvedSecret {
  /** The caller's own: disposing of it takes nothing from others. */
  readonly handle: SecretHandle;
  readonly version: string | null;
  readonly stale: boolean;
}

/** A fetch that runs, for everybody who waits for it. */
interface Flight {
  readonly result: Promise<CacheEntry>;
  readonly stop: AbortController;
  waiting: number;
}

/** Failures after which an older value may be used for a while: the provider did not say that it is wrong. */
const PASSING: ReadonlySet<string> = new Set([
  'SECRET_PROVIDER_UNAVAILABLE',
  'SECRET_PROVIDER_SEALED',
  'SECRET_THROTTLED',
]);

/**
 * Turns references into values: each is fetched once for all who ask at the same time, kept for a while, and fetched again
 * when it is old or was refused. What cannot be resolved is an error; nothing resolves to an empty value.
 */
export class SecretResolver {
  readonly #providers: ReadonlyMap<SecretScheme, { readonly provider: SecretProvider; readonly gate: ProviderGate }>;
  readonly #limits: SecretLimits;
  readonly #clock: Clock;
  readonly #wait: Wait;
  readonly #cache: SecretCache;
  readonly #flights = new Map<string, Flight>();
  /** Counts the fetches, so that a refusal can name the one that it is about. */
  #fetches = 0;
  #closed = false;

  constructor(options: ResolverOptions) {
    this.#limits = Object.freeze({ ...DEFAULT_SECRET_LIMITS, ...options.limits });
    this.#clock = options.clock ?? systemClock;
    this.#wait = options.wait ?? (async (ms, signal) => await delay(ms, undefined, { signal, ref: false }));
    this.#cache = new SecretCache(this.#limits, () => this.#now());
    this.#providers = new Map(
      options.providers.map((provider) => [provider.scheme, { provider, gate: this.#gateFor(provider) }]),
    );
  }

  /**
   * The value of a reference, fresh enough, or an error.
   * @throws SallyportError SECRET_PROVIDER_UNKNOWN and whatever a provider throws; the reason of `signal`
   */
  async resolve(reference: SecretReference, options: { readonly signal?: AbortSignal } = {}): Promise<ResolvedSecret> {
    options.signal?.throwIfAborted();
    if (this.#closed) throw failure('SECRET_PROVIDER_UNAVAILABLE', reference, 'the resolver was closed');
    const held = this.#cache.look(reference.text);
    if (held.kind === 'fresh') return this.#hand(reference, held.entry, false);
    if (held.kind === 'failed') return this.#afterFailure(reference, held.failed);
    try {
      return await this.#join(reference, options.signal);
    } catch (error) {
      options.signal?.throwIfAborted();
      const failed = this.#cache.failure(reference.text);
      if (failed === null || failed.error !== error) throw error;
      return this.#afterFailure(reference, failed);
    }
  }

  /**
   * Says that a value was refused where it was used (401): it is fetched anew, and never used stale. Refusals of a version that
   * was replaced meanwhile change nothing, so that many calls that fail together cost one fetch. False if it is too soon.
   */
  invalidate(reference: SecretReference, refused: ResolvedSecret): boolean {
    return this.#cache.invalidate(reference.text, refused.handle);
  }

  /** Forgets and wipes everything, stops what runs, and closes the providers. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const flight of this.#flights.values())
      flight.stop.abort(new SallyportError('SECRET_PROVIDER_UNAVAILABLE', 'the resolver was closed'));
    this.#cache.clear();
    for (const { provider } of this.#providers.values()) await provider.close?.();
  }

  #gateFor({ scheme }: SecretProvider): ProviderGate {
    const limits = PACED.has(scheme) ? this.#limits : { ...this.#limits, ratePerSecond: Number.POSITIVE_INFINITY };
    return new ProviderGate(limits, this.#clock, this.#wait);
  }

  #hand(reference: SecretReference, entry: CacheEntry, stale: boolean): ResolvedSecret {
    const handle = copySecret(entry.handle, reference.text, entry.version);
    this.#cache.remember(handle, entry);
    return Object.freeze({ handle, version: entry.version, stale });
  }

  /** An older value, where the failure is one that passes and the value is not too old; else the failure. */
  #afterFailure(reference: SecretReference, failed: Failed): ResolvedSecret {
    const older = this.#cache.stale(reference.text);
    if (older !== null && PASSING.has(failed.error.code)) return this.#hand(reference, older, true);
    throw failed.error;
  }

  /** Waits for the fetch that runs, or starts it; the last one to lose interest stops it. */
  async #join(reference: SecretReference, signal: AbortSignal | undefined): Promise<ResolvedSecret> {
    const flight = this.#flights.get(reference.text) ?? this.#start(reference);
    flight.waiting += 1;
    try {
      return this.#hand(reference, await raced(flight.result, signal), false);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) land(flight, signal?.reason);
    }
  }

  #start(reference: SecretReference): Flight {
    const stop = new AbortController();
    const result = this.#fetch(reference, stop).finally(() => {
      if (this.#flights.get(reference.text)?.stop === stop) this.#flights.delete(reference.text);
    });
    // Whoever waits gets the failure; when nobody does any more, it is nobody's.
    result.catch(() => undefined);
    const flight = { result, stop, waiting: 0 };
    this.#flights.set(reference.text, flight);
    stop.signal.addEventListener('abort', () => {
      if (this.#flights.get(reference.text) === flight) this.#flights.delete(reference.text);
    });
    return flight;
  }

  async #fetch(reference: SecretReference, stop: AbortController): Promise<CacheEntry> {
    try {
      const { value, version } = await this.#ask(reference, stop);
      const handle = sealSecret(reference.text, version, checkValue(value, reference));
      value.fill(0);
      this.#fetches += 1;
      const entry = { handle, version, since: this.#now(), fetch: this.#fetches };
      // The cache has a handle of its own: it may be full, and wipe it before those who wait here have theirs.
      this.#cache.keep(reference.text, { ...entry, handle: copySecret(handle, reference.text, version) });
      return entry;
    } catch (error) {
      if (isSallyportError(error) && !stop.signal.aborted)
        this.#cache.fail(reference.text, error, PASSING.has(error.code));
      throw error;
    }
  }

  async #ask(reference: SecretReference, stop: AbortController): Promise<ProvidedSecret> {
    const place = this.#providers.get(reference.scheme);
    if (place === undefined)
      throw failure('SECRET_PROVIDER_UNKNOWN', reference, `no provider ${reference.scheme} is configured`);
    const asked = place.gate.run(() => this.#askInTime(place.provider, reference, stop.signal), stop.signal);
    return await raced(asked, stop.signal).catch((error: unknown) => {
      // A provider that does not listen may answer all the same: nobody gets that value.
      wipeLater(asked);
      throw error;
    });
  }

  /** The time limit runs from when it is this fetch's turn. */
  async #askInTime(provider: SecretProvider, reference: SecretReference, signal: AbortSignal): Promise<ProvidedSecret> {
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const late = this.#wait(this.#limits.resolveMs, both).then(() => {
      throw failure('SECRET_PROVIDER_UNAVAILABLE', reference, `no value within ${this.#limits.resolveMs} ms`);
    });
    const asked = provider.resolve(reference, { signal: both });
    try {
      return await Promise.race([asked, late]);
    } catch (error) {
      wipeLater(asked);
      throw error;
    } finally {
      late.catch(() => undefined);
      over.abort();
    }
  }

  #now(): number {
    return this.#clock.mono() / 1_000;
  }
}

/** Ends a fetch that nobody waits for any more, whether it runs or is done. */
function land(flight: Flight, reason: unknown): void {
  flight.stop.abort(reason);
  flight.result.then(({ handle }) => disposeSecret(handle)).catch(() => undefined);
}

function wipeLater(asked: Promise<ProvidedSecret>): void {
  asked.then(({ value }) => value.fill(0)).catch(() => undefined);
}

/** Places that are asked over a network, and count what they are asked. */
const PACED: ReadonlySet<SecretScheme> = new Set(['aws-ssm', 'aws-secretsmanager', 'vault']);

/** The promise, or the reason of the signal, whichever comes first. */
async function raced<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  signal.throwIfAborted();
  let leave = (): void => undefined;
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
  });
  try {
    return await Promise.race([promise, left]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
