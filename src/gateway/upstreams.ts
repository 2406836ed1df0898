import { stat } from 'node:fs/promises';
import { ProtocolError } from '@modelcontextprotocol/client';
import {
  DEFAULT_LIMITS,
  type ErrorCode,
  isSallyportError,
  type JsonObject,
  type Limits,
  SallyportError,
} from '../core/index.ts';
import type { Gate, Tool, ToolContext, ToolOutput } from '../gate/index.ts';
import type { ServerRule } from '../policy/index.ts';
import { callerKey } from './caller.ts';
import { type RefusedTool, type UsableTool, usableTools } from './definitions.ts';
import { type Lock, type LockedServer, readLock, sourceDigest } from './lock.ts';
import { type ApprovedServer, type UpstreamPool, upstreamPool } from './upstream-pool.ts';
import { callOutput, errorOutput } from './upstream-result.ts';

export interface UpstreamsOptions {
  /** `servers:` of the policy. */
  readonly servers: ReadonlyMap<string, ServerRule>;
  readonly lockPath: string;
  /** Folder that server processes start in: the policy's root. */
  readonly root: string;
  readonly version?: string;
  readonly limits?: Partial<Limits>;
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
}

/** The MCP servers behind a gate. */
export interface Upstreams {
  /** Registers the approved tools at the gate. Once, before the first session. @throws SallyportError LOCK_INVALID */
  attach(gate: Gate): Promise<void>;
  /** Takes over a lock that changed. One that cannot be read takes every tool of a server away. Never throws. */
  refresh(): Promise<void>;
  /** Why a tool that a policy names is not there; for `openGate({ missing })`. */
  missing(tool: string): { readonly code: ErrorCode; readonly reason: string } | null;
  status(): readonly ServerStatus[];
  /** Ends every connection and every server process. */
  close(): Promise<void>;
}

interface State {
  gate: Gate | null;
  /** Size, time and inode of the lock that was read; null before the first time. */
  stamp: string | null;
  lockTrouble: SallyportError | null;
  lock: Lock;
  statuses: ReadonlyMap<string, ServerStatus>;
  reading: Promise<void> | null;
}

/** Opens the servers of a policy, lazily: a server starts with the first call of one of its tools. */
export function createUpstreams(options: UpstreamsOptions): Upstreams {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const { root, version = '0.0.0' } = options;
  const pool = upstreamPool({ root, version, limits, now: () => performance.now() });
  const state: State = {
    ...{ gate: null, stamp: null, lockTrouble: null, lock: new Map(), statuses: new Map() },
    reading: null,
  };
  const refresh = (): Promise<void> => {
    state.reading ??= reload().finally(() => {
      state.reading = null;
    });
    return state.reading;
  };
  const call: Runner = (server, tool, args, context) => runTool({ pool, state, refresh }, server, tool, args, context);
  const reload = async (): Promise<void> => {
    const stamp = await stampOf(options.lockPath);
    if (stamp === state.stamp || state.gate === null) return;
    const { lock, trouble } = await tryLock(options.lockPath);
    state.stamp = stamp;
    state.lockTrouble = trouble;
    register({ gate: state.gate, options, pool, call }, state, lock);
  };
  return {
    attach: async (gate) => {
      state.gate = gate;
      await refresh();
      if (state.lockTrouble !== null) throw state.lockTrouble;
    },
    refresh,
    missing: (tool) => whyMissing(options.servers, state, tool),
    status: () => [...state.statuses.values()],
    close: () => pool.close(),
  };
}

type Runner = (server: ApprovedServer, tool: string, args: JsonObject, context: ToolContext) => Promise<ToolOutput>;

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ctimeMs, ino } = await stat(path);
    return `${size}:${mtimeMs}:${ctimeMs}:${ino}`;
  } catch {
    return 'absent'; // what is wrong with it, if it is there, reading it says
  }
}

async function tryLock(path: string): Promise<{ lock: Lock; trouble: SallyportError | null }> {
  try {
    return { lock: await readLock(path), trouble: null };
  } catch (error) {
    if (isSallyportError(error)) return { lock: new Map(), trouble: error };
    throw error;
  }
}

