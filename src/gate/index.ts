/** The two doors: every call leaves through one, every result comes back through the other. */

export { type AskedCall, type AskedWorld, explainCall } from './explain.ts';
export type { RedirectAnswer } from './explain-hops.ts';
export type { Dial, FetchRequest, FetchResult, Resolve } from './fetch-types.ts';
export { openGate } from './gate.ts';
export { type LoadedPolicy, loadPolicy, loadPolicyText } from './load-policy.ts';
export type { FolderEntries, OpenedPath } from './opened-path.ts';
export type { CallOptions, Gate, GateOptions, GateSession, SessionOptions } from './options.ts';
export { INSIDE_VARIABLE, type PlannedRun } from './planned-run.ts';
export { type ApprovedPolicy, readApproval, writeApproval } from './policy-approval.ts';
export { type PolicyText, readPolicyFile } from './policy-file.ts';
export type { PolicyStatus } from './policy-status.ts';
export type { CallResult, Delivered, Denied, Failed } from './result.ts';
export type { Content, Tool, ToolContext, ToolOutput } from './tool.ts';
