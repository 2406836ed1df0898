import { equalBytes, randomBytes, sha256 } from '../core/index.ts';
import { type Header, valuesOf } from './egress-headers.ts';

/** User name that stands before the token. */
export const PROXY_USER = 'sallyport';

/** A token of 256 bits, for one session. */
export const mintEgressToken = (): string => randomBytes(32).toString('base64url');

/** Compares in constant time: digests have one length. */
export const isToken = (given: string, token: string): boolean => equalBytes(sha256(given), sha256(token));

/** Longest `Proxy-Authorization` that is looked at. */
const MAX_CREDENTIAL = 512;

/**
 * Whether a request carries the token (RFC 7617, the password of Basic).
 *
 * ATTACKER-CONTROLLED: `headers`.
 */
export function hasToken(headers: readonly Header[], token: string): boolean {
  const [given = '', ...more] = valuesOf(headers, 'proxy-authorization');
  if (more.length > 0 || given.length > MAX_CREDENTIAL) return false;
  const [scheme = '', value = '', ...rest] = given.split(' ');
  if (scheme.toLowerCase() !== 'basic' || rest.length > 0) return false;
  const pair = Buffer.from(value, 'base64').toString('latin1');
  return pair.startsWith(`${PROXY_USER}:`) && isToken(pair.slice(PROXY_USER.length + 1), token);
}
