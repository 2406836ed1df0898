import { homedir } from 'node:os';
import { DEFAULT_LIMITS, newId, type Principal, SallyportError, type Surface, systemClock } from '../core/index.ts';
import { defaultStateFolder, type Keeper, localUser, openKeeper } from '../keeper/index.ts';
import { type CompiledPolicy, compilePolicy, mayBeAllowed, type Policy, reachableFolders } from '../policy/index.ts';
import { type Action, parseAction } from './act.ts';
import { passGate } from './call.ts';
import { openCallHistory } from './call-history.ts';
import { watchControlFiles } from './control-files.ts';
import { systemDial, systemResolve } from './fetch-dial.ts';
import type { House } from './house.ts';
import { loadPolicy } from './load-policy.ts';
import type { CallOptions, Gate, GateOptions, GateSession, SessionOptions } from './options.ts';
import { parseCall } from './parse.ts';
import { Registry } from './registry.ts';
import type { Asked, CallResult } from './result.ts';
import type { CallExchange, Tool } from './tool.ts';

/**
 * Opens a gate: reads the policy, opens the keeper (or uses the one given), and records both.
 *
 * @throws SallyportError POLICY_UNREADABLE, POLICY_INVALID, STATE_OWNED, STATE_EXPOSED, STATE_UNWRITABLE,
 * STATE_PERMISSIONS, AUDIT_CORRUPT, AUDIT_ROLLBACK, TOOL_NAME, SCHEMA_INVALID
 * @example
 * const gate = await openGate({ policy: 'sallyport.yaml', tools: [fileRead()] });
 * const result = await gate.call('file_read', { path: 'README.md' });
 * console.log(result.text);
 * await gate.close();
 */
export async function openGate(options: GateOptions): Promise<Gate> {
  const { policy, policyFile, root } = await loadPolicy(options);
  const registry = new Registry();
  for (const tool of options.tools ?? []) registry.add(tool);
  const keeper =
    options.keeper ??
    (await openKeeper({
      state: options.state ?? defaultStateFolder(),
      reachable: reachableFolders(policy, root),
      ...(options.clock === undefined ? {} : { clock: options.clock }),
    }));
  try {
    return await buildGate(options, { policy, policyFile, root, registry, keeper });
  } catch (error) {
    if (options.keeper === undefined) await keeper.close('the gate could not be opened');
    throw error;
  }
}

interface GateParts {
  readonly policy: Policy;
  readonly policyFile: string | null;
  readonly root: string;
  readonly registry: Registry;
  readonly keeper: Keeper;
}

async function buildGate(options: GateOptions, parts: GateParts): Promise<Gate> {
  const { policy, policyFile, root, registry, keeper } = parts;
  const { digest, rules, mode } = policy;
  const scope = policyFile ?? newId('object');
  const epoch = await keeper.policyLoaded({ scope, digest, source: policyFile ?? 'object', rules, mode });
  let compiled: CompiledPolicy | null = null;
  const house: House = {
    ...{ keeper, registry, root, policy, epoch },
    clock: options.clock ?? systemClock,
    resolve: options.resolve ?? systemResolve,
    dial: options.dial ?? systemDial,
    certificates: options.certificates ?? [],
    history: openCallHistory(),
    limits: Object.freeze({ ...DEFAULT_LIMITS, ...options.limits }),
    control: watchControlFiles({ root, home: homedir(), policyFile, stateFolders: [keeper.state] }),
    compiled: () => (compiled ??= compilePolicy(policy, { root, tools: namesOf(policy, registry) })),
    missing: options.missing ?? (() => null),
  };
  house.compiled(); // a policy that does not compile over the tools that are here does not open
  const changed = (): void => {
    compiled = null;
  };
  return new OpenGate(house, changed, options.keeper === undefined);
}

class OpenGate implements Gate {
  readonly keeper: Keeper;
  readonly policy: Policy;
  readonly root: string;
  readonly #house: House;
  readonly #toolsChanged: () => void;
  readonly #ownsKeeper: boolean;
  #own: Promise<GateSession> | null = null;
  #closed = false;

