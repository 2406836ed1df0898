/** The MCP gateway: a surface on top of the gate, towards clients and towards the servers behind it. */
export { approveServer, type FetchOptions, fetchDefinitions } from './approvals.ts';
export type { ApprovedServer, UpstreamEvent } from './approved-server.ts';
export { DECISION_META_KEY } from './call-answer.ts';
export { neighboursOf } from './definition-words.ts';
export { definitionsDigest, type RefusedTool, type ServerDefinitions, usableTools } from './definitions.ts';
export { diffDefinitions, wrapLines } from './definitions-diff.ts';
export { type HttpFront, type HttpFrontOptions, serveHttp } from './http-front.ts';
export {
  LOCK_FILE,
  type Lock,
  type LockedServer,
  lockPathOf,
  readLock,
  readLockToApprove,
  sourceDigest,
} from './lock.ts';
export { LEGACY_VERSIONS, MODERN_VERSION } from './mcp-server.ts';
export { clientToolName, policyToolName } from './names.ts';
export type { LockedPackage } from './package-entry.ts';
export { npmArguments } from './package-fetch.ts';
export {
  type Installed,
  type InstallOptions,
  type InstallPlan,
  installPackage,
  planInstall,
  strayTrees,
} from './package-install.ts';
export { defaultServersFolder } from './package-places.ts';
export { removeTree } from './package-tree.ts';
export { openPackages, type Packages, packageState } from './packages.ts';
export { reviewOffers } from './server-offers.ts';
export { type ReviewContext, reviewServer, type ServerReview } from './server-review.ts';
export { type StdioFront, type StdioFrontOptions, serveStdio } from './stdio-front.ts';
export type { UpstreamConnection } from './upstream-connection.ts';
export type { ServerHealth } from './upstream-health.ts';
export type { QuestionHandler } from './upstream-questions.ts';
export type { UpstreamRequestOptions } from './upstream-request.ts';
export { createUpstreams, type ServerStatus, type Upstreams, type UpstreamsOptions } from './upstreams.ts';
