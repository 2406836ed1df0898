import {
  count,
  type JsonObject,
  type JsonValue,
  list,
  object,
  oneOf,
  SallyportError,
  sha256Hex,
  shape,
  text,
} from '../core/index.ts';
import type { ApproverRule } from './binding.ts';
import type { Approver } from './grant.ts';

interface OperatorFields {
  /** 1 to 40 of `a-z`, `0-9` and `-`. */
  readonly name: string;
  /** The person behind the credential: two credentials of one person are one person. */
  readonly user: string;
  readonly groups: readonly string[];
  /** As in `Approver`. */
  readonly letInBy: string | null;
}

/** A credential that may answer. None of them ever serves on the tool side. */
export type Operator =
  | (OperatorFields & {
      readonly class: 'passkey';
      readonly credentialId: string;
      /** COSE key, base64url. */
      readonly publicKey: string;
      readonly counter: number;
      /** Where it was registered, and where alone it answers. */
      readonly rpId: string;
      readonly origin: string;
    })
  | (OperatorFields & {
      readonly class: 'user-id';
      /** Ed25519, SPKI, base64url; the private half lies in a file (0600) of that user id. */
      readonly publicKey: string;
      readonly uid: number;
    })
  | (OperatorFields & {
      readonly class: 'webhook';
      /** 32 bytes or more, base64url. */
      readonly secret: string;
    });

const name = text(40);
const word = text(512);
const key = text(4_096);
const groups = (value: JsonValue | undefined, where: string): readonly string[] =>
  Object.freeze(list(value, where).map((item) => name(item, where)));
const letInBy = (value: JsonValue | undefined, where: string): string | null =>
  value === null ? null : word(value, where);
const shared = { name: readName, user: word, groups, letInBy };

function readName(value: JsonValue | undefined, where: string): string {
  const read = name(value, where);
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(read)) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected 1 to 40 of a-z, 0-9 and - in the field ${where}`);
}

function readSecret(value: JsonValue | undefined, where: string): string {
  const read = key(value, where);
  if (/^[A-Za-z0-9_-]{43,}$/.test(read)) return read;
  throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected 32 bytes or more as base64url in the field ${where}`);
}

const readers = {
  passkey: shape<Operator & { class: 'passkey' }>({
    ...shared,
    class: oneOf('passkey'),
    ...{ credentialId: key, publicKey: key, counter: count, rpId: word, origin: word },
  }),
  'user-id': shape<Operator & { class: 'user-id' }>({
    ...shared,
    ...{ class: oneOf('user-id'), publicKey: key, uid: count },
  }),
  webhook: shape<Operator & { class: 'webhook' }>({ ...shared, class: oneOf('webhook'), secret: readSecret }),
};

/** A credential as it is kept or registered. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readOperator = (value: JsonValue | undefined, where = 'operator'): Operator =>
  readers[oneOf('passkey', 'user-id', 'webhook')(object(value, where)['class'], `${where}.class`)](value, where);

export const operatorAsJson = (operator: Operator): JsonObject => ({ ...operator, groups: [...operator.groups] });

/** What names a credential wherever it turns up: SHA-256 of its secret or its public key, in hexadecimal. */
export const fingerprintOf = (operator: Operator): string =>
  sha256Hex(operator.class === 'webhook' ? operator.secret : operator.publicKey);

/** Somebody whose credential was proven. */
export interface ProvenApprover extends Approver {
  readonly groups: readonly string[];
}

/**
 * Why this person's yes does not count; null: it does. `before`: those who said yes already.
 */
export function whyNotApprover(
  rule: ApproverRule,
  requester: string,
  who: ProvenApprover,
  before: readonly Approver[],
): string | null {
  if (rule.groups.length > 0 && !who.groups.some((group) => rule.groups.includes(group))) {
    return 'this operator is in none of the groups that may answer';
  }
  // INVARIANT: whom somebody let in counts as that person, or one operator would make the second one.
  const same = personsOf(who);
  if (!rule.ownUser && same.includes(requester)) return 'who asked cannot answer';
  if (before.some((other) => personsOf(other).some((person) => same.includes(person)))) {
    return 'this person said yes already: another one has to';
  }
  return null;
}

const personsOf = ({ user, letInBy: root }: Approver): readonly string[] => (root === null ? [user] : [user, root]);
