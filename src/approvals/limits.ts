/** The named limits of approvals; times are milliseconds, sizes bytes of canonical JSON. */
export interface ApprovalLimits {
  /** Requests that wait for an answer, of one principal, of one peer, and of all. */
  readonly waitingPerPrincipal: number;
  readonly waitingPerPeer: number;
  readonly waiting: number;
  /** How long a request waits before the answer is no. */
  readonly waitingMs: number;
  /** New requests of one principal: at once, and from then on. */
  readonly requestBurst: number;
  readonly requestsPerMinute: number;
  /** The binding of a request. */
  readonly bindingBytes: number;
  /** Grants that are open at a time. */
  readonly grants: number;
  /** How long a grant holds that names no time, and the longest that one may be asked for. */
  readonly onceMs: number;
  readonly longestMs: number;
  /** Executions that one yes may open. */
  readonly uses: number;
  /** People that a rule may ask for. */
  readonly approvers: number;
  /** How old a signed webhook may be, either way. */
  readonly webhookMs: number;
  /** Lines and characters a screen shows before it says that there is more. */
  readonly screenLines: number;
  readonly screenLineCharacters: number;
}

export const APPROVAL_LIMITS: ApprovalLimits = Object.freeze({
  waitingPerPrincipal: 100,
  waitingPerPeer: 200,
  waiting: 1_000,
  waitingMs: 600_000,
  requestBurst: 20,
  requestsPerMinute: 6,
  bindingBytes: 131_072,
  grants: 4_096,
  onceMs: 600_000,
  longestMs: 86_400_000,
  uses: 100,
  approvers: 5,
  webhookMs: 60_000,
  screenLines: 60,
  screenLineCharacters: 400,
});
