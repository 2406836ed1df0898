/** What one client may make the gateway hold or send. Times are milliseconds, sizes bytes of UTF-8. */
export interface ClientLimits {
  /** Questions of one session that may wait for the client's answer at the same time. */
  readonly questions: number;
  /** How long the client has for one round of questions, and how many rounds one request may take. */
  readonly questionMs: number;
  readonly questionRounds: number;
  /** The largest answer to a question. */
  readonly answerBytes: number;
  /** Requests of one stdio connection that may wait for their answer at the same time. */
  readonly pending: number;
  /** URIs that one session is told changes of, over all its streams. */
  readonly uris: number;
  /** Longest URI, name or cursor in a request, in UTF-16 code units. */
  readonly nameLength: number;
  /** Streams of `subscriptions/listen` that one caller may hold open. */
  readonly streams: number;
  /** What may wait in one stream for a client to read it. */
  readonly streamBytes: number;
  /** The largest progress or log message that is passed on. */
  readonly noticeBytes: number;
  /** Progress messages, and log messages, of one request: in all, their bytes, and within a second. */
  readonly noticesPerRequest: number;
  readonly noticeBytesPerRequest: number;
  readonly noticesPerSecond: number;
  /** At most one event of a kind, and of a URI, is told within this time. */
  readonly eventMs: number;
  /** At most one notification of a client is passed on within this time. */
  readonly tellMs: number;
  /** How often a silent stream shows that it lives. */
  readonly keepAliveMs: number;
  /** How often it is asked whether the credential of an open response is still valid. */
  readonly recheckMs: number;
}

export const DEFAULT_CLIENT_LIMITS: ClientLimits = Object.freeze({
  questions: 32,
  questionMs: 10 * 60_000,
  questionRounds: 8,
  answerBytes: 1_048_576,
  pending: 64,
  uris: 256,
  nameLength: 8_192,
  streams: 16,
  streamBytes: 1_048_576,
  noticeBytes: 65_536,
  noticesPerRequest: 1_000,
  noticeBytesPerRequest: 2_097_152,
  noticesPerSecond: 100,
  eventMs: 250,
  tellMs: 1_000,
  keepAliveMs: 15_000,
  recheckMs: 20_000,
});
