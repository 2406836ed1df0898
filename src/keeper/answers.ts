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
} from '../core/index.ts';
import type { Admission, KeeperEvent, Receipt, StopFlag, TokenHolder } from './keeper.ts';
import type { ApprovedPolicy } from './policy-approval.ts';

/** What a keeper says, read as strictly as what it is asked: both sides may be of different versions. */
const name = text(8_192);

export const readReceipt: Reader<Receipt> = shape<Receipt>({ seq: count });
export const readAdmission: Reader<Admission> = shape<Admission>({ call: name, intentSeq: count, admittedSeq: count });
export const readTokenHolder: Reader<TokenHolder | null> = (value, where) =>
  value === null ? null : shape<TokenHolder>({ id: name, name, user: name })(value, where);

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

/** An event of the keeper; `lost` and `reconnected` are no events of one connection. */
export function readEvent(value: JsonValue): KeeperEvent {
  const { type } = object(value, 'event');
  if (type === 'policy') {
    return shape<KeeperEvent & { type: 'policy' }>({ type: oneOf('policy'), scope: name, epoch: count, digest: name })(
      value,
      'event',
    );
  }
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