interface Registration {
  readonly gate: Gate;
  readonly options: UpstreamsOptions;
  readonly pool: UpstreamPool;
  readonly call: Runner;
}

/** Takes over a lock. In one go: no caller sees a server's tools half registered. */
function register(registration: Registration, state: State, lock: Lock): void {
  const before = state.lock;
  // An entry that did not change stays the same object: calls tell by it whether their tool is still the approved one.
  state.lock = new Map(
    [...lock].map(([name, entry]) => [
      name,
      isSameApproval(before.get(name), entry) ? (before.get(name) ?? entry) : entry,
    ]),
  );
  const statuses = new Map<string, ServerStatus>();
  for (const [name, rule] of registration.options.servers) {
    const locked = state.lock.get(name);
    const isSame = before.get(name) === locked;
    const known = state.statuses.get(name);
    statuses.set(name, isSame && known !== undefined ? known : registerServer(registration, rule, locked));
    if (!isSame) void registration.pool.drop(name);
  }
  state.statuses = statuses;
}

const isSameApproval = (a: LockedServer | undefined, b: LockedServer): boolean =>
  a?.digest === b.digest && a.source === b.source && a.protocol === b.protocol;

function registerServer(
  { gate, call }: Registration,
  rule: ServerRule,
  locked: LockedServer | undefined,
): ServerStatus {
  const { name } = rule;
  gate.removeTools(name);
  if (locked === undefined) return { name, state: 'unapproved', tools: [], refused: [] };
  if (locked.source !== sourceDigest(rule)) return { name, state: 'changed', tools: [], refused: [] };
  // Tools are offered from the lock: no text that was not approved reaches a model.
  const { usable, refused } = usableTools(name, locked.tools);
  const results = usable.map((tool) => registerTool(gate, call, { rule, locked }, tool));
  const failed = results.filter((result): result is RefusedTool => typeof result !== 'string');
  const tools = results.filter((result): result is string => typeof result === 'string');
  return { name, state: 'approved', tools, refused: [...refused, ...failed] };
}

function registerTool(gate: Gate, call: Runner, server: ApprovedServer, usable: UsableTool): string | RefusedTool {
  const { policyName, originalName, title, description, schema, outputSchema } = usable;
  const tool: Tool = {
    name: policyName,
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    schema,
    ...(outputSchema === undefined ? {} : { outputSchema }),
    runs: server.rule.command === null ? 'remote' : 'spawned',
    server: server.rule.name,
    execute: (args, context) => call(server, originalName, args, context),
  };
  try {
    gate.tool(tool);
    return policyName;
  } catch (error) {
    if (isSallyportError(error)) return { name: policyName, reason: error.message };
    throw error;
  }
}

interface Running {
  readonly pool: UpstreamPool;
  readonly state: State;
  readonly refresh: () => Promise<void>;
}

async function runTool(
  { pool, state, refresh }: Running,
  server: ApprovedServer,
  tool: string,
  args: JsonObject,
  context: ToolContext,
): Promise<ToolOutput> {
  await refresh(); // an approval that was taken back, or given anew, counts from the next call on
  if (state.lock.get(server.rule.name) !== server.locked) {
    throw new SallyportError('SERVER_CHANGED', `the approval of the server "${server.rule.name}" changed: call again`);
  }
  try {
    // The connection is the principal's, over all its sessions.
    return await pool.with(server, callerKey(context.principal), async (connection) => {
      // Serialised from the gate's frozen copy; of the client's message nothing else goes on.
      const result = await connection.request(
        'tools/call',
        { name: tool, arguments: args },
        { signal: context.signal },
      );
      return callOutput(result);
    });
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return errorOutput(error.code, error.message);
  }
}

function whyMissing(
  servers: ReadonlyMap<string, ServerRule>,
  state: State,
  tool: string,
): { readonly code: ErrorCode; readonly reason: string } | null {
  const name = /^mcp__([a-z0-9-]{1,20})__/.exec(tool)?.[1];
  if (name === undefined || !servers.has(name)) return null;
  if (state.lockTrouble !== null) return { code: state.lockTrouble.code, reason: state.lockTrouble.message };
  const status = state.statuses.get(name);
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
  return refused === undefined ? null : { code: 'SERVER_DEFINITIONS', reason: refused.reason };
}
