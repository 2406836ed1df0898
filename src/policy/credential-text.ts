import { CREDENTIAL_NAMES, CREDENTIAL_SHAPES, type CredentialShape } from './credential-table.ts';

/** Characters of a credential that are looked at: what is longer is no less one. */
const WINDOW = 128;
/** Characters of the header of a JSON Web Token. */
const MAX_HEADER = 4_096;

/**
 * The name of a credential that stands in a text as it is, or `null`. Only formats that give themselves away count: hashes,
 * UUIDs, words and placeholders do not. Takes linear time.
 *
 * ATTACKER-CONTROLLED: `text`.
 */
export function findCredential(text: string): string | null {
  for (const shape of CREDENTIAL_SHAPES) {
    if (hasShape(text, shape)) return shape.name;
  }
  if (hasPrivateKey(text)) return 'private key';
  if (hasJsonWebToken(text)) return 'JSON Web Token';
  if (hasPairedToken(text)) return 'access token';
  return findScheme(text) ?? findUserInfo(text) ?? findAssignment(text);
}

function hasShape(text: string, { prefix, least, alphabet, isWord }: CredentialShape): boolean {
  for (let at = text.indexOf(prefix); at >= 0; at = text.indexOf(prefix, at + prefix.length)) {
    if (isWord && /[A-Za-z0-9]/.test(text[at - 1] ?? ' ')) continue;
    const body = runAt(text, at + prefix.length, alphabet);
    if (body.length >= least && !isPlaceholder(body) && !isProse(body)) return true;
  }
  return false;
}

function runAt(text: string, start: number, alphabet: RegExp, most: number = WINDOW): string {
  const limit = Math.min(text.length, start + most);
  let end = start;
  while (end < limit && alphabet.test(text[end] ?? '')) end += 1;
  return text.slice(start, end);
}

/** Words joined by hyphens or underscores (`sk-proj-the-name-of-something`): keys have digits or capitals in them. */
const isProse = (body: string): boolean => /^[a-z]+(?:[-_./][a-z]*)+$/.test(body);

const PLACEHOLDER_WORDS =
  /^(?:(?:your|my|the|some|any)[-_ ]?)?(?:access|api|auth|secret|private|client|bearer|github|personal)?[-_ ]?(?:token|key|secret|password|passwd|pass|pwd|credential|credentials|value|string|here|redacted|placeholder|changeme|change-me|removed|hidden|none|null|undefined|todo|xxx+)(?:[-_ ]?here)?$/i;

const TEMPLATE = /^(?:<[^>]*>|\{\{?[^}]*\}\}?|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Z_][A-Z0-9_]*|%[A-Z_]+%|\[[^\]]*\])$/;

