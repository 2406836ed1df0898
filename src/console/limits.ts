/** What anybody may make the console hold or do. Times are milliseconds, sizes bytes. */
export interface ConsoleLimits {
  /** Connections at the same time, and streams of events among them. */
  readonly connections: number;
  readonly streams: number;
  /** The longest request target, the headers, and the body. */
  readonly urlLength: number;
  readonly headerBytes: number;
  readonly bodyBytes: number;
  readonly bodyDepth: number;
  /** In which headers, and the whole request, must have arrived. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** Requests with the console's token: at once, and a second from then on. */
  readonly requests: { readonly burst: number; readonly perSecond: number };
  /** Wrong tokens that are looked up, to find out whose they are. */
  readonly wrongTokens: { readonly burst: number; readonly perSecond: number };
  /** Signed answers of webhooks that are verified at the same time. */
  readonly webhooks: number;
  /** What may wait in a stream for its reader, and how often a silent one shows that it lives. */
  readonly streamBytes: number;
  readonly keepAliveMs: number;
}

export const CONSOLE_LIMITS: ConsoleLimits = Object.freeze({
  connections: 128,
  streams: 8,
  urlLength: 512,
  headerBytes: 16_384,
  bodyBytes: 98_304,
  bodyDepth: 32,
  headersMs: 5_000,
  requestMs: 10_000,
  requests: { burst: 200, perSecond: 20 },
  wrongTokens: { burst: 30, perSecond: 1 },
  webhooks: 8,
  streamBytes: 65_536,
  keepAliveMs: 15_000,
});
