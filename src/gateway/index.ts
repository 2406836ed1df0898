/** The MCP gateway: a surface on top of the gate, towards clients and towards the servers behind it. */
export { approveServer, type FetchOptions, fetchDefinitions } from './approvals.ts';
export { DECISION_META_KEY } from './call-answer.ts';
export { definitionsDigest, type RefusedTool, type ServerDefinitions, usableTools } from './definitions.ts';
export { diffDefinitions } from './definitions-diff.ts';
export { type HttpFront, type HttpFrontOptions, serveHttp } from './http-front.ts';
export { LOCK_FILE, type Lock, type LockedServer, lockPathOf, readLock, sourceDigest } from './lock.ts';
export { LEGACY_VERSIONS, MODERN_VERSION } from './mcp-server.ts';
export { clientToolName, policyToolName } from './names.ts';
export { type ReviewContext, reviewServer, type ServerReview } from './server-review.ts';
export { type StdioFront, type StdioFrontOptions, serveStdio } from './stdio-front.ts';
export { createUpstreams, type ServerStatus, type Upstreams, type UpstreamsOptions } from './upstreams.ts';
