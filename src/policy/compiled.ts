import type { CompiledSchema } from '../core/index.ts';
import type { Obligations, RuleReference } from './decision.ts';
import type { PathUse } from './facts.ts';
import type { PathJudges } from './judge-path.ts';
import type { FlowEffect, Policy, ToolRule } from './policy.ts';

/** The constraint on one argument, ready to judge. */
export interface CompiledArgument {
  readonly schema: CompiledSchema;
  readonly as: PathUse | null;
  readonly rule: RuleReference;
}

/** The rule of one existing tool, ready to judge. */
export interface CompiledTool {
  readonly name: string;
  readonly rule: ToolRule;
  /** `null`: the rule constrains no argument. */
  readonly arguments: ReadonlyMap<string, CompiledArgument> | null;
  readonly paths: Readonly<Record<PathUse, PathJudges>>;
  readonly obligations: Obligations;
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
  /** What is noteworthy about the policy with these tools, one line each. */
  readonly warnings: readonly string[];
}
