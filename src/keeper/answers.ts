import {
  type Approver,
  type LastApproved,
  readRequest as readApprovalRequest,
  readApprover,
  readScope,
  type Scope,
} from '../approvals/index.ts';
import {
  count,
  DEFAULT_LIMITS,
  ERROR_TABLE,
  type ErrorCode,
  isJsonObject,
  type JsonValue,
  list,
  object,
  oneOf,
  type Reader,
  SallyportError,
  shape,
  text,
  yesOrNo,
} from '../core/index.ts';
import type { ActOffer, ActOutcome, ActReceipt, ActSummary, ProposedAct } from './act-messages.ts';
import type {
  AnswerReceipt,
  ApprovalStatus,
  ApprovalSummary,
  ApprovalView,
  OperatorRemoval,
} from './approval-messages.ts';
import type { Admission, KeeperEvent, OperatorView, Receipt, StopFlag, TokenHolder } from './keeper.ts';
import type { ReserveAnswer } from './limit-messages.ts';
import { readAct } from './operator-acts.ts';
import type { ApprovedPolicy } from './policy-approval.ts';
import type { Redaction } from './secret-messages.ts';

/** What a keeper says, read as strictly as what it is asked: both sides may be of different versions. */
const name = text(8_192);

export const readReceipt: Reader<Receipt> = shape<Receipt>({ seq: count });
export const readAdmission: Reader<Admission> = shape<Admission>({ call: name, intentSeq: count, admittedSeq: count });
export const readTokenHolder: Reader<TokenHolder | null> = (value, where) =>
  value === null ? null : shape<TokenHolder>({ id: name, name, user: name })(value, where);

export const readSecret: Reader<string> = text(65_536);
export const readRedaction: Reader<Redaction> = shape<Redaction>({
  value: (value) => value ?? null,
  found: (value, where) => list(value, where).map((one) => name(one, where)),
  blocked: yesOrNo,
});

export const readReserveAnswer: Reader<ReserveAnswer> = (value, where) =>
  object(value, where)['kind'] === 'reserved'
    ? shape<ReserveAnswer & { kind: 'reserved' }>({ kind: oneOf('reserved'), lease: name })(value, where)
    : shape<ReserveAnswer & { kind: 'refused' }>({
        ...{ kind: oneOf('refused'), which: count, retryAt: count, record: yesOrNo },
        seq: (seq, at) => (seq === null ? null : count(seq, at)),
      })(value, where);

/** What was approved, or null. Its digest is compared with its text by who loads it. */
export const readApproved: Reader<ApprovedPolicy | null> = (value, where) =>
  value === null
    ? null
    : shape<ApprovedPolicy>({ file: name, digest: name, text: text(DEFAULT_LIMITS.policyBytes), approvedAt: count })(
        value,
        where,
      );

const readFlag: Reader<StopFlag> = (value, where) => {
  const { kind } = object(value, where);
  if (kind === 'agent') return shape<{ kind: 'agent'; name: string }>({ kind: oneOf('agent'), name })(value, where);
  if (kind === 'session')
    return shape<{ kind: 'session'; id: string }>({ kind: oneOf('session'), id: name })(value, where);
  return shape<{ kind: 'all' }>({ kind: oneOf('all') })(value, where);
};

export const readFlags: Reader<readonly StopFlag[]> = (value, where) =>
  list(value, where).map((flag) => readFlag(flag, where));

const approvers = (value: JsonValue | undefined, where: string): readonly Approver[] =>
  list(value, where).map((item) => readApprover(item, where));
const code: Reader<ErrorCode> = (value, where) => {
  const read = name(value, where);
  return isCode(read) ? read : 'INTERNAL';
};

export const readStatus: Reader<ApprovalStatus> = (value, where) => {
  switch (oneOf('granted', 'waiting', 'refused')(object(value, where)['kind'], `${where}.kind`)) {
    case 'granted':
      return shape<ApprovalStatus & { kind: 'granted' }>({ kind: oneOf('granted'), grant: name })(value, where);
    case 'waiting':
      return shape<ApprovalStatus & { kind: 'waiting' }>({
        ...{ kind: oneOf('waiting'), id: name, expiresAt: count, advisory: yesOrNo },
      })(value, where);
    default:
      return shape<ApprovalStatus & { kind: 'refused' }>({
        ...{ kind: oneOf('refused'), code, reason: name, retryAt: count },
      })(value, where);
  }
};

const scopeOrNull: Reader<Scope | null> = (value, where) => (value === null ? null : readScope(value, where));
const summary = shape<ApprovalSummary>({
  ...{ id: name, tool: name, user: name, agent: name, createdAt: count, expiresAt: count, people: count },
  ...{ yes: approvers, scope: scopeOrNull },
});
export const readSummaries: Reader<readonly ApprovalSummary[]> = (value, where) =>
  list(value, where).map((item) => summary(item, where));

