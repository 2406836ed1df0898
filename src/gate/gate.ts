import { DEFAULT_LIMITS, escapeForTerminal, newId, SallyportError, systemClock } from '../core/index.ts';
import { createGuard } from '../guard/index.ts';
import { defaultStateFolder, joinKeeper, type Keeper, localUser } from '../keeper/index.ts';
import { mayBeAllowed, type Policy, type ServerRule } from '../policy/index.ts';
import type { Sandboxes, SandboxProcess } from '../sandbox/index.ts';
import type { ApprovalWait, WaitingCall } from './confirm.ts';
import { systemDial, systemResolve } from './fetch-dial.ts';
import { foldersInReach } from './folders-in-reach.ts';
import { type Listeners, openListeners } from './gate-listeners.ts';
import { type OpenSession, openGateSession, parseSpawn, spawnVia } from './gate-session.ts';
import type { Fixtures, House } from './house.ts';
import { openLimitedCalls } from './limited-calls.ts';
import { type LoadedPolicy, loadPolicy } from './load-policy.ts';
import type { CallOptions, Gate, GateOptions, GateSession, SessionOptions } from './options.ts';
import { parseCall } from './parse.ts';
import { openPolicy, type PolicyInForce } from './policy-in-force.ts';
import { policySource } from './policy-source.ts';
import { describeStatus, type PolicyStatus } from './policy-status.ts';
import { Registry } from './registry.ts';
import type { CallResult } from './result.ts';
import { followStops, openRunningCalls, type RunningCalls } from './running-calls.ts';
import { openRunningServers, type RunningServers } from './running-servers.ts';
import { openSandboxRoom, type SandboxRoom } from './sandbox-room.ts';
import type { SpawnedProcess, SpawnOptions } from './spawn.ts';
import { openSpawningSessions } from './spawning-sessions.ts';
import { openSuspects } from './suspects.ts';
import type { Tool } from './tool.ts';

/**
 * Opens a gate: reads the policy, opens the keeper (or uses the one given), and records both.
 *
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, POLICY_APPROVAL, STATE_OWNED (by a process that does not answer),
 * STATE_EXPOSED, STATE_UNWRITABLE,
 * STATE_PERMISSIONS, AUDIT_CORRUPT, AUDIT_ROLLBACK, TOOL_NAME, SCHEMA_INVALID
 * @example
 * const gate = await openGate({ policy: 'sallyport.yaml', tools: [fileRead()] });
 * const result = await gate.call('file_read', { path: 'README.md' });
 * console.log(result.text);
 * await gate.close();
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  const loaded = await loadPolicy(options);
  const registry = new Registry();
  for (const tool of options.tools ?? []) registry.add(tool);
  const keeper =
    options.keeper ??
    (await joinKeeper({
      state: options.state ?? defaultStateFolder(),
      reachable: foldersInReach(loaded.policy, loaded.root),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
      ...(options.secretSource === undefined ? {} : { secretSource: options.secretSource }),
      ...(options.onOperatorCode === undefined ? {} : { onOperatorCode: options.onOperatorCode }),
    }));
  try {
    return await buildGate(options, { loaded, registry, keeper });
  } catch (error) {
    if (options.keeper === undefined) await keeper.close('the gate could not be opened');
    throw error;
  }
}

interface GateParts {
  readonly loaded: LoadedPolicy;
  readonly registry: Registry;
  readonly keeper: Keeper;
}

async function buildGate(options: GateOptions, { loaded, registry, keeper }: GateParts): Promise<Gate> {
  const running = openRunningCalls();
  const sandboxes = openSandboxRoom(options.sandboxes);
  const servers = openRunningServers();
  const spawning = openSpawningSessions();
  const policyChanged = openListeners<PolicyStatus>();
  const toolsChanged = openListeners<void>();
  const fixturesOf = (room: Pick<PolicyInForce, 'house' | 'renewed'>): Fixtures => ({
    ...{ keeper, registry, running, spawning, latest: room.house, renewed: room.renewed },
    clock: options.clock ?? systemClock,
    resolve: options.resolve ?? systemResolve,
    dial: options.dial ?? systemDial,
    certificates: options.certificates ?? [],
    id: newId('gate'),
    limited: openLimitedCalls(),
    limits: Object.freeze({ ...DEFAULT_LIMITS, ...options.limits }),
    guard: createGuard(),
    suspects: openSuspects(),
    missing: options.missing ?? (() => null),
    sandboxesFor: sandboxes.use,
    isolation: options.isolation ?? null,
  });
  const say = options.onPolicyNotice ?? sayOnStandardError;
  const policies = await openPolicy(policySource(options, loaded, keeper), fixturesOf, () => {
    policyChanged.tell(policies.status());
    toolsChanged.tell();
  });
  policyChanged.add(() => servers.judgeAll(policies.house()));
  policyChanged.add((status) => say(describeStatus(status)));
  const first = policies.status();
  if (first.development || first.approvedDigest !== null) say(describeStatus(first));
  const unwatch = followStops(keeper, (flag) => {
    for (const one of [running, spawning, servers]) one.stop(flag);
  });
  return new OpenGate({
    running,
    policies,
    sandboxes,
    servers,
    unwatch,
    endPrograms: async () => void (await Promise.all([spawning.endAll(), servers.endAll()])),
    policyChanged,
    toolsChanged,
    ownsKeeper: options.keeper === undefined,
    onApprovalWaiting: options.onApprovalWaiting ?? (() => undefined),
  });
}

const sayOnStandardError = (line: string): void => {
  process.stderr.write(`sallyport: ${escapeForTerminal(line)}\n`);
};

interface OpenParts {
  readonly running: RunningCalls;
  readonly policies: PolicyInForce;
  readonly sandboxes: SandboxRoom;
  readonly servers: RunningServers;
  readonly unwatch: () => void;
  /** Kills every program of a call or a server; what they left is on record then. */
  readonly endPrograms: () => Promise<void>;
  readonly policyChanged: Listeners<PolicyStatus>;
  readonly toolsChanged: Listeners<void>;
  readonly ownsKeeper: boolean;
  readonly onApprovalWaiting: (waiting: WaitingCall) => void;
}

