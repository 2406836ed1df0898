import type { IsolationLevel, JsonObject, JsonValue } from '../core/index.ts';
import type { Condition } from './condition.ts';
import type { OnInjection, RuleReference } from './decision.ts';
import type { EndpointSecret } from './endpoint-secrets.ts';
import type { PathUse } from './facts.ts';
import type { BreakerRule, Cost, LimitRule, NamedLimit } from './limits.ts';
import type { PackageSpec } from './package-spec.ts';

/** What a call does to the world. A tool that no rule classifies counts as `egress`. */
export type FlowEffect = 'read' | 'write' | 'egress' | 'destroy' | 'credential';

/** Where the data of a result comes from. */
export type FlowLabel = 'untrusted' | 'private' | 'trusted';

/** A text of the policy file with the place where it stands. */
export interface PolicyEntry {
  readonly text: string;
  readonly rule: RuleReference;
}

/** What an argument stands for: judged as a path or URL by the rule of the tool it names, or as SQL that only reads. */
export type ArgumentUse = PathUse | 'api_call' | 'sql-read-only';

/** Which calls need a human yes; what none of it names needs none. */
export interface ConfirmationRule {
  /** `always`: every call. */
  readonly always: RuleReference | null;
  /** `when: CONDITION`: a call for which the condition holds, or may hold. */
  readonly when: { readonly condition: Condition; readonly rule: RuleReference } | null;
  /** `when-suspicious`: a call of which the guard says so. */
  readonly suspicious: RuleReference | null;
  /** Beginnings of command lines, word by word. */
  readonly commands: readonly PolicyEntry[];
  /** `METHOD URL`. */
  readonly requests: readonly PolicyEntry[];
}

/** Who has to say yes to a call that needs one. */
export interface Approvers {
  /** Any of these groups, in order; empty: any operator. */
  readonly groups: readonly string[];
  /** How many different people. */
  readonly people: number;
  /** The user on whose behalf the call is made may be one of them. */
  readonly ownUser: boolean;
}

/** The constraint on one argument: a schema that its value must meet, and what it stands for. */
export interface ArgumentRule {
  readonly name: string;
  readonly schema: JsonObject;
  /** `null`: a plain value. A list is judged item by item. */
  readonly as: ArgumentUse | null;
  readonly rule: RuleReference;
}

/** What a spawned program may use at most; `null`: the rule does not say. */
export interface SpawnLimits {
  readonly memoryBytes: number | null;
  readonly processes: number | null;
  readonly outputBytes: number | null;
  readonly openFiles: number | null;
  readonly fileBytes: number | null;
  readonly diskBytes: number | null;
}

/** Where a spawned program may connect. */
export interface EgressRule {
  readonly entries: readonly PolicyEntry[];
  readonly internal: readonly PolicyEntry[];
  /** `null`: every method. */
  readonly methods: readonly PolicyEntry[] | null;
  readonly terminateTls: boolean;
  /** Credentials that the client sends itself go through, where they are seen. */
  readonly credentials: boolean;
  readonly rule: RuleReference;
}

/** What a rule says about the programs that it lets be spawned. */
export interface SpawnRule {
  readonly limits: SpawnLimits;
  /** `null`, or no entries: no network. */
  readonly egress: EgressRule | null;
}

/** The parts of the workspace that a spawned server sees. */
export interface ServerPaths {
  readonly read: readonly PolicyEntry[];
  readonly write: readonly PolicyEntry[];
}

