import { SallyportError } from '../core/index.ts';
import { definitionsDigest } from './definitions.ts';
import type { LockedServer } from './lock.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Compares what a server offers now with what was approved. One for each connection. */
export interface Comparison {
  /**
   * Resolves when the definitions are, as far as the server says, the approved ones.
   *
   * @throws SallyportError SERVER_CHANGED, SERVER_UNAVAILABLE (it never stops changing), and as `definitions`
   */
  whenDue(connection: UpstreamConnection, locked: LockedServer): Promise<void>;
}

export interface ComparisonOptions {
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  readonly server: string;
  /** Milliseconds between two comparisons that the server's own words bring about. */
  readonly spacingMs: number;
}

/** A server may change without a word: its definitions are compared again after this long. */
const FRESH_MS = 60_000;
/** What a server says of its resources is mostly of live data; their templates are compared this much later. */
const RESOURCES_MS = 10_000;
/** How far apart two comparisons are that the server's own words bring about. */
export const SPACING_MS = 1_000;
/** Comparisons that a server may bring about in a minute before it is refused for one. */
const MAX_PER_MINUTE = 30;
/** A server that keeps changing while it is compared is not used. */
const MAX_ROUNDS = 5;
/** How long a server is refused that never stops saying that it changes. */
export const RESTLESS_MS = 60_000;

interface Seen {
  digest: string;
  at: number;
  definitions: number;
  resources: number;
}

export function comparisonOf({ now, server, spacingMs }: ComparisonOptions): Comparison {
  const seen: Seen = { digest: '', at: Number.NEGATIVE_INFINITY, definitions: 0, resources: 0 };
  let again: number[] = [];
  let running: Promise<void> | null = null;
  const isDue = (connection: UpstreamConnection, locked: LockedServer): boolean => {
    const { definitions, resources } = connection.changes();
    const age = now() - seen.at;
    const resourcesDue = resources !== seen.resources && age >= RESOURCES_MS;
    return seen.digest !== locked.digest || definitions !== seen.definitions || resourcesDue || age >= FRESH_MS;
  };
  /** A comparison that the server brought about waits for its turn, and there are only so many. */
  const pace = async (connection: UpstreamConnection): Promise<void> => {
    if (seen.digest === '' || connection.changes().definitions === seen.definitions) return;
    const minuteAgo = now() - 60_000;
    again = again.filter((at) => at > minuteAgo);
    if (again.length >= MAX_PER_MINUTE) throw restless(server);
    const wait = (again.at(-1) ?? Number.NEGATIVE_INFINITY) + spacingMs - now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    again.push(now());
  };
  const compare = async (connection: UpstreamConnection): Promise<void> => {
    await pace(connection);
    // Counted before the question: a change that is told while the answer is on its way is compared again.
    const changes = connection.changes();
    const digest = definitionsDigest(await connection.definitions());
    Object.assign(seen, changes, { digest, at: now() });
  };
  return {
    whenDue: async (connection, locked) => {
      for (let round = 0; round < MAX_ROUNDS; round++) {
        if (!isDue(connection, locked)) return;
        running ??= compare(connection).finally(() => {
          running = null;
        });
        await running;
        if (seen.digest !== locked.digest) throw changed(server);
      }
      // INVARIANT: nothing goes to a server whose definitions are not, as far as it says, the approved ones.
      if (isDue(connection, locked)) throw changed(server);
    },
  };
}

const changed = (server: string): SallyportError =>
  new SallyportError('SERVER_CHANGED', `the definitions of the server "${server}" are not those that were approved`);

const restless = (server: string): SallyportError =>
  new SallyportError(
    'SERVER_RESTLESS',
    `the server "${server}" said more than ${MAX_PER_MINUTE} times in a minute that its definitions change`,
  );
