import {
  type Answer,
  type Binding,
  type OperatorProof,
  readAnswer,
  readBinding,
  readOperator,
  readProof,
} from '../approvals/index.ts';
import {
  count,
  DEFAULT_LIMITS,
  type JsonObject,
  type JsonValue,
  list,
  object,
  oneOf,
  optional,
  type Principal,
  type Reader,
  type Readers,
  SallyportError,
  type Surface,
  shape,
  text,
  yesOrNo,
} from '../core/index.ts';
import type { ActAuthority } from './act-messages.ts';
import type {
  ApprovalQuestionDraft,
  GrantUse,
  OperatorRegistration,
  RegistrationAuthority,
} from './approval-messages.ts';
import type {
  AdmittedDraft,
  Caller,
  CallIdentity,
  IntentDraft,
  OutcomeDraft,
  PolicyNotice,
  SessionEndDraft,
  StopFlag,
} from './keeper.ts';
import { type BreakerClaim, type CallUse, type LimitClaim, MAX_CLAIMS, type Reservation } from './limit-messages.ts';
import type { ApprovalQuestion, FirstApproval } from './policy-approval.ts';
import type { HeldResult } from './released-results.ts';
import type { RedactionReader, SecretUse } from './secret-messages.ts';

/** Characters of a name (tool, rule, agent), and of a sentence or a path. */
const name = text(512);
const sentence = text(8_192);

const proof = oneOf('key', 'bearer', 'local');
const surface = oneOf('library', 'mcp-http', 'mcp-stdio', 'cli');
const caller = shape<Caller>({ tenant: name, user: name, agent: name, proof });
const principal = shape<Principal>({ tenant: name, user: name, agent: name, session: name, proof });

/** An object whose JSON has at most that many characters: it stays in memory while its call is open. */
const small =
  (maxCharacters: number): Reader<JsonObject> =>
  (value, where) => {
    const read = object(value, where);
    text(maxCharacters)(JSON.stringify(read), where);
    return read;
  };

/** References that a call may be given, at most. */
const MAX_SECRETS = 256;
const secretNames: Reader<readonly string[]> = (value, where) => {
  const items = list(value, where);
  if (items.length <= MAX_SECRETS) return items.map((item) => text(2_048)(item, where));
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected at most ${MAX_SECRETS} items in the field ${where}`);
};

const intentFields: Readers<IntentDraft> = {
  surface: optional(name),
  principal: optional(small(2_048)),
  chain: optional(list),
  session: optional(name),
  server: optional(name),
  tool: optional(name),
  decision: optional(oneOf('allow', 'confirm', 'deny')),
  rule: optional(sentence),
  code: optional(name),
  reason: optional(sentence),
  policyDigest: optional(name),
  epoch: optional(count),
  facts: optional(object),
  isolation: optional(object),
  secrets: optional(secretNames),
  outcome: optional(name),
  verdict: optional(name),
  error: optional(sentence),
  durationMs: optional(count),
  traceId: optional(name),
  spanId: optional(name),
  detail: optional(object),
  payloads: optional(object),
};
const intent = shape<IntentDraft>(intentFields);
/** Of a call that is not admitted: nothing was allowed. */
const refused = shape<IntentDraft>({ ...intentFields, decision: optional(oneOf('confirm', 'deny')) });
const admitted = shape<AdmittedDraft>({
  isolation: optional(object),
  detail: optional(object),
  payloads: optional(object),
});
const binding: Reader<Binding> = (value) => readBinding(value);
const LONGEST_MS = 86_400_000;
const window: Reader<number> = (value, where) => {
  const read = count(value, where);
  if (read <= LONGEST_MS) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected at most 24 hours in the field ${where}`);
};
const claims =
  <T>(read: Reader<T>): Reader<readonly T[]> =>
  (value, where) => {
    const items = list(value, where);
    if (items.length <= MAX_CLAIMS) return items.map((item) => read(item, where));
    throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected at most ${MAX_CLAIMS} items in the field ${where}`);
  };
const reservation = shape<Reservation>({
  session: name,
  claims: claims(
    shape<LimitClaim>({
      ...{ key: readSha256, kind: oneOf('calls', 'concurrent', 'bytes', 'spend') },
      ...{ max: count, windowMs: window, amount: count },
    }),
  ),
  breakers: claims(shape<BreakerClaim>({ key: readSha256, failures, withinMs: window, pauseMs: window })),
});
const callUse = shape<CallUse>({ bytes: count, failed: yesOrNo });
const grantUse = shape<GrantUse>({ id: name, binding });

/** A credential that is to be let in, as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readRegistration: Reader<OperatorRegistration> = (value, where) => {
  const read = object(value, where);
  if (read['class'] !== 'passkey') {
    // Who let somebody in is the keeper's to say.
    if (Object.hasOwn(read, 'letInBy'))
      throw new SallyportError('INPUT_SCHEMA_MISMATCH', 'a registration has no letInBy');
    const { letInBy: _none, ...operator } = readOperator({ ...read, letInBy: null }, where);
    if (operator.class !== 'passkey') return operator;
  }
  return shape<OperatorRegistration & { class: 'passkey' }>({
    ...{ class: oneOf('passkey'), name, user: name, rpId: name, origin: name, response: small(65_536) },
    groups: (groups, at) => list(groups, at).map((group) => name(group, at)),
  })(read, where);
};
/** Who lets it in, as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readAuthority: Reader<RegistrationAuthority> = (value, where) =>
  Object.hasOwn(object(value, where), 'code')
    ? shape<{ code: string }>({ code: name })(value, where)
    : shape<{ proof: OperatorProof }>({ proof: readProof })(value, where);
/** What the guard saw in one result, at most. */
const MAX_FINDINGS = 64;

const findings: Reader<readonly JsonObject[]> = (value, where) => {
  const items = list(value, where);
  if (items.length > MAX_FINDINGS) throw new SallyportError('INPUT_SCHEMA_MISMATCH', `too many in the field ${where}`);
  return items.map((item) => small(1_024)(item, where));
};

/** The proof of an act, as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readActAuthority: Reader<ActAuthority> = shape<ActAuthority>({ offer: name, proof: readProof });

const outcome = shape<OutcomeDraft>({
  outcome: optional(name),
  verdict: optional(oneOf('pass', 'sanitised', 'quarantined', 'blocked')),
  findings: optional(findings),
  error: optional(sentence),
  durationMs: optional(count),
  detail: optional(object),
  payloads: optional(object),
});

const sessionEnd = shape<SessionEndDraft>({ detail: optional(object), payloads: optional(object) });

/** What is to be stopped, as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readStopFlag: Reader<StopFlag> = (value, where) => {
  const { kind } = object(value, where);
  switch (oneOf('all', 'agent', 'session')(kind, `${where}.kind`)) {
    case 'all':
      return shape<{ kind: 'all' }>({ kind: oneOf('all') })(value, where);
    case 'agent':
      return shape<{ kind: 'agent'; name: string }>({ kind: oneOf('agent'), name })(value, where);
    default:
      return shape<{ kind: 'session'; id: string }>({ kind: oneOf('session'), id: name })(value, where);
  }
};

/** The secret of an admission, which the peer makes up: 128 bits, as `newId` writes them. */
function secret(value: JsonValue | undefined, where: string): string {
  const read = text(64)(value, where);
  if (/^call_[A-Za-z0-9_-]{22}$/.test(read)) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected the name of a call in the field ${where}`);
}