/** How sandboxes are made on this machine. */
export interface SandboxSettings {
  readonly runscPath?: string;
  readonly minRunscVersion?: string;
  readonly bubblewrapPath?: string;
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

/** A secret that requests to a destination carry. */
export interface SecretRule extends PolicyEntry {
  readonly secret: EndpointSecret;
}

/** One entry under `tools:`. */
export interface ToolRule {
  /** The key: a tool's name, or a pattern in which `*` stands for any run of characters. */
  readonly name: string;
  readonly rule: RuleReference;
  /** `null`: the rule has no such key; empty: it allows nothing. */
  readonly allowedPaths: readonly PolicyEntry[] | null;
  readonly deniedPaths: readonly PolicyEntry[];
  /** `null`: the rule constrains no argument. */
  readonly arguments: readonly ArgumentRule[] | null;
  /** Whether arguments that `arguments` does not name may be given. */
  readonly otherArguments: 'allow' | 'deny';
  /** `null`: the rule has no such key; empty: it allows nothing. */
  readonly allowedCommands: readonly PolicyEntry[] | null;
  readonly deniedPatterns: readonly PolicyEntry[];
  /** `null`: the rule has no such key; empty: it allows nothing. */
  readonly allowedEndpoints: readonly PolicyEntry[] | null;
  readonly internalEndpoints: readonly PolicyEntry[];
  /** `null`: GET and HEAD. */
  readonly methods: readonly PolicyEntry[] | null;
  readonly confirmation: ConfirmationRule;
  /** `rateLimit`: what its calls have to fit into. */
  readonly limits: readonly LimitRule[];
  /** `null`: the rule does not say what a call costs. */
  readonly cost: Cost | null;
  readonly breaker: BreakerRule | null;
  /** `null`: those of the defaults. */
  readonly approvers: Approvers | null;
  /** `requireSecretManager`: where it stands; `null`: credentials may be written out. */
  readonly requireSecretManager: RuleReference | null;
  /** `secrets`: what requests carry, by destination. */
  readonly secrets: readonly SecretRule[];
  /** Characters of a result's text that may be delivered. */
  readonly maxLength: number | null;
  /** `null`: `quarantine`. */
  readonly onInjection: OnInjection | null;
  /** `output.boundary`. */
  readonly boundary: boolean;
  /** `output.schema`, which compiles. */
  readonly outputSchema: JsonObject | null;
  readonly audit: boolean;
  /** Levels that the rule accepts, best first; empty when it names none. */
  readonly isolation: readonly IsolationLevel[];
  readonly timeoutMs: number | null;
  readonly spawn: SpawnRule;
  readonly output: readonly FlowLabel[];
  /** `null`: unclassified. */
  readonly effect: FlowEffect | null;
}

/** The protocol to speak with a server: `auto` asks it. */
export type ServerProtocol = 'auto' | '2026-07-28' | '2025-11-25' | '2025-06-18';

/** What the policy opens of a server besides its tools; `null`, or an empty list: nothing. */
export interface ServerActions {
  /** URI patterns; see `matchesUri`. */
  readonly resources: readonly PolicyEntry[];
  /** Names of prompts; `*` stands for any run of characters. */
  readonly prompts: readonly PolicyEntry[];
  readonly completion: RuleReference | null;
  readonly subscriptions: RuleReference | null;
  readonly tasks: RuleReference | null;
  /** The server may ask the client's model. Deprecated by MCP 2026-07-28. */
  readonly sampling: RuleReference | null;
  /** The server may ask the person at the client. */
  readonly elicitation: RuleReference | null;
  /** The server may see the folders that the client works on. Deprecated by MCP 2026-07-28. */
  readonly roots: RuleReference | null;
  /** Log messages of the server reach the client. Deprecated by MCP 2026-07-28. */
  readonly logging: RuleReference | null;
}

/** The npm package that a server is. */
export interface ServerPackage extends PackageSpec {
  /** `sha512-…` (Subresource Integrity) of its tarball; `null`: what the first installation finds. */
  readonly integrity: string | null;
  /** Which of its programs; `null`: the only one, or the one that is called as the package. */
  readonly bin: string | null;
  readonly args: readonly string[];
}

/** One entry under `servers:`. As the policy has it, exactly one of `command`, `package` and `url` is set. */
export interface ServerRule {
  readonly name: string;
  /** Program (absolute path) and arguments of a server that is spawned; of a package, once it is known what was installed. */
  readonly command: readonly string[] | null;
  readonly package: ServerPackage | null;
  /** Address of a remote server. */
  readonly url: string | null;
  readonly isolation: readonly IsolationLevel[];
  readonly protocol: ServerProtocol;
  /** The whole environment of a spawned server, besides what it cannot start without. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly spawn: SpawnRule;
  /** `null`: nothing of the workspace. */
  readonly paths: ServerPaths | null;
  /** Largest result that it may send, in bytes; `null`: the limit of every result. */
  readonly maxOutput: number | null;
  readonly actions: ServerActions;
  readonly breaker: BreakerRule | null;
  /** `as-is`: names and URIs reach clients as the server wrote them; one server only. */
  readonly expose: 'prefixed' | 'as-is';
  /** Tools, prompts and templates, as the server calls them, that are offered although the guard finds their words suspicious. */
  readonly allowSuspicious: readonly string[];
  readonly rule: RuleReference;
}

/** One entry under `principals:`. */
export interface PrincipalRule {
  readonly name: string;
  /** Exact, or a prefix before a last `*`; `null`: any. */
  readonly match: { readonly agent: string | null; readonly user: string | null };
  readonly tools: readonly PolicyEntry[];
  readonly rule: RuleReference;
}

/** Something wrong, or noteworthy, in a policy: where it is and what to do. `line` and `column` count from 1; 0: no text. */
export interface PolicyProblem {
  readonly message: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly remedy: string;
  /** JSON Pointer (RFC 6901) into the policy. */
  readonly pointer: string;
}

/** A policy that was read and checked. Frozen; compile it for a root and a set of tools to decide by it. */
export interface Policy {
  /** The name it was read under, for messages. */
  readonly file: string;
  /** SHA-256 (64 hexadecimal digits) of the canonical JSON (RFC 8785) of the policy as written; comments do not count. */
  readonly digest: string;
  /** `observe`: decides and records, and lets pass what it denies. */
  readonly mode: 'enforce' | 'observe';
  /** `root:` as written: the folder that paths are relative to. */
  readonly root: string | undefined;
  readonly tools: readonly ToolRule[];
  readonly servers: ReadonlyMap<string, ServerRule>;
  /** `null`: the policy does not tell callers apart. */
  readonly principals: readonly PrincipalRule[] | null;
  /** `approvers`: `null`, any one operator. */
  readonly defaults: { readonly isolation: readonly IsolationLevel[]; readonly approvers: Approvers | null };
  readonly sandbox: SandboxSettings;
  /** `limits:`: what the calls of several tools share. */
  readonly limits: readonly NamedLimit[];
  /** Number of rules: entries under tools:, servers: and principals:. */
  readonly rules: number;
  readonly warnings: readonly PolicyProblem[];
  /** The policy as JSON, as written. */
  readonly source: JsonValue;
}
