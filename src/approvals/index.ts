/** Approvals: who said yes, to exactly what? Pure but for cryptography; the keeper holds keys, store and log. */
export {
  type Answer,
  type AnsweredRequest,
  challengeOf,
  readAnswer,
  registrationChallenge,
  removalChallenge,
} from './answer.ts';
export {
  type ApproverRule,
  asJson,
  type Binding,
  type BoundFacts,
  type BoundPath,
  type BoundPrincipal,
  type BoundProgram,
  type BoundReason,
  type BoundRequest,
  bindingDigest,
  principalKey,
  reachDigest,
  readBinding,
  sameKind,
} from './binding.ts';
export {
  type Approver,
  type CoveredCall,
  type CredentialClass,
  covers,
  type Grant,
  type GrantDraft,
  grantAsJson,
  makeGrant,
  type NotCovered,
  readApprover,
  type SignedGrant,
  signGrant,
  verifyGrant,
} from './grant.ts';
export { APPROVAL_LIMITS, type ApprovalLimits } from './limits.ts';
export { type NotFrozen, notFrozen } from './not-frozen.ts';
export { fingerprintOf, type Operator, operatorAsJson, type ProvenApprover, readOperator } from './operator.ts';
export { type PasskeyRegistration, registerPasskey } from './passkey.ts';
export { plain, withoutMarkup } from './plain.ts';
export {
  noticeSignature,
  type OperatorProof,
  type Proven,
  readProof,
  readUserKey,
  userIdMessage,
  verifyProof,
  webhookSignature,
} from './proof.ts';
export { type Answered, type ApprovalRequest, readRequest, requestAsJson, takeAnswer } from './request.ts';
export { checkScope, endOf, readScope, type Scope, stateScope, usesOf } from './scope.ts';
export { type Change, type LastApproved, rememberArguments, type Screen, type ScreenLine, screenOf } from './screen.ts';
export { renderScreen, type ScreenFrame } from './screen-text.ts';
export { type Suggestion, suggestRule } from './suggest.ts';
