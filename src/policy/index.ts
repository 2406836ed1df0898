/** What may be called? Pure: a policy and the facts of a call give the same decision every time. */

export { acceptedLevels } from './accepted-levels.ts';
export { actionName, isPlainUri, matchesUri, readActionName } from './actions.ts';
export { approversOf } from './approvers.ts';
export { commandOf } from './command.ts';
export { type CompileOptions, compilePolicy } from './compile.ts';
export type { CompiledPolicy } from './compiled.ts';
export { type PathUses, strongestUses } from './covered-facts.ts';
export { allowsPath, decide, isObserving, mayBeAllowed, pathUses } from './decide.ts';
export type { Decision, Effect, Obligations, OnInjection, RuleReference } from './decision.ts';
export type { EgressQuestion, EgressVerdict } from './egress.ts';
export { referencesOf } from './endpoint-secrets.ts';
export type { EndpointVerdict } from './endpoints.ts';
export { type Explanation, explain, renderExplanation } from './explain.ts';
export type { CallFacts, PathFacts, PathReading, PathTrouble, PathUse, RequestFacts } from './facts.ts';
export type { ExplainedStep } from './finding.ts';
export { asksWhenSuspicious } from './judge-call.ts';
export {
  type CallBreaker,
  type CallLimit,
  costOf,
  type LimitKind,
  type LimitScope,
  type NamedLimit,
  POLICY_LIMITS,
} from './limits.ts';
export { decideAgain, meetPolicies, stricterObligations } from './meet.ts';
export type { PackageSpec } from './package-spec.ts';
export { isPolicy, parsePolicy, policyForCases, policyFromObject } from './parse.ts';
export type {
  ArgumentRule,
  FlowEffect,
  FlowLabel,
  Policy,
  PolicyEntry,
  PolicyProblem,
  PrincipalRule,
  SandboxSettings,
  ServerActions,
  ServerPackage,
  ServerProtocol,
  ServerRule,
  SpawnLimits,
  ToolRule,
} from './policy.ts';
export { type ChangeDirection, comparePolicies, type PolicyChange, renderPolicyChanges } from './policy-changes.ts';
export { describeProblem } from './problems.ts';
export { reachableFolders } from './reachable.ts';
export { decideRequest, requestsOf, secretsOfTool } from './requests.ts';
export { policySchema } from './schema.ts';
export {
  type CommandLine,
  type CommandTrouble,
  commandPaths,
  globsOverlap,
  isCommandTrouble,
  type PathOperand,
  planExecution,
} from './shell/index.ts';
export { type SpawnAccess, type SpawnTerms, serverTerms, spawnTerms } from './spawn-terms.ts';
export { namesTool } from './tool-names.ts';
export { ToolPolicy } from './tool-policy.ts';
