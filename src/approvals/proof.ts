import { createHmac, createPublicKey, type KeyObject, verify } from 'node:crypto';
import {
  count,
  equalBytes,
  isSallyportError,
  type JsonObject,
  type JsonValue,
  object,
  oneOf,
  parseStrictJson,
  SallyportError,
  shape,
  text,
} from '../core/index.ts';
import { APPROVAL_LIMITS } from './limits.ts';
import type { Operator } from './operator.ts';
import { verifyPasskey } from './passkey.ts';

/**
 * What comes with an answer. `local`: nothing but the connection that it came over. The others prove, over the challenge of
 * exactly this answer, that they hold the credential of `operator`.
 */
export type OperatorProof =
  | { readonly class: 'local' }
  | { readonly class: 'user-id'; readonly operator: string; readonly signature: string }
  /** `response`: AuthenticationResponseJSON of WebAuthn. */
  | { readonly class: 'passkey'; readonly operator: string; readonly response: JsonObject }
  | {
      readonly class: 'webhook';
      readonly operator: string;
      /** Milliseconds since the epoch. */
      readonly timestamp: number;
      readonly nonce: string;
      /** The bytes that were signed: JSON with at least `{"challenge":"…"}`. */
      readonly body: string;
      /** HMAC-SHA-256, 64 hexadecimal digits. */
      readonly signature: string;
    };

const name = text(40);
const long = text(16_384);
const readers = {
  local: shape<OperatorProof & { class: 'local' }>({ class: oneOf('local') }),
  'user-id': shape<OperatorProof & { class: 'user-id' }>({
    ...{ class: oneOf('user-id'), operator: name, signature: text(512) },
  }),
  passkey: shape<OperatorProof & { class: 'passkey' }>({ class: oneOf('passkey'), operator: name, response: object }),
  webhook: shape<OperatorProof & { class: 'webhook' }>({
    ...{ class: oneOf('webhook'), operator: name, timestamp: count, nonce: text(128), body: long, signature: text(64) },
  }),
};

/** A proof as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export const readProof = (value: JsonValue | undefined, where = 'credential'): OperatorProof =>
  readers[oneOf('local', 'user-id', 'passkey', 'webhook')(object(value, where)['class'], `${where}.class`)](
    value,
    where,
  );

/** What a good proof changes: the counter of a passkey, or a nonce that is to be claimed until `until`. */
export interface Proven {
  readonly counter?: number;
  readonly nonce?: { readonly key: string; readonly until: number };
}

/**
 * Checks a proof of an operator over a challenge.
 * @throws SallyportError APPROVER_REFUSED
 */
export async function verifyProof(
  operator: Operator,
  proof: OperatorProof,
  { challenge, now }: { readonly challenge: string; readonly now: number },
): Promise<Proven> {
  if (operator.class === 'user-id' && proof.class === 'user-id') {
    return verifyUserId(operator.publicKey, challenge, proof.signature);
  }
  if (operator.class === 'passkey' && proof.class === 'passkey') {
    return { counter: await verifyPasskey(operator, proof.response, challenge) };
  }
  if (operator.class === 'webhook' && proof.class === 'webhook')
    return verifyWebhook(operator, proof, { challenge, now });
  throw refused('this operator has a credential of another class');
}

/** What a key of a user id signs: a domain, and the challenge. */
export const userIdMessage = (challenge: string): Buffer => Buffer.from(`sallyport/operator/v1\n${challenge}`);

function verifyUserId(publicKey: string, challenge: string, signature: string): Proven {
  const key = readUserKey(publicKey);
  if (verify(null, userIdMessage(challenge), key, Buffer.from(signature, 'base64url'))) return {};
  throw refused('the signature is not one over this answer');
}

/** The public key of a user id: Ed25519, SPKI, base64url. @throws SallyportError OPERATOR_INVALID */
export function readUserKey(publicKey: string): KeyObject {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64url'), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch (cause) {
    throw new SallyportError('OPERATOR_INVALID', 'the key of an operator cannot be read', { cause });
  }
  throw new SallyportError('OPERATOR_INVALID', 'the key of an operator is Ed25519');
}

/** What a webhook signs, each part on a line of its own; the body last, since only it may hold line breaks. */
export const webhookSignature = (secret: string, parts: { timestamp: number; nonce: string; body: string }): string =>
  createHmac('sha256', Buffer.from(secret, 'base64url'))
    .update(`sallyport/webhook/v1\n${parts.timestamp}\n${parts.nonce}\n${parts.body}`)
    .digest('hex');

/** As {@link webhookSignature}, for what we send: of another domain, so that no notice comes back as an answer. */
export const noticeSignature = (secret: string, parts: { timestamp: number; nonce: string; body: string }): string =>
  createHmac('sha256', Buffer.from(secret, 'base64url'))
    .update(`sallyport/webhook-notice/v1\n${parts.timestamp}\n${parts.nonce}\n${parts.body}`)
    .digest('hex');

function verifyWebhook(
  operator: Operator & { class: 'webhook' },
  proof: OperatorProof & { class: 'webhook' },
  { challenge, now }: { readonly challenge: string; readonly now: number },
): Proven {
  const { timestamp, nonce, body, signature } = proof;
  if (!/^[A-Za-z0-9_-]{16,128}$/.test(nonce)) throw refused('a nonce is 16 to 128 of base64url');
  const expected = Buffer.from(webhookSignature(operator.secret, { timestamp, nonce, body }));
  if (!equalBytes(expected, Buffer.from(signature))) throw refused('the webhook is not signed by this operator');
  if (Math.abs(now - timestamp) > APPROVAL_LIMITS.webhookMs)
    throw refused('the webhook is older than a minute, or ahead');
  if (!equalBytes(Buffer.from(challengeIn(body)), Buffer.from(challenge))) {
    throw refused('the webhook is over another answer');
  }
  return { nonce: { key: `${operator.name} ${nonce}`, until: timestamp + 2 * APPROVAL_LIMITS.webhookMs } };
}

function challengeIn(body: string): string {
  try {
    return text(64)(object(parseStrictJson(body), 'body')['challenge'], 'challenge');
  } catch (cause) {
    if (!isSallyportError(cause)) throw cause;
    throw new SallyportError('APPROVER_REFUSED', 'the body of the webhook cannot be read', { cause });
  }
}

const refused = (message: string): SallyportError => new SallyportError('APPROVER_REFUSED', message);
