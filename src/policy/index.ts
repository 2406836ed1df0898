/** What may be called? Pure: a policy and the facts of a call give the same decision every time. */
export type { Decision, Effect, IsolationLevel, Obligations, RuleReference } from './decision.ts';
export type { CallFacts, PathFacts, PathReading, PathTrouble, PathUse } from './facts.ts';
export type {
  ArgumentRule,
  FlowEffect,
  FlowLabel,
  Policy,
  PolicyEntry,
  PolicyProblem,
  PrincipalRule,
  ServerProtocol,
  ServerRule,
  ToolRule,
} from './policy.ts';
