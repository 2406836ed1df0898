import type { Clock, ErrorCode, IsolationLevel, Limits, Principal, Proof, Surface } from '../core/index.ts';
import type { Keeper, SecretSource } from '../keeper/index.ts';
import type { Policy, ServerRule } from '../policy/index.ts';
import type { Sandboxes, SandboxProcess } from '../sandbox/index.ts';
import type { Action } from './act.ts';
import type { ApprovalWait, WaitingCall } from './confirm.ts';
import type { Dial, Resolve } from './fetch-types.ts';
import type { LeftFiles } from './footprint.ts';
import type { PolicyStatus } from './policy-status.ts';
import type { Asked, CallResult } from './result.ts';
import type { SpawnedProcess, SpawnOptions } from './spawn.ts';
import type { CallExchange, Tool } from './tool.ts';

/** What a gate is made of. */
export interface GateOptions {
  /** A policy file's path, a policy as an object (the same schema), or a parsed policy. */
  readonly policy: string | Policy | Readonly<Record<string, unknown>>;
  /**
   * What a change of the policy file does while the gate is open, or did since it was approved. `wait` (the default): what it
   * narrows applies at once, what it widens waits for `sallyport policy approve`. `apply`: everything applies at once, for
   * development. `ignore`: the file is read once. A policy that is no file never changes.
   */
  readonly policyChanges?: 'wait' | 'apply' | 'ignore';
  /** Is told, one line at a time, how the policy stands when that changes; standard error if absent. */
  readonly onPolicyNotice?: (line: string) => void;
  /** The file behind a policy that is given parsed: a control file, and its folder the default root. */
  readonly policyFile?: string;
  readonly tools?: readonly Tool[];
  /** Folder that relative paths are read against: the policy's `root:`, else this, else the policy file's folder. */
  readonly root?: string;
  /** State folder; `$XDG_STATE_HOME/sallyport` if absent. */
  readonly state?: string;
  /** A keeper that is open already; the gate then leaves it open when it closes. */
  readonly keeper?: Keeper;
  /**
   * Levels that alone will do for what is spawned, best first: those of the policy, or stronger ones. Nothing is spawned in another.
   */
  readonly isolation?: readonly IsolationLevel[];
  /** How what is spawned is isolated; by `sandbox:` of the policy if absent. The gate leaves it open when it closes. */
  readonly sandboxes?: Sandboxes;
  /** `approvalWaitMs` among them: how long a call waits for a person at most. */
  readonly limits?: Partial<Limits>;
  /** Is told of each call that begins to wait for a person's yes. */
  /** Where secrets come from, of a keeper that this gate opens. */
  readonly secretSource?: SecretSource;
  readonly onApprovalWaiting?: (waiting: WaitingCall) => void;
  /** Prints a one-time code for a credential of an operator on the terminal of this process, as `KeeperOptions`. */
  readonly onOperatorCode?: (code: string) => void;
  readonly clock?: Clock;
  /** Looks names up for `api_call`; the system's resolver if absent. */
  readonly resolve?: Resolve;
  /** Connects `api_call` to an address that was judged; a plain TCP connection if absent. */
  readonly dial?: Dial;
  /** Certificates (PEM) that `api_call` trusts besides those of Node.js: for internal endpoints. */
  readonly certificates?: readonly string[];
  /** Why a tool that a policy names is not there. */
  readonly missing?: (tool: string) => { readonly code: ErrorCode; readonly reason: string } | null;
}

/** Who opens a session, and on which surface. */
export interface SessionOptions {
  readonly user?: string;
  readonly agent?: string;
  readonly proof?: Proof;
  readonly surface?: Surface;
  /** How long calls of the session wait for a person's yes, in milliseconds; as long as the gate lets them if absent. */
  readonly approvalWaitMs?: number;
}

export interface CallOptions extends ApprovalWait {
  /** Cancels the call: the tool is told, the outcome is recorded. */
  readonly signal?: AbortSignal;
}