/** A path of a policy file, which is no path here: a text that names an approval. */
export function readPolicyPath(value: JsonValue | undefined, where: string): string {
  const read = text(DEFAULT_LIMITS.pathBytes)(value, where);
  if (read !== '' && Buffer.byteLength(read) <= DEFAULT_LIMITS.pathBytes) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected a path in the field ${where}`);
}

/** Failures that open a breaker: each is remembered. */
function failures(value: JsonValue | undefined, where: string): number {
  const read = count(value, where);
  if (read >= 1 && read <= 100) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected 1 to 100 in the field ${where}`);
}

/** SHA-256 in hexadecimal. */
export function readSha256(value: JsonValue | undefined, where: string): string {
  const read = text(64)(value, where);
  if (/^[0-9a-f]{64}$/.test(read)) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected a digest in the field ${where}`);
}

/** What a peer can ask for, and what each question says. */
export interface RequestInputs {
  policyLoaded: PolicyNotice;
  approvalOf: ApprovalQuestion;
  approveFirst: FirstApproval;
  authenticate: { token: string };
  openSession: { caller: Caller; surface: Surface; detail?: JsonObject };
  endSession: { principal: Principal; surface: Surface; end: SessionEndDraft };
  isUncertain: CallIdentity;
  refuse: { intent: IntentDraft };
  reserve: Reservation;
  giveBack: { lease: string };
  admit: { call: string; intent: IntentDraft; admitted: AdmittedDraft; grant?: GrantUse; lease?: string };
  ask: ApprovalQuestionDraft;
  approvals: Record<never, never>;
  approval: { id: string };
  answer: { id: string; answer: Answer; proof: OperatorProof };
  offerRegistration: Record<never, never>;
  registerOperator: { offer: string; registration: OperatorRegistration; authority: RegistrationAuthority };
  removeOperator: { offer: string; operator: string; authority: RegistrationAuthority };
  operators: Record<never, never>;
  settle: { call: string; outcome: OutcomeDraft; use?: CallUse };
  adopt: { call: string };
  stop: { flag: StopFlag; reason: string };
  resume: { flag: StopFlag };
  offerAct: Record<never, never>;
  perform: { act: JsonObject; authority?: ActAuthority };
  proposeAct: { act: JsonObject; waitMs: number };
  proposedActs: Record<never, never>;
  proposedAct: { id: string };
  actOutcome: { id: string };
  proveAct: { id: string; proof: OperatorProof };
  declineAct: { id: string };
  stops: Record<never, never>;
  isReleased: HeldResult;
  secret: { call: string; use: SecretUse };
  redact: { value: JsonValue; reader: RedactionReader };
  claim: { space: string; key: string; expiresAt: number };
  leave: Record<never, never>;
}
export type RequestName = keyof RequestInputs;

/** Reads the fields of each question. ATTACKER-CONTROLLED: everything that is read here; a gate may be hijacked. */
export const REQUESTS: { readonly [Name in RequestName]: Reader<RequestInputs[Name]> } = {
  policyLoaded: shape<PolicyNotice>({
    ...{ scope: sentence, digest: name, source: sentence, rules: count, mode: name },
    detail: optional(object),
  }),
  approvalOf: shape<ApprovalQuestion>({ file: readPolicyPath, real: readPolicyPath, opening: optional(yesOrNo) }),
  approveFirst: shape<FirstApproval>({
    ...{ file: readPolicyPath, real: readPolicyPath, digest: readSha256, approvedAt: count },
    text: text(DEFAULT_LIMITS.policyBytes),
    observes: optional(yesOrNo),
  }),
  authenticate: shape<RequestInputs['authenticate']>({ token: name }),
  openSession: shape<RequestInputs['openSession']>({ caller, surface, detail: optional(object) }),
  endSession: shape<RequestInputs['endSession']>({ principal, surface, end: sessionEnd }),
  isUncertain: shape<CallIdentity>({ principal, tool: name, arguments: object }),
  refuse: shape<RequestInputs['refuse']>({ intent: refused }),
  reserve: reservation,
  giveBack: shape<RequestInputs['giveBack']>({ lease: name }),
  admit: shape<RequestInputs['admit']>({
    call: secret,
    intent,
    admitted,
    grant: optional(grantUse),
    lease: optional(name),
  }),
  ask: shape<RequestInputs['ask']>({ intent, binding, after: optional(name) }),
  approvals: shape<RequestInputs['approvals']>({}),
  approval: shape<RequestInputs['approval']>({ id: name }),
  answer: shape<RequestInputs['answer']>({ id: name, answer: readAnswer, proof: readProof }),
  offerRegistration: shape<RequestInputs['offerRegistration']>({}),
  registerOperator: shape<RequestInputs['registerOperator']>({
    ...{ offer: name, registration: readRegistration, authority: readAuthority },
  }),
  removeOperator: shape<RequestInputs['removeOperator']>({ offer: name, operator: name, authority: readAuthority }),
  operators: shape<RequestInputs['operators']>({}),
  settle: shape<RequestInputs['settle']>({ call: secret, outcome, use: optional(callUse) }),
  adopt: shape<RequestInputs['adopt']>({ call: secret }),
  stop: shape<RequestInputs['stop']>({ flag: readStopFlag, reason: sentence }),
  resume: shape<RequestInputs['resume']>({ flag: readStopFlag }),
  offerAct: shape<RequestInputs['offerAct']>({}),
  // What it says is read by `readAct`.
  perform: shape<RequestInputs['perform']>({ act: object, authority: optional(readActAuthority) }),
  proposeAct: shape<RequestInputs['proposeAct']>({ act: object, waitMs: count }),
  proposedActs: shape<RequestInputs['proposedActs']>({}),
  proposedAct: shape<RequestInputs['proposedAct']>({ id: name }),
  actOutcome: shape<RequestInputs['actOutcome']>({ id: name }),
  proveAct: shape<RequestInputs['proveAct']>({ id: name, proof: readProof }),
  declineAct: shape<RequestInputs['declineAct']>({ id: name }),
  stops: shape<RequestInputs['stops']>({}),
  secret: shape<RequestInputs['secret']>({
    call: secret,
    use: shape<SecretUse>({ reference: text(2_048), destination: sentence }),
  }),
  redact: shape<RequestInputs['redact']>({
    value: (value) => value ?? null,
    reader: shape<RedactionReader>({ tenant: name, session: name }),
  }),
  isReleased: shape<HeldResult>({
    principal: shape<HeldResult['principal']>({ tenant: name, user: name, agent: name }),
    tool: name,
    digest: readSha256,
  }),
  claim: shape<RequestInputs['claim']>({ space: text(1_024), key: text(1_024), expiresAt: count }),
  leave: shape<RequestInputs['leave']>({}),
};

/** A request as it crosses the socket. */
export interface Request {
  /** Names the answer; rises within a connection. */
  readonly id: number;
  readonly name: RequestName;
  readonly input: JsonValue;
}

const isRequestName = (word: string): word is RequestName => Object.hasOwn(REQUESTS, word);
const envelope = shape<{ id: number; name: RequestName; input: JsonObject }>({
  id: count,
  name: oneOf(...Object.keys(REQUESTS).filter(isRequestName)),
  input: object,
});

/** Reads the envelope of a request. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readRequest = (frame: JsonValue): Request => envelope(frame, 'request');
