/**
 * Sallyport: the gate between AI agents and their tools. These are the names most programs need; the rooms have doors of
 * their own (`sallyport/policy`, `sallyport/audit`, …).
 */
export { isSallyportError, SallyportError } from './core/index.ts';
export {
  type CallResult,
  type Gate,
  type GateOptions,
  type GateSession,
  type LeftFile,
  type LeftFiles,
  openGate,
  type SpawnedProcess,
  type SpawnOptions,
  type Tool,
  type ToolContext,
  type ToolOutput,
} from './gate/index.ts';
export { type SanitizedToolOutput, type SanitizeToolOutputOptions, sanitizeToolOutput } from './guard/index.ts';
export {
  apiCall,
  builtInTools,
  fileList,
  fileRead,
  fileSearch,
  fileWrite,
  secretBackedTool,
  shell,
} from './tools/index.ts';
