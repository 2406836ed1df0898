import { statSync } from 'node:fs';
import {
  canonicalJson,
  DEFAULT_LIMITS,
  type ErrorCode,
  isSallyportError,
  type Limits,
  SallyportError,
} from '../core/index.ts';
import type { Gate } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import type { ApprovedServer, UpstreamEvent } from './approved-server.ts';
import type { RefusedTool } from './definitions.ts';
import { laneHolders } from './lanes.ts';
import { type Lock, type LockedServer, NO_LOCK, readLock, sourceDigest } from './lock.ts';
import { openPackages } from './packages.ts';
import { type ServerCaller, serverCaller, type UseServer } from './server-caller.ts';
import { reviewServer } from './server-review.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { ServerHealth } from './upstream-health.ts';
import { type UpstreamPool, upstreamPool } from './upstream-pool.ts';
import { registerTool } from './upstream-tools.ts';

export interface UpstreamsOptions {
  /** `servers:` of the policy. */
  readonly servers: ReadonlyMap<string, ServerRule>;
  readonly lockPath: string;
  /** The policy's root: what relative arguments of a server are read against. */
  readonly root: string;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
  /** Where servers that are packages were installed; `$XDG_DATA_HOME/sallyport/servers` if absent. */
  readonly serversFolder?: string;
  /** Milliseconds after which a connection that nobody uses is closed; 10 minutes if absent. */
  readonly idleMs?: number;
}

/** How a server of the policy stands. */
export interface ServerStatus {
  readonly name: string;
  /** `changed`: the policy starts or reaches it in another way than the one that was approved. */
  readonly state: 'approved' | 'unapproved' | 'changed';
  /** Names, in policies, of the tools that can be offered. */
  readonly tools: readonly string[];
  /** Tools that cannot, and why. The reasons quote the server: escape them for a terminal. */
  readonly refused: readonly RefusedTool[];
  /** What the operator should know of the tools that can; as `refused`. */
  readonly warnings: readonly string[];
  readonly health: ServerHealth;
}

/** The MCP servers behind a gate. */
export interface Upstreams {
  /** Registers the approved tools at the gate. Once, before the first session. @throws SallyportError LOCK_INVALID */
  attach(gate: Gate): Promise<void>;
  /** Takes over a lock that changed. One that cannot be read takes every tool of a server away. Never throws. */
  refresh(): Promise<void>;
  /**
   * Takes over `servers:` of a policy that was loaded anew, after the gate has it. What is gone or is reached in another way
   * loses its tools and its connections, also those in use, before this resolves.
   */
  setServers(servers: ReadonlyMap<string, ServerRule>, root?: string): Promise<void>;
  /** Why a tool that a policy names is not there; for `openGate({ missing })`. */
  missing(tool: string): { readonly code: ErrorCode; readonly reason: string } | null;
  /** The servers that may be used now. An entry is good as long as `approved()` holds the same object. */
  approved(): readonly ApprovedServer[];
  /**
   * Runs `use` on the connection that `holder` has to an approved server; it is opened if need be, and its definitions were
   * compared with those that were approved.
   *
   * @throws SallyportError SERVER_CHANGED, SERVER_UNAVAILABLE, SERVER_DEFINITIONS, SERVER_RESTLESS, and what `use` throws
   */
  with<T>(server: ApprovedServer, holder: string, use: (connection: UpstreamConnection) => Promise<T>): Promise<T>;
  /** Sends requests to the servers, also those that ask before they answer. */
  readonly caller: ServerCaller;
  /** Ends the connections of one holder, those of its lanes included. */
  release(holder: string): Promise<void>;
  /** Calls `listener` for what servers say without being asked, on any open connection; the result ends it. */
  onEvent(listener: (event: UpstreamEvent) => void): () => void;
  /** Calls `listener` after each failure of a server; the result ends it. */
  onFailure(listener: (server: string, health: ServerHealth) => void): () => void;
  status(): readonly ServerStatus[];
  /** Ends every connection and every server process. */
  close(): Promise<void>;
}

type Standing = Omit<ServerStatus, 'health'>;

interface State {
  gate: Gate | null;
  servers: ReadonlyMap<string, ServerRule>;
  root: string;
  /** Size, time and inode of the lock that was read; null before the first time. */
  stamp: string | null;
  lockTrouble: SallyportError | null;
  lock: Lock;
  /** An entry stays the same object as long as nothing of it changed: calls tell by it whether they may go on. */
  approved: ReadonlyMap<string, ApprovedServer>;
  standings: ReadonlyMap<string, Standing>;
  /** Readings of the lock and changes of the servers, one after the other. */
  turn: Promise<void> | null;
}

