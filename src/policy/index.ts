export type { Decision, Effect, IsolationLevel, Obligations, RuleReference } from './decision.ts';
export type { CallFacts, PathFacts, PathReading, PathTrouble, PathUse } from './facts.ts';
