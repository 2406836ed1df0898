import { count, type JsonObject, type JsonValue, list, object, SallyportError, shape, text } from '../core/index.ts';
import type { Answer } from './answer.ts';
import { asJson, type Binding, readBinding } from './binding.ts';
import { type Approver, readApprover } from './grant.ts';
import { type ProvenApprover, whyNotApprover } from './operator.ts';
import { readScope, type Scope } from './scope.ts';
import { isComplete } from './screen.ts';

/** A call that waits for a person. */
export interface ApprovalRequest {
  readonly id: string;
  readonly digest: string;
  /** Only this request has it; an answer is proven over it. */
  readonly nonce: string;
  readonly binding: Binding;
  /** The session that asked first. */
  readonly session: string;
  /** The peer that asked; null for the process of the keeper. */
  readonly peer: string | null;
  /** Number of its intent record. */
  readonly intentSeq: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Those who said yes so far, all to the same scope; `scope` is null before the first. */
  readonly yes: readonly Approver[];
  readonly scope: Scope | null;
}

/** What an answer makes of a request. */
export type Answered =
  | { readonly kind: 'granted'; readonly scope: Scope; readonly by: readonly Approver[] }
  /** More people have to say yes. */
  | { readonly kind: 'waiting'; readonly request: ApprovalRequest }
  | { readonly kind: 'denied'; readonly by: Approver };

/**
 * Takes an answer of a person who has proven who they are. Pure. INVARIANT: a yes counts only for people that the rule of the
 * request names, each once, all for the same scope.
 * @throws SallyportError APPROVER_REFUSED, APPROVAL_INCOMPLETE
 */
export function takeAnswer(request: ApprovalRequest, answer: Answer, who: ProvenApprover): Answered {
  const by: Approver = { operator: who.operator, user: who.user, class: who.class, letInBy: who.letInBy };
  // Whoever may answer at all may say no, also who asked.
  if (answer.kind === 'deny') return { kind: 'denied', by };
  const { approvers, principal } = request.binding;
  const why = whyNotApprover(approvers, principal.user, who, request.yes);
  if (why !== null) throw new SallyportError('APPROVER_REFUSED', why);
  if (!answer.full && !isComplete(request.binding)) {
    throw new SallyportError('APPROVAL_INCOMPLETE', 'the screen cut something: look at the whole before a yes');
  }
  if (request.scope !== null && JSON.stringify(request.scope) !== JSON.stringify(answer.scope)) {
    throw new SallyportError('APPROVER_REFUSED', 'the first yes was to another scope: say the same, or deny');
  }
  const yes = [...request.yes, by];
  if (yes.length >= approvers.people) return { kind: 'granted', scope: answer.scope, by: yes };
  return { kind: 'waiting', request: Object.freeze({ ...request, yes, scope: answer.scope }) };
}

const name = text(512);
const readFields = shape<ApprovalRequest>({
  ...{ id: name, digest: name, nonce: name, session: name, intentSeq: count, createdAt: count, expiresAt: count },
  binding: (value) => readBinding(value),
  peer: (value, where) => (value === null ? null : name(value, where)),
  yes: (value, where) => Object.freeze(list(value, where).map((item) => readApprover(item, where))),
  scope: (value, where) => (value === null ? null : readScope(value, where)),
});

/** A request from the store, or from the keeper of another process. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readRequest = (value: JsonValue | undefined): ApprovalRequest =>
  readFields(object(value, 'request'), 'request');

export const requestAsJson = (request: ApprovalRequest): JsonObject => ({
  ...request,
  binding: asJson(request.binding),
  yes: request.yes.map((approver) => ({ ...approver })),
  scope: request.scope === null ? null : { ...request.scope },
});