/** Opens the servers of a policy, lazily: a server starts with the first call that needs it. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const listeners = new Set<(event: UpstreamEvent) => void>();
  const failureListeners = new Set<(server: string, health: ServerHealth) => void>();
  const state: State = {
    ...{ gate: null, servers: options.servers, root: options.root, stamp: null, lockTrouble: null },
    ...{ lock: NO_LOCK, approved: new Map(), standings: new Map(), turn: null },
  };
  const packages = openPackages(options.serversFolder);
  const pool = upstreamPool({
    ...{ version: options.version ?? '0.0.0', limits: { ...DEFAULT_LIMITS, ...options.limits } },
    start: async (rule) => {
      if (state.gate === null) throw new SallyportError('SERVER_UNAVAILABLE', 'the gate is not open yet');
      return state.gate.startServer(await packages.startable(rule, state.lock, state.gate));
    },
    now: () => performance.now(),
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
    onEvent: (event) => {
      for (const listener of [...listeners]) listener(event);
    },
    onFailure: (server) => {
      for (const listener of [...failureListeners]) listener(server, pool.health(server));
    },
  });
  const refresh = (): Promise<void> => {
    state.turn ??= reload(registration, state).finally(() => {
      state.turn = null;
    });
    return state.turn;
  };
  const use: UseServer = async (server, holder, act) => {
    await refresh(); // an approval that was taken back, or given anew, counts from the next call on
    if (state.approved.get(server.rule.name) !== server) throw notAnyMore(server.rule.name);
    return pool.with(server, holder, act);
  };
  const caller = serverCaller(use);
  const registration: Registration = { lockPath: options.lockPath, pool, caller };
  const setServers = async (servers: ReadonlyMap<string, ServerRule>, root = state.root): Promise<void> => {
    await state.turn;
    const isMoved = root !== state.root;
    Object.assign(state, { servers, root });
    await register(registration, state, state.lock, isMoved);
  };
  let stopFollowing = (): void => undefined;
  return {
    attach: async (gate) => {
      state.gate = gate;
      stopFollowing = gate.onPolicyChanged(() => {
        setServers(gate.servers(), gate.root).catch((cause: unknown) => {
          // What cannot be taken over is not used at all; the next change, or a lock that is written anew, tries again.
          state.lockTrouble = new SallyportError('INTERNAL', 'the servers of the policy could not be taken over', {
            cause,
          });
          state.approved = new Map();
        });
      });
      await refresh();
      if (state.lockTrouble !== null) throw state.lockTrouble;
    },
    refresh,
    setServers,
    missing: (tool) => whyMissing(state, tool),
    approved: () => [...state.approved.values()],
    with: use,
    caller,
    release: async (holder) => void (await Promise.all(laneHolders(holder).map(pool.release))),
    onEvent: (listener) => listening(listeners, listener),
    onFailure: (listener) => listening(failureListeners, listener),
    status: () =>
      [...state.standings.values()].map((standing) => ({ ...standing, health: pool.health(standing.name) })),
    close: () => {
      stopFollowing();
      return pool.close();
    },
  };
}

function listening<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

const notAnyMore = (server: string): SallyportError =>
  new SallyportError('SERVER_CHANGED', `the approval of the server "${server}" changed: call again`);

interface Registration {
  readonly lockPath: string;
  readonly pool: UpstreamPool;
  readonly caller: ServerCaller;
}

async function reload(registration: Registration, state: State): Promise<void> {
  const stamp = stampOf(registration.lockPath);
  if (stamp === state.stamp || state.gate === null) return;
  const { lock, trouble } = await tryLock(registration.lockPath);
  state.stamp = stamp;
  state.lockTrouble = trouble;
  void register(registration, state, lock);
}

/** Asked before each call, and not awaited: a few microseconds instead of a turn through the thread pool. */
function stampOf(path: string): string {
  try {
    const { size, mtimeMs, ctimeMs, ino } = statSync(path);
    return `${size}:${mtimeMs}:${ctimeMs}:${ino}`;
  } catch {
    return 'absent'; // what is wrong with it, if it is there, reading it says
  }
}

