/** What could this command line do, and may it? Pure. */
export { type AnalyseOptions, analyseCommandLine } from './analyse.ts';
export {
  type CommandAssignment,
  type CommandCode,
  type CommandLimits,
  type CommandLine,
  type CommandTrouble,
  DEFAULT_COMMAND_LIMITS,
  type Doubt,
  isCommandTrouble,
  type PathOperand,
  type SimpleCommand,
} from './command-line.ts';
export {
  type CommandContext,
  type CommandDecision,
  commandPaths,
  decideCommandLine,
  type PathVerdict,
  type ShellRule,
} from './decide.ts';
export { HARMLESS_VARIABLES } from './environment.ts';
export { globsOverlap } from './glob-overlap.ts';
export { compileDeniedPattern, warningsForPattern } from './patterns.ts';
export { type ExecutionPlan, FIXED_PATH, type PlannedEnvironment, planExecution, plannedEnvironment } from './plan.ts';
export { knownPrograms } from './programs/index.ts';
export type { Word, WordShape } from './word.ts';
