/** What could this command line do, and may it? Pure. */
export { analyseCommandLine } from './analyse.ts';
export {
  type CommandLimits,
  type CommandLine,
  type CommandTrouble,
  isCommandTrouble,
  type PathOperand,
} from './command-line.ts';
export {
  type CommandDecision,
  commandPaths,
  decideCommandLine,
  type PathVerdict,
  type ShellRule,
} from './decide.ts';
export { globsOverlap } from './glob-overlap.ts';
export { compileDeniedPattern, warningsForPattern } from './patterns.ts';
export { type ExecutionPlan, planExecution } from './plan.ts';
