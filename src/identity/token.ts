import { randomBytes } from 'node:crypto';
import { equalBytes, SallyportError, sha256 } from '../core/index.ts';

/**
 * Bearer tokens that tell clients apart (RFC 6750). A token is 256 bits of randomness, so a plain SHA-256 of it can be kept
 * without a slow hash; the token itself is shown once.
 */
export interface TokenRecord {
  readonly name: string;
  readonly user: string;
  /** SHA-256 of the token, hexadecimal. */
  readonly digest: string;
  /** RFC 3339, UTC. */
  readonly created: string;
}

const NAME = /^[a-z0-9-]{1,40}$/;
const TOKEN = /^sp_[A-Za-z0-9_-]{43}$/;

/** A new token: `sp_` and 43 characters of base64url. */
export const mintToken = (): string => `sp_${randomBytes(32).toString('base64url')}`;

/** What is kept of a token. */
export function describeToken(token: string, holder: { name: string; user: string; now: number }): TokenRecord {
  return Object.freeze({
    name: checkTokenName(holder.name),
    user: holder.user,
    digest: sha256(token).toString('hex'),
    created: new Date(holder.now).toISOString(),
  });
}

/** The name itself if it can name a token. @throws SallyportError TOKEN_NAME */
export function checkTokenName(name: string): string {
  if (!NAME.test(name)) throw new SallyportError('TOKEN_NAME', 'a token name is 1 to 40 of a-z, 0-9 and -');
  return name;
}

/**
 * The record whose token was presented, or null. ATTACKER-CONTROLLED: `presented`.
 * INVARIANT: every record is compared, each in constant time, so that the time tells neither a match nor its place.
 */
export function findToken(records: readonly TokenRecord[], presented: string): TokenRecord | null {
  if (!TOKEN.test(presented)) return null;
  const digest = sha256(presented);
  let found: TokenRecord | null = null;
  for (const record of records) {
    if (equalBytes(Buffer.from(record.digest, 'hex'), digest)) found = record;
  }
  return found;
}
