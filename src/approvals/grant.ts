import { type KeyObject, sign, verify } from 'node:crypto';
import {
  canonicalCopy,
  count,
  type ErrorCode,
  type JsonObject,
  type JsonValue,
  list,
  oneOf,
  type Reader,
  SallyportError,
  shape,
  text,
} from '../core/index.ts';
import { type Binding, bindingDigest, principalKey, reachDigest } from './binding.ts';
import { endOf, readScope, type Scope, usesOf } from './scope.ts';

/** How strongly it is known who answered; `local` is advisory: the agent may run under the same user id. */
export type CredentialClass = 'passkey' | 'user-id' | 'webhook' | 'local';

/** One person's yes. */
export interface Approver {
  readonly operator: string;
  /** The person; an operator may have several credentials. */
  readonly user: string;
  readonly class: CredentialClass;
  /** The person at the beginning of those who let this one in; null for who came with a one-time code. */
  readonly letInBy: string | null;
}

/** A yes, as it is kept: digests, no arguments. */
export interface Grant {
  readonly v: 1;
  readonly id: string;
  readonly request: string;
  /** The life of the state folder in which it holds; another one begins where a backup may have been restored. */
  readonly generation: string;
  /** `principalKey` of who may use it. */
  readonly principal: string;
  readonly tool: string;
  /** The session that asked. */
  readonly session: string;
  readonly scope: Scope;
  /** `bindingDigest` for `once`, `reachDigest` for the wider ones. */
  readonly digest: string;
  readonly policy: string;
  readonly definition: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly by: readonly Approver[];
}

export interface SignedGrant {
  readonly grant: Grant;
  /** Ed25519 over a domain and the canonical JSON of the grant, base64url. */
  readonly signature: string;
}

const DOMAIN = 'sallyport/grant/v1\n';

/** What a grant is made from. */
export interface GrantDraft {
  readonly id: string;
  readonly request: string;
  readonly generation: string;
  readonly session: string;
  readonly scope: Scope;
  readonly by: readonly Approver[];
}

/** The grant of a yes to this call. */
export function makeGrant(draft: GrantDraft, binding: Binding, now: number): Grant {
  const { scope } = draft;
  return Object.freeze({
    v: 1,
    ...draft,
    principal: principalKey(binding.principal),
    tool: binding.tool,
    digest: scope.kind === 'once' ? bindingDigest(binding) : reachDigest(binding, scope.free),
    policy: binding.policy,
    definition: binding.definition ?? '',
    issuedAt: now,
    expiresAt: endOf(scope, now),
  });
}

const bytesOf = (grant: Grant): Buffer => Buffer.from(DOMAIN + canonicalCopy(grant));

/** Signs a grant with the keeper's key (Ed25519). */
export const signGrant = (grant: Grant, key: KeyObject): SignedGrant =>
  Object.freeze({ grant, signature: sign(null, bytesOf(grant), key).toString('base64url') });

const name = text(512);
/** An approver as it is kept or sent. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readApprover: Reader<Approver> = shape<Approver>({
  ...{ operator: name, user: name, class: oneOf('passkey', 'user-id', 'webhook', 'local') },
  letInBy: (value, where) => (value === null ? null : name(value, where)),
});
const readGrantFields = shape<Grant>({
  v: (value, where) => {
    if (value === 1) return 1;
    throw new SallyportError('INPUT_SCHEMA_MISMATCH', `expected version 1 in the field ${where}`);
  },
  ...{ id: name, request: name, generation: name, principal: text(2_048), tool: name, session: name },
  ...{ scope: readScope, digest: name, policy: name, definition: name, issuedAt: count, expiresAt: count },
  by: (value, where) => Object.freeze(list(value, where).map((item) => readApprover(item, where))),
});

/**
 * A grant from the store, if the keeper's key signed it as it stands.
 * @throws SallyportError GRANT_VOID
 */
export function verifyGrant(value: JsonValue, publicKey: KeyObject): SignedGrant {
  try {
    const { grant, signature } = shape<SignedGrant>({ grant: readGrantFields, signature: name })(value, 'grant');
    if (verify(null, bytesOf(grant), publicKey, Buffer.from(signature, 'base64url'))) {
      return Object.freeze({ grant, signature });
    }
  } catch (cause) {
    throw new SallyportError('GRANT_VOID', 'the grant cannot be read', { cause });
  }
  throw new SallyportError('GRANT_VOID', 'the grant was not signed by this keeper');
}

/** A grant as the store keeps it. */
export const grantAsJson = ({ grant, signature }: SignedGrant): JsonObject => ({
  signature,
  grant: { ...grant, scope: { ...grant.scope }, by: grant.by.map((approver) => ({ ...approver })) },
});

/** A call that wants to use a grant. */
export interface CoveredCall {
  readonly binding: Binding;
  readonly session: string;
  /** Executions of this grant before. */
  readonly used: number;
}

/** Why a grant does not cover a call; null: it does. */
export interface NotCovered {
  readonly code: ErrorCode;
  readonly reason: string;
}

/** Whether a grant covers a call at `now` (milliseconds since the epoch). Pure; what differs voids. */
export function covers(grant: Grant, { binding, session, used }: CoveredCall, now: number): NotCovered | null {
  const { scope } = grant;
  const uses = usesOf(scope);
  if (now >= grant.expiresAt || now < grant.issuedAt) return no('GRANT_EXPIRED', 'the yes has ended');
  if (uses !== null && used >= uses) return no('GRANT_SPENT', 'the yes was used');
  if (grant.principal !== principalKey(binding.principal)) return no('GRANT_VOID', 'the yes was for another principal');
  if (grant.tool !== binding.tool) return no('GRANT_VOID', 'the yes was for another tool');
  if (grant.policy !== binding.policy) return no('GRANT_VOID', 'the policy is another one');
  if (grant.definition !== (binding.definition ?? '')) return no('GRANT_VOID', 'the definition is another one');
  if (scope.kind === 'session' && grant.session !== session) return no('GRANT_VOID', 'the yes was for another session');
  const digest = scope.kind === 'once' ? bindingDigest(binding) : reachDigest(binding, scope.free);
  return digest === grant.digest ? null : no('GRANT_VOID', 'the call differs from what the person saw');
}

const no = (code: ErrorCode, reason: string): NotCovered => ({ code, reason });
