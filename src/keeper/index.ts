/** The powers behind one interface: state folder, log, tokens. */

/** What a surface needs to show a request and to take an answer; it decides nothing with it. */
export {
  type Answer,
  challengeOf,
  noticeSignature,
  type OperatorProof,
  plain,
  readAnswer,
  readProof,
  registrationChallenge,
  removalChallenge,
  renderScreen,
  type Screen,
  type ScreenLine,
  screenOf,
  stateScope,
  suggestRule,
  webhookSignature,
  withoutMarkup,
} from '../approvals/index.ts';
export type {
  ActAuthority,
  ActOffer,
  ActOutcome,
  ActReceipt,
  ActSummary,
  OperatorAct,
  ProposedAct,
} from './act-messages.ts';
export { type ActScreen, actScreen } from './act-screen.ts';
export type {
  AnswerReceipt,
  ApprovalQuestionDraft,
  ApprovalStatus,
  ApprovalSummary,
  ApprovalView,
  GrantUse,
  OperatorRegistration,
  OperatorRemoval,
  RegistrationAuthority,
} from './approval-messages.ts';
export { type AdmissionDraft, type EmbeddedKeeper, whoIs } from './embedded-keeper.ts';
export { type ConnectOptions, connectKeeper, type JoinOptions, joinKeeper } from './join-keeper.ts';
export type {
  Admission,
  AdmittedDraft,
  Caller,
  CallIdentity,
  IntentDraft,
  Keeper,
  KeeperEvent,
  OperatorView,
  OutcomeDraft,
  PolicyNotice,
  Receipt,
  StopFlag,
  TokenHolder,
} from './keeper.ts';
export type {
  BreakerClaim,
  CallUse,
  LimitClaim,
  Reservation,
  ReserveAnswer,
  ReserveRefusal,
} from './limit-messages.ts';
export { type KeeperOptions, localUser, openKeeper } from './open-keeper.ts';
export { actChallenge } from './operator-acts.ts';
export { passkeyChallenge } from './operators.ts';
export { type Ownership, takeOwnership } from './owner.ts';
export { credentialText, type PeerCredential, PeerFolder, type PeerRole } from './peer-folder.ts';
export {
  type ApprovedPolicy,
  approvalFiles,
  namesOfPolicy,
  readApproval,
  writeApproval,
} from './policy-approval.ts';
export { RateMeter } from './rate-meter.ts';
export { digestOfHeld, type HeldResult } from './released-results.ts';
export { readActAuthority, readAuthority, readRegistration, readStopFlag } from './requests.ts';
export type { Redaction, RedactionReader, SecretUse } from './secret-messages.ts';
export { openConfiguredProviders, type SecretSource, type SourcedSecret, secretFiles } from './secret-source.ts';
export { checkNotReachable, defaultStateFolder, openStateFolder } from './state-folder.ts';
export { TokenFolder } from './token-folder.ts';
export { type ListedCall, type UnknownCall, UnknownCalls, type UnknownScope } from './unknown-calls.ts';
