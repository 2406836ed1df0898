import {
  CREDENTIAL_HEADERS,
  escapePointer,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  quoteForMessage,
} from '../core/index.ts';
import { findCredential, isBasicPair, isCredentialName, isPlaceholder, isSecretValue } from './credential-text.ts';
import { viewsOf } from './credential-views.ts';
import { deny, type Finding } from './finding.ts';

/** Where a value stands: its JSON Pointer (RFC 6901), its own name, and whether it is the value of a header. */
interface Place {
  readonly pointer: string;
  readonly name: string;
  readonly isHeader: boolean;
  readonly depth: number;
}

/** Arguments may be this deep (DESIGN section 10); deeper ones are denied, not skipped. */
const MAX_DEPTH = 64;

/**
 * Judges arguments under `requireSecretManager`: no credential stands in them as text, in whatever string, key or header
 * and however encoded (percent, JSON, base64), and secret references stand only where a header has its value. `null`:
 * nothing found. The finding names kind and place, never the value. Linear in the size of the arguments.
 *
 * ATTACKER-CONTROLLED: `args`.
 * @example
 * judgeCredentials({ url: 'https://api.example.com/?t=ghp_0123456789abcdefghijABCDEFGHIJ012345' })?.code // 'CREDENTIAL_LITERAL'
 */
export function judgeCredentials(args: JsonObject): Finding | null {
  for (const [name, value] of Object.entries(args)) {
    const found =
      name === 'headers' && isJsonObject(value)
        ? judgeHeaders(value)
        : judgeValue(value, { pointer: `/${escapePointer(name)}`, name, isHeader: false, depth: 1 });
    if (found !== null) return found;
  }
  return null;
}

function judgeHeaders(headers: JsonObject): Finding | null {
  for (const [name, value] of Object.entries(headers)) {
    const place = { pointer: `/headers/${escapePointer(name)}`, name, isHeader: true, depth: 2 };
    const found = judgeText(name, place) ?? (isReference(value) ? judgePrefix(value, place) : judgeValue(value, place));
    if (found !== null) return found;
  }
  return null;
}

/** The reference is no credential; what stands beside it may be one. */
const judgePrefix = ({ $secret, ...rest }: JsonObject, place: Place): Finding | null =>
  judgeValue(typeof $secret === 'string' ? $secret : null, { ...place, isHeader: false, name: '' }) ??
  judgeValue(rest, { ...place, isHeader: false, name: '' });

const isReference = (value: JsonValue): value is JsonObject => isJsonObject(value) && Object.hasOwn(value, '$secret');

function judgeValue(value: JsonValue, place: Place): Finding | null {
  if (typeof value === 'string') return judgeNamed(value, place) ?? judgeText(value, place);
  if (typeof value !== 'object' || value === null) return null;
  if (place.depth > MAX_DEPTH) return literal('text nested too deeply to be read', place);
  if (isReference(value)) {
    return deny('CREDENTIAL_PLACE', `${quoteForMessage(place.pointer)} has a secret reference outside a header`);
  }
  for (const [name, inner] of Object.entries(value)) {
    const inside = {
      pointer: `${place.pointer}/${escapePointer(name)}`,
      name: Array.isArray(value) ? place.name : name,
      isHeader: false,
      depth: place.depth + 1,
    };
    const found = (Array.isArray(value) ? null : judgeText(name, inside)) ?? judgeValue(inner, inside);
    if (found !== null) return found;
  }
  return null;
}

const literal = (kind: string, { pointer }: Place): Finding =>
  deny('CREDENTIAL_LITERAL', `${quoteForMessage(pointer)} holds what looks like a credential (${kind})`);

/** The name of a header or field says that its value is a credential. */
function judgeNamed(value: string, place: Place): Finding | null {
  if (place.isHeader && CREDENTIAL_HEADERS.has(place.name.toLowerCase().replaceAll('_', '-'))) {
    return isHeaderCredential(value) ? literal('value of a credential header', place) : null;
  }
  if (place.isHeader && place.name.toLowerCase() === 'cookie' && /=[^;\s]{16}/.test(value))
    return literal('cookie', place);
  return isCredentialName(place.name) && isSecretValue(value) ? literal('value of a credential field', place) : null;
}

/** What follows the scheme, if it is not a placeholder: short words are nobody's token. */
function isHeaderCredential(value: string): boolean {
  const [first = '', ...rest] = value.trim().split(/[ \t]+/);
  const token = rest.length === 0 ? first : rest.join(' ');
  if (/^basic$/i.test(first) && isBasicPair(token)) return true;
  return token.length >= 6 && !isPlaceholder(token);
}

function judgeText(text: string, place: Place): Finding | null {
  if (text.length < 8) return null;
  for (const view of viewsOf(text)) {
    const kind = findCredential(view);
    if (kind !== null) return literal(kind, place);
  }
  return null;
}