async function tryLock(path: string): Promise<{ lock: Lock; trouble: SallyportError | null }> {
  try {
    return { lock: await readLock(path), trouble: null };
  } catch (error) {
    if (isSallyportError(error)) return { lock: NO_LOCK, trouble: error };
    throw error;
  }
}

/**
 * Takes over a lock and the servers of the state. In one go: no caller sees a server's tools half registered. Resolves when
 * the connections of what changed are over.
 */
async function register(registration: Registration, state: State, lock: Lock, isMoved = false): Promise<void> {
  const before = state.lock.servers;
  state.lock = {
    packages: lock.packages,
    servers: new Map([...lock.servers].map(([name, entry]) => [name, sameOr(before.get(name), entry)])),
  };
  const old = state.approved;
  const approved = new Map<string, ApprovedServer>();
  for (const [name, rule] of state.servers) {
    const locked = state.lock.servers.get(name);
    if (locked === undefined || locked.source !== sourceDigest(rule, state.lock.packages.get(name))) continue;
    const known = old.get(name);
    const isKnown = !isMoved && known?.locked === locked && isSameRule(known.rule, rule);
    approved.set(name, isKnown ? known : { rule, locked });
  }
  state.approved = approved;
  const gone = [...old].filter(([name, server]) => approved.get(name) !== server).map(([name]) => name);
  const names = new Set([...state.standings.keys(), ...state.servers.keys()]);
  for (const name of names) state.gate?.removeTools(name);
  state.standings = new Map(
    [...state.servers.values()].map((rule) => [rule.name, standingOf(registration, state, rule)]),
  );
  await Promise.all(gone.map((name) => registration.pool.drop(name)));
}

/** An entry that did not change stays the same object. */
const sameOr = (known: LockedServer | undefined, entry: LockedServer): LockedServer =>
  known?.digest === entry.digest && known.source === entry.source ? known : entry;

/** Where a rule stands in its file says nothing about its server. */
const isSameRule = ({ rule: _a, ...a }: ServerRule, { rule: _b, ...b }: ServerRule): boolean =>
  canonicalJson(JSON.parse(JSON.stringify(a))) === canonicalJson(JSON.parse(JSON.stringify(b)));

function standingOf(registration: Registration, { gate, root, lock, approved }: State, rule: ServerRule): Standing {
  const { name } = rule;
  const server = approved.get(name);
  const nothing = { name, tools: [], refused: [], warnings: [] };
  if (server === undefined) return { ...nothing, state: lock.servers.has(name) ? 'changed' : 'unapproved' };
  if (gate === null) return { ...nothing, state: 'approved' };
  // Tools are offered from the lock: no text that was not approved reaches a model.
  const control = [registration.lockPath, gate.keeper.state];
  const neighbours = [...approved.values()]
    .filter((other) => other !== server)
    .map(({ rule: { name }, locked: { tools } }) => ({ name, tools }));
  const context = { policy: gate.policy, root, control, neighbours };
  const { usable, refused, warnings } = reviewServer(rule, server.locked.tools, context);
  const results = usable.map((tool) => registerTool(gate, registration.caller, server, tool));
  const failed = results.filter((result): result is RefusedTool => typeof result !== 'string');
  const tools = results.filter((result): result is string => typeof result === 'string');
  return { name, state: 'approved', tools, refused: [...refused, ...failed], warnings };
}

/** A client reads it with the denial: no word of the definition, which the reason for the operator quotes. */
const UNUSABLE = 'the definition of the tool cannot be used, or was found suspicious: sallyport policy check says why';

function whyMissing(state: State, tool: string): { readonly code: ErrorCode; readonly reason: string } | null {
  const name = /^mcp__([a-z0-9-]{1,20})__/.exec(tool)?.[1];
  if (name === undefined || !state.servers.has(name)) return null;
  if (state.lockTrouble !== null) return { code: state.lockTrouble.code, reason: state.lockTrouble.message };
  const status = state.standings.get(name);
  if (status === undefined || status.state === 'unapproved') {
    return { code: 'SERVER_UNAPPROVED', reason: `the server "${name}" was not approved yet` };
  }
  if (status.state === 'changed') {
    return {
      code: 'SERVER_CHANGED',
      reason: `the policy reaches the server "${name}" in another way than was approved`,
    };
  }
  const refused = status.refused.find((candidate) => candidate.name === tool);
  return refused === undefined ? null : { code: 'SERVER_DEFINITIONS', reason: UNUSABLE };
}
