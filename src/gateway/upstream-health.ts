import { type ErrorCode, SallyportError } from '../core/index.ts';
import { backoffMs, STEADY_MS } from './upstream-backoff.ts';

/** How the connections to a server fare, since the gateway began. Times are milliseconds. */
export interface ServerHealth {
  /** Open now. */
  readonly connections: number;
  /** Connections that were opened, or tried. */
  readonly starts: number;
  readonly failures: number;
  readonly lastFailure: { readonly code: ErrorCode; readonly agoMs: number } | null;
  /** The most failures in a row of one of its connections. */
  readonly consecutiveFailures: number;
  /** Until the last of its connections is tried again; null when none waits. */
  readonly retryInMs: number | null;
  /** Bytes that its processes wrote to standard error. */
  readonly errorBytes: number;
}

/** What failed in a row, and when it is tried again. */
interface Trouble {
  count: number;
  error: SallyportError;
  retryAt: number;
}

interface Counters {
  starts: number;
  failures: number;
  errorBytes: number;
  last: { readonly code: ErrorCode; readonly at: number } | null;
}

/**
 * Decides when a server may be started again. A start that fails holds back everybody; a connection that breaks holds back its
 * own holder only, so that no one who crashes a server keeps others from it.
 */
export interface Restarts {
  /** @throws SallyportError while it is too early: with the code of the failure, or SERVER_UNAVAILABLE, and for how long */
  check(server: string, holder: string): void;
  started(server: string): void;
  /** A start succeeded: starts hold nobody back any more. */
  opened(server: string): void;
  /** Takes note of a failure; `livedMs` is null when there was no connection yet. */
  failed(
    server: string,
    holder: string,
    failure: { readonly error: SallyportError; readonly livedMs: number | null },
  ): void;
  /** Holds a server back from a holder for a time. */
  refuse(server: string, holder: string, error: SallyportError, forMs: number): void;
  wrote(server: string, errorBytes: number): void;
  /** Forgets what failed before: the server is another one now. */
  reset(server: string): void;
  /** `open`: how many connections there are now, and what their processes wrote so far. */
  health(server: string, open: Pick<ServerHealth, 'connections' | 'errorBytes'>): ServerHealth;
}

/** Holders whose failures are remembered. */
const MAX_TROUBLES = 1_000;

/** `now` gives milliseconds of a clock that never goes back, `random` numbers from 0 to 1. */
export function restarts(now: () => number, random: () => number = Math.random): Restarts {
  const troubles = new Map<string, Trouble>();
  const counters = new Map<string, Counters>();
  const keyOf = (server: string, holder: string | null): string => JSON.stringify([server, holder]);
  const countersOf = (server: string): Counters => {
    const known = counters.get(server) ?? { starts: 0, failures: 0, errorBytes: 0, last: null };
    counters.set(server, known);
    return known;
  };
  const isOld = (retryAt: number): boolean => retryAt + 2 * STEADY_MS < now();
  const put = (key: string, trouble: Trouble): void => {
    for (const [known, { retryAt }] of troubles) if (isOld(retryAt)) troubles.delete(known);
    troubles.delete(key);
    troubles.set(key, trouble);
    const oldest = troubles.keys().next().value;
    if (troubles.size > MAX_TROUBLES && oldest !== undefined) troubles.delete(oldest);
  };
  const ofServer = (server: string): [string, Trouble][] =>
    [...troubles].filter(([key]) => key.startsWith(`${JSON.stringify([server]).slice(0, -1)},`));
  return {
    check: (server, holder) => {
      for (const key of [keyOf(server, null), keyOf(server, holder)]) {
        const trouble = troubles.get(key);
        if (trouble !== undefined && trouble.retryAt > now()) throw heldBack(trouble, trouble.retryAt - now());
      }
    },
    started: (server) => {
      countersOf(server).starts += 1;
    },
    opened: (server) => {
      troubles.delete(keyOf(server, null));
    },
    failed: (server, holder, { error, livedMs }) => {
      const counted = countersOf(server);
      counted.failures += 1;
      counted.last = { code: error.code, at: now() };
      const key = keyOf(server, livedMs === null ? null : holder);
      const before = livedMs !== null && livedMs >= STEADY_MS ? 0 : (troubles.get(key)?.count ?? 0);
      // The first failure costs nothing: one crash is no reason to keep the next call waiting.
      const wait = before === 0 ? 0 : backoffMs(before, random());
      put(key, { count: before + 1, error, retryAt: now() + wait });
    },
    refuse: (server, holder, error, forMs) => {
      const count = (troubles.get(keyOf(server, holder))?.count ?? 0) + 1;
      put(keyOf(server, holder), { count, error, retryAt: now() + forMs });
    },
    wrote: (server, errorBytes) => {
      countersOf(server).errorBytes += errorBytes;
    },
    reset: (server) => {
      for (const [key] of ofServer(server)) troubles.delete(key);
    },
    health: (server, open) => {
      const { starts, failures, errorBytes, last } = countersOf(server);
      const held = ofServer(server)
        .map(([, trouble]) => trouble)
        .filter(({ retryAt }) => !isOld(retryAt));
      const retryAt = Math.max(0, ...held.map((trouble) => trouble.retryAt));
      return {
        ...{ starts, failures, connections: open.connections, errorBytes: errorBytes + open.errorBytes },
        lastFailure: last === null ? null : { code: last.code, agoMs: Math.round(now() - last.at) },
        consecutiveFailures: Math.max(0, ...held.map(({ count }) => count)),
        retryInMs: retryAt > now() ? Math.ceil(retryAt - now()) : null,
      };
    },
  };
}

/** Codes that tell more than that a server cannot be had. */
const TELLING: ReadonlySet<ErrorCode> = new Set(['SERVER_CHANGED', 'SERVER_DEFINITIONS', 'SERVER_RESTLESS']);

function heldBack({ error, count }: Trouble, leftMs: number): SallyportError {
  const code = TELLING.has(error.code) ? error.code : 'SERVER_UNAVAILABLE';
  const times = count === 1 ? '' : `, ${count} times in a row`;
  const text = `${error.message}${times}; it is tried again in ${Math.max(0.1, leftMs / 1_000).toFixed(1)} s`;
  return new SallyportError(code, text, { detail: { retryInMs: Math.ceil(leftMs) } });
}
