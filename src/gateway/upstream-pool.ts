import { isSallyportError, type Limits, SallyportError } from '../core/index.ts';
import type { SandboxProcess } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ApprovedServer, UpstreamEvent } from './approved-server.ts';
import { ownerOf } from './caller.ts';
import type { LockedServer } from './lock.ts';
import { type Comparison, comparisonOf, RESTLESS_MS, SPACING_MS } from './upstream-comparison.ts';
import { connectUpstream, type UpstreamConnection } from './upstream-connection.ts';
import { type Restarts, restarts, type ServerHealth } from './upstream-health.ts';
import { type Rewatch, rewatching } from './upstream-rewatch.ts';

export interface PoolOptions {
  /** Starts the program of a server that is spawned. */
  readonly start: (rule: ServerRule) => Promise<SandboxProcess>;
  readonly version: string;
  readonly limits: Limits;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
  /** Connections that may be open at the same time, a quarter of them of one principal. */
  readonly maxConnections?: number;
  /** Milliseconds after which a connection that nobody uses is closed. */
  readonly idleMs?: number;
  /** Milliseconds between two comparisons that a server's own words bring about; a second if absent. */
  readonly spacingMs?: number;
  readonly onEvent: (event: UpstreamEvent) => void;
  /** Called after each failure of a server. */
  readonly onFailure?: (server: string) => void;
}

/**
 * Connections to servers, one for each server and holder (so that no principal works on another's state), opened with the
 * first call, opened again after a crash, and used only while the server's definitions are the approved ones.
 */
export interface UpstreamPool {
  /**
   * Runs `use` on a connection whose definitions were compared with `locked`.
   *
   * @throws SallyportError SERVER_UNAVAILABLE, SERVER_CHANGED, SERVER_DEFINITIONS, SERVER_RESTLESS, and what `use` throws
   */
  with<T>(server: ApprovedServer, holder: string, use: (connection: UpstreamConnection) => Promise<T>): Promise<T>;
  /** Ends the connections of one server, and forgets its failures. */
  drop(server: string): Promise<void>;
  /** Ends the connections of one holder. */
  release(holder: string): Promise<void>;
  health(server: string): ServerHealth;
  close(): Promise<void>;
}

interface Slot {
  readonly key: string;
  readonly approved: ApprovedServer;
  readonly server: string;
  readonly holder: string;
  readonly opening: Promise<UpstreamConnection>;
  readonly comparison: Comparison;
  connection: UpstreamConnection | null;
  users: number;
  lastUse: number;
  idle: NodeJS.Timeout | null;
}

interface Pool {
  readonly options: PoolOptions;
  readonly slots: Map<string, Slot>;
  readonly restarts: Restarts;
  readonly rewatch: Rewatch;
}

const END_MS = 5_000;
const DEFAULT_MAX_CONNECTIONS = 128;
/** Part of the connections that one principal may have. */
const MAX_SHARE = 0.25;
const DEFAULT_IDLE_MS = 600_000;

export function upstreamPool(options: PoolOptions): UpstreamPool {
  let isClosed = false;
  const use: UpstreamPool['with'] = async (server, holder, act) => {
    if (isClosed) throw new SallyportError('SERVER_UNAVAILABLE', 'the gateway is closing');
    return useSlot(pool, slotOf(pool, server, holder), server, act);
  };
  const rewatch = rewatching(use, options.onEvent);
  const pool: Pool = { options, slots: new Map(), restarts: restarts(options.now, options.onFailure), rewatch };
  const endAll = async (which: (server: string, holder: string) => boolean): Promise<void> => {
    rewatch.stop(which);
    const found = [...pool.slots.values()].filter((slot) => which(slot.server, slot.holder));
    await Promise.all(found.map((slot) => end(pool, slot)));
  };
  return {
    with: use,
    drop: (server) => {
      pool.restarts.reset(server);
      return endAll((name) => name === server);
    },
    release: (holder) => endAll((_, name) => name === holder),
    health: (server) => {
      const open = [...pool.slots.values()].filter((slot) => slot.server === server && slot.connection !== null);
      const errorBytes = open.reduce((sum, { connection }) => sum + (connection?.errorBytes() ?? 0), 0);
      return pool.restarts.health(server, { connections: open.length, errorBytes });
    },
    close: () => {
      isClosed = true;
      return endAll(() => true);
    },
  };
}

async function useSlot<T>(
  pool: Pool,
  slot: Slot,
  { locked }: ApprovedServer,
  use: (connection: UpstreamConnection) => Promise<T>,
): Promise<T> {
  slot.users += 1;
  if (slot.idle !== null) clearTimeout(slot.idle);
  try {
    const connection = await slot.opening;
    await compared(pool, slot, connection, locked);
    return await use(connection);
  } finally {
    slot.users -= 1;
    slot.lastUse = pool.options.now();
    if (slot.users === 0 && pool.slots.get(slot.key) === slot) endWhenIdle(pool, slot);
  }
}

async function compared(pool: Pool, slot: Slot, connection: UpstreamConnection, locked: LockedServer): Promise<void> {
  try {
    await slot.comparison.whenDue(connection, locked);
  } catch (error) {
    if (!isSallyportError(error) || !connection.isOpen()) throw error;
    // A server that cannot be used is not kept: it is started again when its time has come.
    const { restarts: known } = pool;
    if (error.code === 'SERVER_RESTLESS') known.refuse(slot.server, slot.holder, error, RESTLESS_MS);
    else known.failed(slot.server, slot.holder, { error, livedMs: 0 });
    forget(pool, slot);
    await connection.close();
    throw error;
  }
}