export const readView: Reader<ApprovalView> = shape<ApprovalView>({
  request: (value) => readApprovalRequest(value),
  last: (value, where) => (value === null ? null : shape<LastApproved>({ salt: name, lines: textsOf })(value, where)),
  advisory: yesOrNo,
});

const textsOf: Reader<Readonly<Record<string, string>>> = (value, where) =>
  Object.fromEntries(Object.entries(object(value, where)).map(([key, item]) => [key, name(item, where)]));

export const readAnswerReceipt: Reader<AnswerReceipt> = (value, where) => {
  switch (oneOf('granted', 'waiting', 'denied')(object(value, where)['kind'], `${where}.kind`)) {
    case 'granted':
      return shape<AnswerReceipt & { kind: 'granted' }>({ kind: oneOf('granted'), grant: name })(value, where);
    case 'waiting':
      return shape<AnswerReceipt & { kind: 'waiting' }>({ kind: oneOf('waiting'), people: count, yes: count })(
        value,
        where,
      );
    default:
      return shape<AnswerReceipt & { kind: 'denied' }>({ kind: oneOf('denied') })(value, where);
  }
};

export const readRemoval: Reader<OperatorRemoval> = shape<OperatorRemoval>({ advisory: yesOrNo });

export const readActOffer: Reader<ActOffer> = shape<ActOffer>({ offer: name, advisory: yesOrNo });
export const readActReceipt: Reader<ActReceipt> = shape<ActReceipt>({ by: readApprover, advisory: yesOrNo });

const actName = oneOf('resume', 'policy-approve', 'server-approve', 'unknown-settle', 'result-release');
export const readActSummary: Reader<ActSummary> = shape<ActSummary>({
  ...{ id: name, act: actName, createdAt: count, expiresAt: count },
});
export const readActSummaries: Reader<readonly ActSummary[]> = (value, where) =>
  list(value, where).map((item) => readActSummary(item, where));
export const readProposedAct: Reader<ProposedAct> = shape<ProposedAct>({
  ...{ id: name, act: readAct, about: textsOf, createdAt: count, expiresAt: count, advisory: yesOrNo },
});

export const readActOutcome: Reader<ActOutcome> = (value, where) => {
  switch (oneOf('waiting', 'done', 'refused')(object(value, where)['kind'], `${where}.kind`)) {
    case 'waiting':
      return shape<ActOutcome & { kind: 'waiting' }>({ kind: oneOf('waiting') })(value, where);
    case 'done':
      return shape<ActOutcome & { kind: 'done' }>({ kind: oneOf('done'), receipt: readActReceipt })(value, where);
    default:
      return shape<ActOutcome & { kind: 'refused' }>({ kind: oneOf('refused'), code, reason: name })(value, where);
  }
};

export const readOperators: Reader<readonly OperatorView[]> = (value, where) =>
  list(value, where).map((item) =>
    shape<OperatorView>({
      ...{ name, user: name, class: oneOf('passkey', 'user-id', 'webhook') },
      groups: (groups) => list(groups, where).map((group) => name(group, where)),
    })(item, where),
  );

/** An event of the keeper; `lost` and `reconnected` are no events of one connection. */
export function readEvent(value: JsonValue): KeeperEvent {
  const { type } = object(value, 'event');
  if (type === 'policy') {
    return shape<KeeperEvent & { type: 'policy' }>({ type: oneOf('policy'), scope: name, epoch: count, digest: name })(
      value,
      'event',
    );
  }
  if (type === 'approval') {
    return shape<KeeperEvent & { type: 'approval' }>({
      ...{ type: oneOf('approval'), id: name, state: oneOf('waiting', 'granted', 'denied', 'expired') },
    })(value, 'event');
  }
  if (type === 'act') return shape<KeeperEvent & { type: 'act' }>({ type: oneOf('act'), id: name })(value, 'event');
  const { flag, type: change } = shape<{ type: 'stop' | 'resume'; flag: StopFlag }>({
    type: oneOf('stop', 'resume'),
    flag: readFlag,
  })(value, 'event');
  return { type: change, flag };
}

/** The error that a keeper answered with. */
export function readError(value: JsonValue | undefined): SallyportError {
  const { code, message } = isJsonObject(value) ? value : {};
  if (typeof code !== 'string' || !isCode(code) || typeof message !== 'string') {
    return new SallyportError('INTERNAL', 'the keeper answered with an error that cannot be read');
  }
  return new SallyportError(code, message);
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_TABLE, code);