/** A run of one credential. */
export interface GateSession {
  readonly principal: Principal;
  readonly surface: Surface;
  /** The tools that some rule could allow to this principal: what may be advertised. */
  tools(): readonly Tool[];
  /** One guarded call. A denial is a value; it throws only for a closed gate or a broken log. */
  call(tool: string, args: unknown, options?: CallOptions): Promise<CallResult>;
  /** As `call`, for a caller that can be asked: a tool that needs answers asks, and is called again with them. */
  exchange(tool: string, args: unknown, exchange: CallExchange, options?: CallOptions): Promise<CallResult | Asked>;
  /** One guarded action of an MCP server other than a tool: a request, a question, an answer or a notification. */
  act(action: Action, options?: CallOptions): Promise<CallResult>;
  /** As `act`, for a client that can be asked. */
  actAsking(action: Action, exchange: CallExchange, options?: CallOptions): Promise<CallResult | Asked>;
  /** Whether some rule could allow this tool, or this action (`mcp__SERVER:METHOD`), to this principal. */
  mayBeAllowed(name: string): boolean;
  /** As `Gate.spawn`, in this session. */
  spawn(command: string | readonly string[], options?: SpawnOptions): Promise<SpawnedProcess>;
  /**
   * Ends the session: its calls are cancelled, what it started is killed, and nothing of it stays warm. Where it started
   * something, its end is recorded with what it left. Idempotent.
   * @throws SallyportError AUDIT_WRITE_FAILED, KEEPER_LOST, KEEPER_CLOSED: it is over, and that is not on record
   */
  close(): Promise<LeftFiles | null>;
}

/** The gate. Close it, or use `await using`. */
export interface Gate extends AsyncDisposable {
  readonly keeper: Keeper;
  /** The policy as it is written now. */
  readonly policy: Policy;
  /** Absolute real path that relative paths are read against. */
  readonly root: string;
  /**
   * Registers a tool and returns it guarded: calling the result passes the gate in the gate's own session.
   * @throws SallyportError TOOL_NAME, SCHEMA_INVALID
   */
  tool(tool: Tool): (args: unknown, options?: CallOptions) => Promise<CallResult>;
  /** Forgets the tools of an MCP server. */
  removeTools(server: string): void;
  /** How the policy stands: what is in force, what waits, what is wrong with the file. */
  policyStatus(): PolicyStatus;
  /** The MCP servers of the policy in force: what it adds or changes is not among them before it is approved. */
  servers(): ReadonlyMap<string, ServerRule>;
  /**
   * Starts a server of the policy in force in the isolation that its rule accepts; where it runs is recorded before it does.
   * @throws SallyportError SERVER_UNKNOWN, STOPPED, ISOLATION_UNAVAILABLE, SANDBOX_FAILED, AUDIT_WRITE_FAILED, GATE_CLOSED
   */
  startServer(rule: ServerRule): Promise<SandboxProcess>;
  /** How what is spawned is isolated under the policy in force. */
  sandboxes(): Sandboxes;
  /** Calls `listener` after each change of the policy or of its status; the function returned ends that. */
  onPolicyChanged(listener: (status: PolicyStatus) => void): () => void;
  /** Calls `listener` when `session.tools()` may give another answer; the function returned ends that. */
  onToolsChanged(listener: () => void): () => void;
  openSession(options?: SessionOptions): Promise<GateSession>;
  /** As `GateSession.mayBeAllowed`, for a caller who has no session yet: it opens none and records nothing. */
  mayBeAllowed(name: string, caller: { readonly user: string; readonly agent: string }): boolean;
  /** A call in the gate's own session (agent `library`). */
  call(tool: string, args: unknown, options?: CallOptions): Promise<CallResult>;
  /**
   * Starts a program under the rule of a spawned tool that is registered (`shell` if none is named), judged and recorded as a
   * call of it with the argument `command`: a command line, or its words. It runs in the isolation of the rule, in the gate's
   * own session, and gives its streams as they are: limits hold, and nothing inspects what it writes.
   * @throws SallyportError with the code of the denial when it may not run, or of what kept it from starting
   */
  spawn(command: string | readonly string[], options?: SpawnOptions): Promise<SpawnedProcess>;
  close(reason?: string): Promise<void>;
}
