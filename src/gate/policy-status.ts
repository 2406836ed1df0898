import type { ErrorCode } from '../core/index.ts';
import type { House } from './house.ts';

/** How the policy of a gate stands. */
export interface PolicyStatus {
  /** Absolute path of the file; null for a policy given as an object. */
  readonly file: string | null;
  /** Digest of the policy as it is written. */
  readonly digest: string;
  /** Digest of the approved one, which counts besides until what is written is approved; null: nothing waits. */
  readonly approvedDigest: string | null;
  readonly epoch: number;
  /** Why the file as it is now is not in force, and the one before it is; null: it is in force. */
  readonly trouble: { readonly code: ErrorCode; readonly message: string } | null;
  /** Nothing is enforced: `mode: observe` in every policy that counts. */
  readonly observing: boolean;
  /** Changes of the file are enforced without approval. */
  readonly development: boolean;
}

/** What a house says of itself. */
export const statusOf = (
  { policy, approved, epoch, observing }: House,
  more: Pick<PolicyStatus, 'file' | 'trouble' | 'development'>,
): PolicyStatus =>
  Object.freeze({
    ...more,
    digest: policy.digest,
    approvedDigest: approved === null ? null : approved.digest,
    epoch,
    observing,
  });

/** Said to the operator when the status changed, one line. Not yet escaped for a terminal. */
export function describeStatus({ file, approvedDigest, trouble, development }: PolicyStatus): string {
  const name = file ?? 'the policy';
  if (trouble !== null) return `${name} is not in force, the policy before it is: ${trouble.message} (${trouble.code})`;
  if (approvedDigest !== null) {
    return `${name} changed: what it narrows is in force, what it widens waits for: sallyport policy approve`;
  }
  return development ? `${name} is in force, unapproved (development)` : `${name} is in force`;
}
