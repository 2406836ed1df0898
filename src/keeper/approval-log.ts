import { type ApprovalRequest, type Approver, asJson, type Binding, type ProvenApprover } from '../approvals/index.ts';
import type { AuditLog } from '../audit/index.ts';
import type { JsonObject } from '../core/index.ts';
import type { IntentDraft } from './keeper.ts';

/** What the log says of requests and answers, each durable when it resolves with its number. */

/** A call that waits: its intent, with everything that is shown as a payload. `peer`: who asks; null for this process. */
export async function recordRequest(
  log: AuditLog,
  { id, intent, binding, peer }: { id: string; intent: IntentDraft; binding: Binding; peer: string | null },
): Promise<number> {
  const { seq, durable } = log.append({
    ...{ type: 'intent', ...intent, decision: 'confirm' },
    detail: { ...intent.detail, request: id, ...(peer === null ? {} : { peer }) },
    payloads: { ...intent.payloads, binding: asJson(binding) },
  });
  await durable;
  return seq;
}

/** An answer. `final`: the request waits no more. `grant`: the name of what was given. */
export interface AnswerRecord {
  readonly detail: JsonObject & { readonly final: boolean };
  readonly peer: string | null;
  readonly grant: string | null;
}

/** Records an answer to a request. */
export async function recordAnswer(
  log: AuditLog,
  { id, intentSeq, digest, binding }: ApprovalRequest,
  { detail, peer, grant }: AnswerRecord,
): Promise<number> {
  const { principal, tool, server, policy } = binding;
  const { seq, durable } = log.append({
    ...{ type: 'grant', principal: { tenant: principal.tenant, user: principal.user, agent: principal.agent }, tool },
    ...(server === null ? {} : { server }),
    ...(grant === null ? {} : { grant }),
    ...{ policyDigest: policy, intentSeq },
    detail: { ...detail, request: id, ...(peer === null ? {} : { peer }) },
    // A digest of arguments would outlive them: the record commits to it with a salt.
    payloads: { digest },
  });
  await durable;
  return seq;
}

/** An approver as records name them. */
export const approverAsJson = ({ operator, user, class: proven, letInBy }: Approver | ProvenApprover): JsonObject => ({
  ...{ operator, user, class: proven, letInBy },
});