  constructor(house: House, toolsChanged: () => void, ownsKeeper: boolean) {
    this.#house = house;
    this.#toolsChanged = toolsChanged;
    this.#ownsKeeper = ownsKeeper;
    this.keeper = house.keeper;
    this.policy = house.policy;
    this.root = house.root;
  }

  tool(tool: Tool): (args: unknown, options?: CallOptions) => Promise<CallResult> {
    this.#house.registry.add(tool);
    this.#toolsChanged();
    return (args, options) => this.call(tool.name, args, options);
  }

  removeTools(server: string): void {
    this.#house.registry.removeServer(server);
    this.#toolsChanged();
  }

  async openSession(options: SessionOptions = {}): Promise<GateSession> {
    this.#checkOpen();
    const { user = localUser(), agent = 'library', proof = 'local', surface = 'library' } = options;
    const principal = await this.keeper.openSession({ tenant: 'local', user, agent, proof }, surface);
    return this.#session(principal, surface);
  }

  mayBeAllowed(name: string, caller: { readonly user: string; readonly agent: string }): boolean {
    return mayBeAllowed(this.#house.compiled(), name, caller);
  }

  async call(tool: string, args: unknown, options: CallOptions = {}): Promise<CallResult> {
    // INVARIANT: arguments are copied before anything is awaited: what a caller changes later reaches nobody.
    const parsed = parseCall(this.#house, { tool, args });
    this.#own ??= this.openSession();
    const { principal, surface } = await this.#own;
    this.#checkOpen();
    return unasked(
      await passGate(this.#house, { principal, surface, parsed, signal: options.signal ?? null, exchange: null }),
    );
  }

  async close(reason = 'the gate was closed'): Promise<void> {
    this.#closed = true;
    if (this.#ownsKeeper) await this.keeper.close(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #session(principal: Principal, surface: Surface): GateSession {
    const house = this.#house;
    return Object.freeze({
      principal,
      surface,
      tools: () => house.registry.all().filter(({ name }) => mayBeAllowed(house.compiled(), name, principal)),
      call: async (tool: string, args: unknown, options: CallOptions = {}) => {
        this.#checkOpen();
        const parsed = parseCall(house, { tool, args });
        const { signal = null } = options;
        return unasked(await passGate(house, { principal, surface, parsed, signal, exchange: null }));
      },
      exchange: async (tool: string, args: unknown, exchange: CallExchange, options: CallOptions = {}) => {
        this.#checkOpen();
        const parsed = parseCall(house, { tool, args });
        return passGate(house, { principal, surface, parsed, signal: options.signal ?? null, exchange });
      },
      act: async (action: Action, options: CallOptions = {}) => {
        this.#checkOpen();
        const parsed = parseAction(house, action);
        const { signal = null } = options;
        return unasked(await passGate(house, { principal, surface, parsed, signal, exchange: null }));
      },
      actAsking: async (action: Action, exchange: CallExchange, options: CallOptions = {}) => {
        this.#checkOpen();
        const parsed = parseAction(house, action);
        return passGate(house, { principal, surface, parsed, signal: options.signal ?? null, exchange });
      },
      mayBeAllowed: (name: string) => mayBeAllowed(house.compiled(), name, principal),
    });
  }

  #checkOpen(): void {
    if (this.#closed) throw new SallyportError('GATE_CLOSED', 'the gate is closed');
  }
}

/** INVARIANT: a call without an exchange is never asked back: `inbound` fails it instead. */
function unasked(result: CallResult | Asked): CallResult {
  if (result.kind === 'asked') throw new SallyportError('INTERNAL', 'a question with nobody to ask');
  return result;
}

/** What wildcards stand for is registered; what a rule names counts too, so that a missing tool is told from a denied one. */
const namesOf = (policy: Policy, registry: Registry): string[] => [
  ...registry.names(),
  ...policy.tools.map(({ name }) => name).filter((name) => !name.includes('*')),
];