function slotOf(pool: Pool, server: ApprovedServer, holder: string): Slot {
  const key = JSON.stringify([server.rule.name, holder]);
  const known = pool.slots.get(key);
  if (known !== undefined && (known.connection === null || known.connection.isOpen())) return known;
  if (known !== undefined) forget(pool, known);
  pool.restarts.check(server.rule.name, holder);
  makeRoom(pool, ownerOf(holder));
  return openSlot(pool, key, server, holder);
}

function openSlot(pool: Pool, key: string, approved: ApprovedServer, holder: string): Slot {
  const { rule, locked } = approved;
  const { now, limits, version, start, spacingMs = SPACING_MS } = pool.options;
  pool.restarts.started(rule.name);
  const opening = connectUpstream(rule, { start, version, limits, knownProtocol: locked.protocol });
  const slot: Slot = {
    ...{
      key,
      approved,
      server: rule.name,
      holder,
      opening,
      comparison: comparisonOf({ now, server: rule.name, spacingMs }),
    },
    ...{ connection: null, users: 0, lastUse: now(), idle: null },
  };
  opening.then(
    (connection) => follow(pool, slot, connection),
    (error: unknown) => {
      forget(pool, slot);
      if (isSallyportError(error)) pool.restarts.failed(rule.name, holder, { error, livedMs: null });
    },
  );
  pool.slots.set(key, slot);
  return slot;
}

/** Hands on what a server says, and takes note of how its connection ends. */
function follow(pool: Pool, slot: Slot, connection: UpstreamConnection): void {
  const { server, holder } = slot;
  const openedAt = pool.options.now();
  slot.connection = connection;
  pool.restarts.opened(server);
  connection.onNotification((method, params) => pool.options.onEvent({ server, holder, method, params }));
  void connection.over.then((error) => {
    forget(pool, slot);
    pool.restarts.wrote(server, connection.errorBytes());
    if (error === null) return;
    pool.restarts.failed(server, holder, { error, livedMs: pool.options.now() - openedAt });
    const watched = connection.watched();
    if (watched.size > 0) pool.rewatch.begin(slot.approved, holder, new Set(watched));
  });
}

function endWhenIdle(pool: Pool, slot: Slot): void {
  const idleMs = pool.options.idleMs ?? DEFAULT_IDLE_MS;
  slot.idle = setTimeout(() => {
    // What is watched is in use, although nobody calls.
    if (slot.users > 0) return;
    if ((slot.connection?.watched().size ?? 0) > 0) endWhenIdle(pool, slot);
    else void end(pool, slot);
  }, idleMs).unref();
}

/**
 * Makes room for one more connection of `owner`. Whoever has its share gives up one of its own; when all are in use, whoever
 * has most does: the longest unused one, or else the one whose question has waited longest for its answer, with its call.
 *
 * @throws SallyportError SERVER_UNAVAILABLE
 */
function makeRoom(pool: Pool, owner: string): void {
  const max = pool.options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const all = [...pool.slots.values()];
  const own = all.filter((slot) => ownerOf(slot.holder) === owner);
  const isGreedy = own.length >= Math.max(1, Math.floor(max * MAX_SHARE));
  if (!isGreedy && all.length < max) return;
  const victim = isGreedy ? (longestUnused(own) ?? longestParked(own)) : (longestUnused(all) ?? parkedOfMost(all));
  if (victim === undefined)
    throw new SallyportError('SERVER_UNAVAILABLE', 'too many connections to servers are in use');
  void end(pool, victim);
}

/** One that watches resources goes last: its session would not hear of them any more. */
const longestUnused = (slots: readonly Slot[]): Slot | undefined =>
  slots
    .filter(({ users }) => users === 0)
    .sort((a, b) => Number(isWatching(a)) - Number(isWatching(b)) || a.lastUse - b.lastUse)[0];

const isWatching = ({ connection }: Slot): boolean => (connection?.watched().size ?? 0) > 0;

const waitsSince = ({ connection }: Slot): number => connection?.waitsSince() ?? Number.POSITIVE_INFINITY;

const longestParked = (slots: readonly Slot[]): Slot | undefined =>
  slots.filter((slot) => waitsSince(slot) < Number.POSITIVE_INFINITY).sort((a, b) => waitsSince(a) - waitsSince(b))[0];

/** Of whoever has most connections, among those who wait for an answer at all. */
function parkedOfMost(slots: readonly Slot[]): Slot | undefined {
  const byOwner = new Map<string, Slot[]>();
  for (const slot of slots) {
    const owner = ownerOf(slot.holder);
    byOwner.set(owner, [...(byOwner.get(owner) ?? []), slot]);
  }
  const parked = [...byOwner.values()].sort((a, b) => b.length - a.length).map(longestParked);
  return parked.find((slot) => slot !== undefined);
}

function forget({ slots }: Pool, slot: Slot): void {
  if (slot.idle !== null) clearTimeout(slot.idle);
  if (slots.get(slot.key) === slot) slots.delete(slot.key);
}

/** Ends a connection, and one that is still being opened as soon as it is; waits for neither longer than a stop takes. */
async function end(pool: Pool, slot: Slot): Promise<void> {
  forget(pool, slot);
  const ended = slot.opening.then(
    (connection) => connection.close(),
    () => undefined,
  );
  await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, END_MS).unref())]);
}
