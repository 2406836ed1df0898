/** The named limits of this room. Sizes are bytes unless the name says otherwise; times are milliseconds. */
export interface SecretLimits {
  /** One value, as a provider gives it. */
  readonly valueBytes: number;
  /** One answer of a server, and how deep its JSON may be. */
  readonly answerBytes: number;
  readonly answerDepth: number;
  /** How long one value may take to fetch, logins included. */
  readonly resolveMs: number;
  /** One request to a server, one command. */
  readonly requestMs: number;
  /** How long a value is used before it is fetched again. */
  readonly ttlMs: number;
  /** How much longer it is used while its provider cannot answer. */
  readonly staleMs: number;
  /** How long "there is none" and "you may not" are believed. */
  readonly negativeMs: number;
  /** First and longest pause after a provider that cannot answer. */
  readonly backoffMs: number;
  readonly backoffMaxMs: number;
  /** Values that are kept at once. */
  readonly cacheEntries: number;
  /** For each provider: fetches at once, fetches a second, fetches that wait. */
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly queue: number;
  /** Versions of one name that a keystore keeps, and names in it. */
  readonly keystoreVersions: number;
  readonly keystoreNames: number;
  readonly keystoreBytes: number;
}

export const DEFAULT_SECRET_LIMITS: SecretLimits = Object.freeze({
  valueBytes: 65_536,
  answerBytes: 1_048_576,
  answerDepth: 32,
  resolveMs: 15_000,
  requestMs: 5_000,
  ttlMs: 300_000,
  staleMs: 600_000,
  negativeMs: 10_000,
  backoffMs: 1_000,
  backoffMaxMs: 30_000,
  cacheEntries: 10_000,
  concurrency: 8,
  ratePerSecond: 40,
  queue: 4_096,
  keystoreVersions: 5,
  keystoreNames: 1_000,
  keystoreBytes: 8_388_608,
});