/** What stands for a credential in documentation: one repeated filler, a template, or words that say so. */
export function isPlaceholder(text: string): boolean {
  if (/^[xX*._?#•…-]*$/.test(text) || /^0*$/.test(text)) return true;
  if (text.length > 64) return false;
  return TEMPLATE.test(text) || PLACEHOLDER_WORDS.test(text) || /^(?:your|insert|replace|enter)[-_ ]/i.test(text);
}

const PEM = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g;

/** A PEM header that a key follows; the header alone, in a sentence, is none (RFC 7468). */
function hasPrivateKey(text: string): boolean {
  for (const match of text.matchAll(PEM)) {
    const after = text.slice(match.index + match[0].length, match.index + match[0].length + WINDOW);
    if (/^(?:\s|\\+[nr])*(?:[A-Za-z-]{4,20}: |[A-Za-z0-9+/]{16})/.test(after)) return true;
    if (/^(?:[ \t]*[\r\n]|\\+[nr])+\s*[A-Za-z0-9+/=]{4}/.test(after)) return true;
    if (/^[A-Za-z0-9+/]{4}/.test(after)) return true;
  }
  return /PuTTY-User-Key-File-[23]: /.test(text) && text.includes('Private-Lines:');
}

/** RFC 7519: three parts, the first of which is JSON with an algorithm in it. */
function hasJsonWebToken(text: string): boolean {
  let from = 0;
  for (;;) {
    const at = text.indexOf('eyJ', from);
    if (at < 0) return false;
    const header = runAt(text, at, /[A-Za-z0-9_-]/, MAX_HEADER);
    from = at + Math.max(3, header.length);
    const rest = text.slice(from, from + 5);
    if (!/^\.[A-Za-z0-9_-]{4}/.test(rest)) continue;
    if (/"(?:alg|enc)"/.test(Buffer.from(header, 'base64url').toString('latin1'))) return true;
  }
}

/** Telegram (`123456789:AA…`), Airtable (`patID.secret`), Discord (`id.time.signature`, the id in base64). */
const hasPairedToken = (text: string): boolean =>
  /(?<![0-9A-Za-z])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/.test(text) ||
  /(?<![A-Za-z0-9])pat[A-Za-z0-9]{14}\.[0-9a-f]{64}/.test(text) ||
  /(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}(?![A-Za-z0-9_-])/.test(text);

/** `Bearer` or `Basic` with what follows it, in any text (RFC 6750, RFC 7617). */
function findScheme(text: string): string | null {
  for (const [, scheme = '', value = ''] of text.matchAll(
    /(?<![A-Za-z0-9])(bearer|basic)[ \t]{1,8}([A-Za-z0-9._~+/=-]{8,512})/gi,
  )) {
    if (isPlaceholder(value)) continue;
    const isBasic = scheme.toLowerCase() === 'basic';
    if (isBasic ? isBasicPair(value) : isOpaque(value)) return isBasic ? 'Basic credentials' : 'Bearer token';
  }
  return null;
}

/** Printable `user:password`. */
export function isBasicPair(value: string): boolean {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(value)) return false;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return (
    /^[\x20-\x7e]{0,256}:[\x20-\x7e]{1,256}$/.test(decoded) && !isPlaceholder(decoded.slice(decoded.indexOf(':') + 1))
  );
}

/** Long enough, and with letters and digits mixed: no word of a sentence. */
const isOpaque = (value: string): boolean => value.length >= 16 && /[0-9]/.test(value) && /[A-Za-z]/.test(value);

/** `scheme://user:password@host` (RFC 3986 3.2.1). */
function findUserInfo(text: string): string | null {
  for (const [, password = ''] of text.matchAll(/:\/\/[^\s/:@?#"'<>]{0,128}:([^\s/@?#"'<>]{1,256})@/g)) {
    if (!isPlaceholder(password)) return 'password in a URL';
  }
  return null;
}

/** `name=value` or `name: value` with a telling name: queries, forms, settings files, JSON text. */
function findAssignment(text: string): string | null {
  const names = /(?<![A-Za-z0-9])([A-Za-z][A-Za-z0-9_.-]{1,40})["']?\s{0,4}[=:]\s{0,4}["']?/g;
  for (const match of text.matchAll(names)) {
    const name = match[1] ?? '';
    if (!isCredentialName(name)) continue;
    const value = runAt(text, match.index + match[0].length, /[^\s"'&,;<>]/);
    if (isSecretValue(value) && !isReferenceInCode(value)) return `value of ${name.toLowerCase().slice(0, 24)}`;
  }
  return null;
}

/** `process.env.API_KEY2`, `kv/team1/stripe`: where a value comes from, not the value. */
const isReferenceInCode = (value: string): boolean =>
  /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+$/.test(value) || /^[a-z][a-z0-9-]*(?:\/[a-z0-9_-]+)+$/.test(value);

/** True for the name of a field that holds a credential; environment variables carry it at their end. */
export function isCredentialName(name: string): boolean {
  const folded = name.toLowerCase().replaceAll(/[-_.]/g, '');
  if (CREDENTIAL_NAMES.has(folded)) return true;
  return /[A-Z0-9]_(?:SECRET|TOKEN|PASSWORD|API_KEY|SECRET_KEY|ACCESS_KEY|PRIVATE_KEY)$/.test(name);
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** A value that a telling name turns into a credential: eight characters with a digit or a sign among letters. */
export const isSecretValue = (value: string): boolean =>
  value.length >= 8 &&
  !isPlaceholder(value) &&
  !/[\s(){}$<>[\]]/.test(value) &&
  !UUID.test(value) &&
  /[A-Za-z]/.test(value) &&
  /[0-9!@#%^*+=/~]/.test(value) &&
  !/^(?:https?:|\/|\.\/)/.test(value);
