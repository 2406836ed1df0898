import { type Limits, SallyportError } from '../core/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { definitionsDigest } from './definitions.ts';
import type { LockedServer } from './lock.ts';
import { connectUpstream, type UpstreamConnection } from './upstream-connection.ts';

export interface PoolOptions {
  readonly root: string;
  readonly version: string;
  readonly limits: Limits;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Connections that may be open at the same time. */
  readonly maxConnections?: number;
}

/**
 * Connections to servers, one for each server and holder (so that no principal works on another's state), opened with the
 * first call, opened again after a crash, and used only while the server's definitions are the approved ones.
 */
export interface UpstreamPool {
  /**
   * Runs `use` on a connection whose definitions were compared with `locked`.
   *
   * @throws SallyportError SERVER_UNAVAILABLE, SERVER_CHANGED, SERVER_DEFINITIONS, and what `use` throws
   */
  with<T>(server: ApprovedServer, holder: string, use: (connection: UpstreamConnection) => Promise<T>): Promise<T>;
  /** Ends the connections of one server. */
  drop(server: string): Promise<void>;
  close(): Promise<void>;
}

/** A server of the policy with what was approved of it. */
export interface ApprovedServer {
  readonly rule: ServerRule;
  readonly locked: LockedServer;
}

interface Slot {
  readonly server: string;
  opening: Promise<UpstreamConnection>;
  connection: UpstreamConnection | null;
  comparing: Promise<void> | null;
  comparedAt: number;
  /** How many changes the server had told of when it was compared. */
  comparedChanges: number;
  comparedWith: string;
  users: number;
  lastUse: number;
}

/** A remote server may change without a word: its definitions are compared again after this long. */
const REMOTE_FRESH_MS = 60_000;
/** A server that keeps changing while it is compared is not used. */
const MAX_COMPARISONS = 5;
const END_MS = 5_000;
const DEFAULT_MAX_CONNECTIONS = 128;

export function upstreamPool(options: PoolOptions): UpstreamPool {
  const slots = new Map<string, Slot>();
  let isClosed = false;
  return {
    with: async (server, holder, use) => {
      if (isClosed) throw new SallyportError('SERVER_UNAVAILABLE', 'the gateway is closing');
      const key = `${server.rule.name}\n${holder}`;
      const slot = slotOf(options, slots, key, server);
      slot.users += 1;
      try {
        const connection = await slot.opening;
        await compareWhenDue(options, slot, connection, server);
        return await use(connection);
      } catch (error) {
        // A connection that could not be used is not kept: the next call starts the server again.
        if (slot.connection === null || !slot.connection.isOpen()) forget(slots, key, slot);
        throw error;
      } finally {
        slot.users -= 1;
        slot.lastUse = options.now();
      }
    },
    drop: async (server) => {
      await Promise.all(
        [...slots].filter(([, slot]) => slot.server === server).map(([key, slot]) => end(slots, key, slot)),
      );
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...slots].map(([key, slot]) => end(slots, key, slot)));
    },
  };
}

function slotOf(options: PoolOptions, slots: Map<string, Slot>, key: string, server: ApprovedServer): Slot {
  const known = slots.get(key);
  if (known !== undefined && (known.connection === null || known.connection.isOpen())) return known;
  if (known !== undefined) forget(slots, key, known);
  makeRoom(options, slots);
  const { root, version, limits } = options;
  const opening = connectUpstream(server.rule, { root, version, limits, knownProtocol: server.locked.protocol });
  const slot: Slot = {
    ...{ server: server.rule.name, opening, connection: null, comparing: null },
    ...{ comparedAt: 0, comparedChanges: 0, comparedWith: '', users: 0, lastUse: options.now() },
  };
  opening.then(
    (connection) => {
      slot.connection = connection;
    },
    () => forget(slots, key, slot),
  );
  slots.set(key, slot);
  return slot;
}

/** Ends the longest unused connection when there are too many. @throws SallyportError SERVER_UNAVAILABLE */
function makeRoom({ maxConnections = DEFAULT_MAX_CONNECTIONS }: PoolOptions, slots: Map<string, Slot>): void {
  if (slots.size < maxConnections) return;
  const unused = [...slots].filter(([, slot]) => slot.users === 0).sort(([, a], [, b]) => a.lastUse - b.lastUse)[0];
  if (unused === undefined)
    throw new SallyportError('SERVER_UNAVAILABLE', 'too many connections to servers are in use');
  void end(slots, unused[0], unused[1]);
}

/** Compares what the server offers now with what was approved: at first, when it says so, and for remote ones in time. */
async function compareWhenDue(
  options: PoolOptions,
  slot: Slot,
  connection: UpstreamConnection,
  { rule, locked }: ApprovedServer,
): Promise<void> {
  for (let round = 0; round < MAX_COMPARISONS; round++) {
    const isRecent = rule.command !== null || options.now() - slot.comparedAt < REMOTE_FRESH_MS;
    const sawAll = slot.comparedChanges === connection.toolsChanges();
    if (isRecent && sawAll && slot.comparedWith === locked.digest) return;
    slot.comparing ??= compare(options, slot, connection, locked).finally(() => {
      slot.comparing = null;
    });
    await slot.comparing;
    if (slot.comparedWith !== locked.digest) break;
  }
  // INVARIANT: nothing goes to a server whose definitions are not, as far as it says, the approved ones.
  throw changedError(rule.name);
}

async function compare(
  options: PoolOptions,
  slot: Slot,
  connection: UpstreamConnection,
  locked: LockedServer,
): Promise<void> {
  // Counted before the question: a change that is told while the answer is on its way is compared again.
  const changes = connection.toolsChanges();
  const digest = definitionsDigest(await connection.definitions());
  slot.comparedWith = digest;
  slot.comparedChanges = changes;
  slot.comparedAt = options.now();
  if (digest !== locked.digest) await connection.close();
}

const changedError = (server: string): SallyportError =>
  new SallyportError('SERVER_CHANGED', `the definitions of the server "${server}" are not those that were approved`);

function forget(slots: Map<string, Slot>, key: string, slot: Slot): void {
  if (slots.get(key) === slot) slots.delete(key);
}

/** Ends a connection, and one that is still being opened as soon as it is; waits for neither longer than a stop takes. */
async function end(slots: Map<string, Slot>, key: string, slot: Slot): Promise<void> {
  forget(slots, key, slot);
  const ended = slot.opening.then(
    (connection) => connection.close(),
    () => undefined,
  );
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
}
