import { canonicalCopy, type JsonValue, object, oneOf, sha256, shape, text, yesOrNo } from '../core/index.ts';
import { readScope, type Scope } from './scope.ts';

/** What a person says to a request. `full`: they asked for the whole of what the screen had to cut. */
export type Answer =
  | { readonly kind: 'approve'; readonly scope: Scope; readonly full: boolean }
  | { readonly kind: 'deny'; readonly reason: string };

const DOMAIN = 'sallyport/approval-answer/v1\n';

/** An answer as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export function readAnswer(value: JsonValue | undefined, where = 'answer'): Answer {
  const { kind } = object(value, where);
  return oneOf('approve', 'deny')(kind, `${where}.kind`) === 'approve'
    ? shape<Answer & { kind: 'approve' }>({ kind: oneOf('approve'), scope: readScope, full: yesOrNo })(value, where)
    : shape<Answer & { kind: 'deny' }>({ kind: oneOf('deny'), reason: text(1_024) })(value, where);
}

/** Which request an answer is to. */
export interface AnsweredRequest {
  readonly id: string;
  /** `bindingDigest` of the request. */
  readonly digest: string;
  /** 128 bits that only this request has. */
  readonly nonce: string;
}

/**
 * What a credential proves over, base64url of 32 bytes: SHA-256 over a domain and the canonical JSON of request, digest, nonce
 * and answer. INVARIANT: one proof is good for one answer, with this scope, to this request.
 */
export const challengeOf = ({ id, digest, nonce }: AnsweredRequest, answer: Answer): string =>
  sha256(DOMAIN + canonicalCopy({ request: id, digest, nonce, answer })).toString('base64url');

const REGISTRATION_DOMAIN = 'sallyport/operator-registration/v1\n';

/** As {@link challengeOf}, for a credential that lets another one in: over the name of the keeper's offer and what is let in. */
export const registrationChallenge = (nonce: string, registration: JsonValue): string =>
  sha256(REGISTRATION_DOMAIN + canonicalCopy({ nonce, registration })).toString('base64url');

const REMOVAL_DOMAIN = 'sallyport/operator-removal/v1\n';

/** As {@link registrationChallenge}, for a credential that takes one away: over the name of the keeper's offer and whom it takes. */
export const removalChallenge = (nonce: string, operator: string): string =>
  sha256(REMOVAL_DOMAIN + canonicalCopy({ nonce, operator })).toString('base64url');
