import type { CompiledSchema } from '../core/index.ts';
import type { Obligations, RuleReference } from './decision.ts';
import type { CompiledEndpoints } from './endpoints.ts';
import type { PathUse } from './facts.ts';
import type { PathJudges } from './judge-path.ts';
import type { Approvers, ArgumentUse, FlowEffect, Policy, ToolRule } from './policy.ts';
import type { ShellRule } from './shell/index.ts';

/** The constraint on one argument, ready to judge. */
export interface CompiledArgument {
  readonly schema: CompiledSchema;
  readonly as: ArgumentUse | null;
  readonly rule: RuleReference;
}

/** What a rule says about command lines, ready to judge. */
export interface CompiledCommands {
  readonly rule: ShellRule;
  /** Where each entry stands, by the key that a decision about a line names: `allowedCommands[0]`. */
  readonly references: ReadonlyMap<string, RuleReference>;
  /**
   * Judges what a command only reads: any place in the root that no rule withholds (convention C8), or only what the rule's
   * own `allowedPaths` name.
   */
  readonly operands: PathJudges;
}

/** The rule of one existing tool, ready to judge. */
export interface CompiledTool {
  readonly name: string;
  readonly rule: ToolRule;
  /** `null`: the rule constrains no argument. */
  readonly arguments: ReadonlyMap<string, CompiledArgument> | null;
  readonly paths: Readonly<Record<PathUse, PathJudges>>;
  /** `null`: the tool takes no command line. */
  readonly commands: CompiledCommands | null;
  /** `null`: nothing in a call of the tool is a request or URL. */
  readonly endpoints: CompiledEndpoints | null;
  readonly obligations: Obligations;
  /** Who has to say yes; `null`: nobody could be enough for all that is asked. */
  readonly approvers: Approvers | null;
  readonly effect: FlowEffect | null;
  /** What an allowed call is told. */
  readonly allowReason: string;
  /** No call of this tool can be allowed, whatever its arguments. */
  readonly allowsNothing: boolean;
}

/** A principal, with the existing tools that it may use. */
export interface CompiledPrincipal {
  readonly name: string;
  readonly agent: string | null;
  readonly user: string | null;
  readonly tools: ReadonlySet<string>;
  /** Patterns for actions of servers. */
  readonly actions: readonly string[];
  readonly rule: RuleReference;
}

/** Principals by what is exact in them, so that a decision does not look at all of them. */
export interface PrincipalIndex {
  readonly byAgent: ReadonlyMap<string, readonly CompiledPrincipal[]>;
  readonly byUser: ReadonlyMap<string, readonly CompiledPrincipal[]>;
  readonly others: readonly CompiledPrincipal[];
}

/** A policy bound to a root and to the tools that exist. Decide by it with `decide`. */
export interface CompiledPolicy {
  readonly policy: Policy;
  /** Absolute real path that relative entries are read against. */
  readonly root: string;
  readonly tools: ReadonlyMap<string, CompiledTool>;
  /** `null`: callers are not told apart. */
  readonly principals: PrincipalIndex | null;
  /** The policy that counts besides this one: what either denies is denied. See `meetPolicies`. */
  readonly also?: CompiledPolicy;
  /** What is noteworthy about the policy with these tools, one line each. */
  readonly warnings: readonly string[];
}
