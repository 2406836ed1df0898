import type { JsonObject } from '../core/index.ts';
import type { PolicyNotice } from '../keeper/index.ts';
import type { House } from './house.ts';
import type { PolicySource } from './policy-in-force.ts';
import { digestOfPair, type PolicyPair } from './policy-pair.ts';

/** What the keeper is told of a policy that is in force: whose it is, and the digest of the pair. */
export const noticeOf = (
  { scope, policyFile }: PolicySource,
  { policy: { rules, mode } }: Pick<House, 'policy'>,
  digest: string,
): PolicyNotice => ({
  scope,
  digest,
  source: policyFile ?? 'object',
  rules,
  mode,
});

/** The same with what the record says besides. */
export function noticeOfPair(source: PolicySource, pair: PolicyPair): PolicyNotice {
  const { written, approved, isFirstUse } = pair;
  const detail: JsonObject = {
    writtenDigest: written.policy.digest,
    ...(approved === null ? {} : { approvedDigest: approved.policy.digest, waits: true }),
    ...(source.needsApproval && approved === null ? { approved: true } : {}),
    ...(isFirstUse ? { firstUse: true } : {}),
    ...(source.development ? { development: true } : {}),
  };
  return { ...noticeOf(source, { policy: written.policy }, digestOfPair(pair)), detail };
}
