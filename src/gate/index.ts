/** The two doors: every call leaves through one, every result comes back through the other. */

export type { Action } from './act.ts';
export { type AskedCall, type AskedWorld, explainCall } from './explain.ts';
export type { RedirectAnswer } from './explain-hops.ts';
export type { Dial, FetchRequest, FetchResult, Resolve } from './fetch-types.ts';
export { openGate } from './gate.ts';
export { type LoadedPolicy, loadPolicy } from './load-policy.ts';
export type { FolderEntries, OpenedPath } from './opened-path.ts';
export type { CallOptions, Gate, GateOptions, GateSession, SessionOptions } from './options.ts';
export type { PlannedRun } from './planned-run.ts';
export type { Asked, CallResult, Delivered, Denied, Failed } from './result.ts';
export {
  type CallExchange,
  type Content,
  NeedsAnswers,
  type Questions,
  type Tool,
  type ToolContext,
  type ToolOutput,
} from './tool.ts';
