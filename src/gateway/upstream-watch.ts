import { type Client, type McpSubscription, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/client';
import { SallyportError } from '../core/index.ts';
import { backoffMs, STEADY_MS } from './upstream-backoff.ts';

/** Keeps a server telling of what changes. */
export interface Watch {
  /** Replaces the watched URIs. @throws ProtocolError when the server cannot tell, or will not; and as a request */
  set(uris: ReadonlySet<string>): Promise<void>;
  /** URIs that are watched now. */
  readonly uris: ReadonlySet<string>;
  /** False while a server of the stateless revision that could tell of changed lists does not. */
  hears(): boolean;
  stop(): Promise<void>;
}

/** URIs that one connection may watch. */
const MAX_WATCHED = 1_024;

/** What a watch needs of its connection. */
export interface WatchedConnection {
  readonly client: Client;
  readonly era: 'modern' | 'legacy';
  /** How long the server may take to confirm a stream. */
  readonly timeoutMs: number;
  readonly now: () => number;
  request(method: string, uri: string): Promise<unknown>;
  /** Called when a stream that broke is open again: what changed meanwhile was not told. */
  readonly onGap: () => void;
}

/** One watch of a connection; changes of the set run one after the other. */
export function watchOf(connection: WatchedConnection): Watch {
  const driver = connection.era === 'modern' ? streamOf(connection) : subscriptionsOf(connection);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = (act: () => Promise<void>): Promise<void> => {
    const done = last.then(act);
    last = done.catch(() => undefined); // its own caller hears of it
    return done;
  };
  return {
    set: (uris) => {
      const wanted = new Set(uris);
      const trouble = troubleOf(connection.client, wanted);
      return trouble === null ? inTurn(() => driver.set(wanted)) : Promise.reject(trouble);
    },
    get uris() {
      return driver.uris();
    },
    hears: driver.hears,
    stop: driver.stop,
  };
}

function troubleOf(client: Client, wanted: ReadonlySet<string>): Error | null {
  if (wanted.size > MAX_WATCHED) {
    return new SallyportError('INPUT_TOO_LARGE', `more than ${MAX_WATCHED} resources of one server are watched`);
  }
  if (wanted.size === 0 || client.getServerCapabilities()?.resources?.subscribe === true) return null;
  return new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
}

interface Driver {
  set(uris: ReadonlySet<string>): Promise<void>;
  uris(): ReadonlySet<string>;
  hears(): boolean;
  stop(): Promise<void>;
}

/** One subscription for each URI (revisions with sessions). */
function subscriptionsOf({ request }: WatchedConnection): Driver {
  const watched = new Set<string>();
  return {
    set: async (wanted) => {
      for (const uri of watched) {
        if (wanted.has(uri)) continue;
        watched.delete(uri);
        await request('resources/unsubscribe', uri);
      }
      for (const uri of wanted) {
        if (watched.has(uri)) continue;
        await request('resources/subscribe', uri);
        watched.add(uri);
      }
    },
    uris: () => watched,
    hears: () => true,
    stop: async () => undefined,
  };
}

/** One `subscriptions/listen` stream for everything (MCP 2026-07-28), opened again when it breaks. */
function streamOf({ client, timeoutMs, now, onGap }: WatchedConnection): Driver {
  const lists = listsOf(client);
  const state = {
    wanted: new Set<string>() as ReadonlySet<string>,
    stream: null as McpSubscription | null,
    timer: null as NodeJS.Timeout | null,
    failures: 0,
    openedAt: 0,
    isStopped: false,
  };
  const hasAny = (): boolean => state.wanted.size > 0 || Object.keys(lists).length > 0;
  const open = async (): Promise<void> => {
    const before = state.stream;
    if (!hasAny() || state.isStopped) return void (await before?.close());
    const uris = [...state.wanted];
    const filter = { ...lists, ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }) };
    const stream = await client.listen(filter, { timeout: timeoutMs });
    state.stream = stream;
    state.openedAt = now();
    // The new stream hears before the old one ends: nothing falls between the two.
    await before?.close();
    void stream.closed.then(() => state.stream === stream && again());
  };
  const again = (): void => {
    state.stream = null;
    if (state.isStopped || state.timer !== null) return;
    state.failures = now() - state.openedAt < STEADY_MS ? state.failures + 1 : 1;
    state.timer = setTimeout(() => {
      state.timer = null;
      open().then(() => {
        onGap();
      }, again);
    }, backoffMs(state.failures));
    state.timer.unref();
  };
  return {
    set: async (wanted) => {
      const before = state.wanted;
      state.wanted = wanted;
      try {
        await open();
      } catch (error) {
        state.wanted = before;
        throw error;
      }
    },
    uris: () => state.wanted,
    hears: () => Object.keys(lists).length === 0 || state.stream !== null,
    stop: async () => {
      state.isStopped = true;
      if (state.timer !== null) clearTimeout(state.timer);
      await state.stream?.close();
    },
  };
}

/** The lists whose changes the server says it can tell. */
function listsOf(client: Client): Record<string, true> {
  const { tools, prompts, resources } = client.getServerCapabilities() ?? {};
  return {
    ...(tools?.listChanged === true ? { toolsListChanged: true as const } : {}),
    ...(prompts?.listChanged === true ? { promptsListChanged: true as const } : {}),
    ...(resources?.listChanged === true ? { resourcesListChanged: true as const } : {}),
  };
}
