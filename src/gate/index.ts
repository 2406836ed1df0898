/** The two doors: every call leaves through one, every result comes back through the other. */

export type { EgressEvent, LevelReport, SandboxEnd, Sandboxes, SandboxProcess } from '../sandbox/index.ts';
export type { Action } from './act.ts';
export type { WaitingCall } from './confirm.ts';
export { type AskedCall, type AskedWorld, explainCall } from './explain.ts';
export type { RedirectAnswer } from './explain-hops.ts';
export type { Dial, FetchRequest, FetchResult, Resolve } from './fetch-types.ts';
export type { LeftFile, LeftFiles } from './footprint.ts';
export { openGate } from './gate.ts';
export { suspicionOf } from './guard-definitions.ts';
export type { InstallRun } from './install-run.ts';
export { type LoadedPolicy, loadPolicy, loadPolicyText } from './load-policy.ts';
export { registryOfNpm } from './npm-program.ts';
export type { FolderEntries, OpenedPath } from './opened-path.ts';
export type { CallOptions, Gate, GateOptions, GateSession, SessionOptions } from './options.ts';
export { INSIDE_VARIABLE, type PlannedRun } from './planned-run.ts';
export { type PolicyText, readPolicyFile } from './policy-file.ts';
export type { PolicyStatus } from './policy-status.ts';
export type { Asked, CallResult, Delivered, Denied, Failed } from './result.ts';
export { openServerSandboxes, type ServerNetwork, type ServerSandboxes } from './server-sandboxes.ts';
export type { SpawnedProcess, SpawnOptions } from './spawn.ts';
export {
  type CallExchange,
  type Content,
  NeedsAnswers,
  type Questions,
  type Tool,
  type ToolContext,
  type ToolOutput,
} from './tool.ts';