class OpenGate implements Gate {
  readonly keeper: Keeper;
  readonly #parts: OpenParts;
  #own: Promise<OpenSession> | null = null;
  #closed = false;

  constructor(parts: OpenParts) {
    this.#parts = parts;
    this.keeper = this.#house.keeper;
  }

  /** The one of now: never kept across an `await`. */
  get #house(): House {
    return this.#parts.policies.house();
  }

  get policy(): Policy {
    return this.#house.policy;
  }

  get root(): string {
    return this.#house.root;
  }

  policyStatus(): PolicyStatus {
    return this.#parts.policies.status();
  }

  servers(): ReadonlyMap<string, ServerRule> {
    return this.#house.servers;
  }

  startServer(rule: ServerRule): Promise<SandboxProcess> {
    this.#checkOpen();
    return this.#parts.servers.start(this.#house, rule);
  }

  sandboxes(): Sandboxes {
    return this.#house.sandboxes();
  }

  onPolicyChanged(listener: (status: PolicyStatus) => void): () => void {
    return this.#parts.policyChanged.add(listener);
  }

  onToolsChanged(listener: () => void): () => void {
    return this.#parts.toolsChanged.add(listener);
  }

  tool(tool: Tool): (args: unknown, options?: CallOptions) => Promise<CallResult> {
    this.#house.registry.add(tool);
    this.#parts.toolsChanged.tell();
    return (args, options) => this.call(tool.name, args, options);
  }

  removeTools(server: string): void {
    this.#house.registry.removeServer(server);
    this.#parts.toolsChanged.tell();
  }

  openSession(options: SessionOptions = {}): Promise<GateSession> {
    return this.#open(options);
  }

  mayBeAllowed(name: string, caller: { readonly user: string; readonly agent: string }): boolean {
    return mayBeAllowed(this.#house.compiled(), name, caller);
  }

  async call(tool: string, args: unknown, options: CallOptions = {}): Promise<CallResult> {
    // INVARIANT: arguments are copied before anything is awaited: what a caller changes later reaches nobody.
    const parsed = parseCall(this.#house, { tool, args });
    return (await this.#ownSession()).pass(parsed, options);
  }

  async spawn(command: string | readonly string[], options: SpawnOptions = {}): Promise<SpawnedProcess> {
    const parsed = parseSpawn(this.#house, command, options);
    return spawnVia((await this.#ownSession()).pass, parsed, options);
  }

  async close(reason = 'the gate was closed'): Promise<void> {
    this.#closed = true;
    this.#parts.policies.close();
    this.#parts.unwatch();
    this.#parts.running.endWaiting(new SallyportError('GATE_CLOSED', 'the gate was closed while the call waited'));
    try {
      await this.#parts.endPrograms();
    } finally {
      await this.#parts.sandboxes.close();
      if (this.#parts.ownsKeeper) await this.keeper.close(reason);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #ownSession(): Promise<OpenSession> {
    this.#own ??= this.#open();
    return this.#own;
  }

  async #open(options: SessionOptions = {}): Promise<OpenSession> {
    this.#checkOpen();
    const { user = localUser(), agent = 'library', proof = 'local', surface = 'library' } = options;
    const principal = await this.keeper.openSession({ tenant: 'local', user, agent, proof }, surface);
    return openGateSession({
      ...{ principal, surface, house: () => this.#house, checkOpen: () => this.#checkOpen() },
      waits: (call) => this.#waits(call, options),
    });
  }

  /** How long a call waits for a person, and who is told. */
  #waits(options: ApprovalWait, session: SessionOptions): Required<ApprovalWait> {
    const { limits } = this.#house;
    const wanted = options.approvalWaitMs ?? session.approvalWaitMs ?? limits.approvalWaitMs;
    return {
      approvalWaitMs: Math.min(wanted, limits.approvalWaitMs),
      onApprovalWaiting: (waiting: WaitingCall): void => {
        options.onApprovalWaiting?.(waiting);
        this.#parts.onApprovalWaiting(waiting);
      },
    };
  }

  #checkOpen(): void {
    if (this.#closed) throw new SallyportError('GATE_CLOSED', 'the gate is closed');
  }
}
