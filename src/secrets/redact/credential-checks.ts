import { crc32 } from 'node:zlib';

/** What makes a text look like a credential of a kind and yet be none: documentation, tests, templates. */
const EXAMPLE_WORDS =
  /example|sample|placeholder|redacted|your[-_]|changeme|dummy|fake|xxxx|\*\*\*\*|\.\.\.|01234567|12345678|abcdefgh|deadbeef|(.)\1{5}/i;

/** The signature of the token on jwt.io, which is in every tutorial. */
const KNOWN_EXAMPLES = ['SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c'];

export const isExample = (text: string): boolean =>
  EXAMPLE_WORDS.test(text) || KNOWN_EXAMPLES.some((known) => text.endsWith(known));

/** Bits for each character, by how often each comes: random hexadecimal digits have 3.5 and more, words less. */
export function shannonBits(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** Upper case, lower case and digits: what a random text of 20 and more has, and a word in camel case has not. */
export const isMixed = (text: string): boolean => /[a-z]/.test(text) && /[A-Z]/.test(text) && /[0-9]/.test(text);

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The last six characters of 36 are the CRC-32 of the others in base 62 (tokens of GitHub and npm). */
export function hasChecksum(body: string): boolean {
  let rest = crc32(body.slice(0, -6));
  let digits = '';
  for (let at = 0; at < 6; at++) {
    digits = BASE62.charAt(rest % 62) + digits;
    rest = Math.floor(rest / 62);
  }
  return body.slice(-6) === digits;
}

/** A header of a JSON Web Token that is signed or encrypted. */
export function isTokenHeader(part: string): boolean {
  const header = readJson(part);
  return typeof header === 'object' && header !== null && 'alg' in header && header.alg !== 'none';
}

function readJson(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

/** The first part of a bot's token at Discord is its number in base64. */
export const isNumberInBase64 = (part: string): boolean =>
  /^[0-9]{17,20}$/.test(Buffer.from(part, 'base64url').toString('latin1'));
