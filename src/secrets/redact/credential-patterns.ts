import { type Automaton, compileAutomaton } from './automaton.ts';
import { isExample, isMixed, shannonBits } from './credential-checks.ts';
import {
  CREDENTIAL_PATTERNS,
  type CredentialPattern,
  type CredentialPlace,
  discordTokenAt,
} from './credential-table.ts';
import { PrivateKeys } from './private-keys.ts';
import { base64, isWord } from './unit-classes.ts';

/** A credential that nobody registered, by its form. */
export interface Credential {
  /** `github`, `jwt`, `private-key`, … */
  readonly kind: string;
  readonly start: number;
  readonly length: number;
}

const AUTOMATON: Automaton = compileAutomaton(
  [...new Set(CREDENTIAL_PATTERNS.flatMap(({ prefixes }) => prefixes)), PrivateKeys.BEGIN].sort(),
);
/** For each beginning, the patterns that have it, and those of every beginning that it ends with. */
const BY_NEEDLE: readonly (readonly (readonly [CredentialPattern, string])[])[] = AUTOMATON.needles.map((needle) =>
  CREDENTIAL_PATTERNS.flatMap((pattern) =>
    pattern.prefixes.filter((prefix) => needle.endsWith(prefix)).map((prefix) => [pattern, prefix] as const),
  ),
);

/** How far from the name of an access key of AWS its secret half is looked for. */
const NEAR = 256;

/**
 * Finds credentials by forms that hardly anything else has: beginnings that their issuers chose, lengths, alphabets,
 * checksums. Linear in the text. Examples of documentation are not found; neither is anything without such a form.
 */
export function findCredentials(text: string): readonly Credential[] {
  const found: Found[] = [];
  const keys = new PrivateKeys(text);
  AUTOMATON.scan(text, 0, (end, needle) => {
    const isKey = AUTOMATON.needles[needle] === PrivateKeys.BEGIN;
    const place = isKey ? keys.beginningAt(end) : undefined;
    if (place !== undefined) found.push({ kind: 'private-key', ...place });
    for (const [pattern, prefix] of BY_NEEDLE[needle] ?? []) {
      const start = end - prefix.length;
      if (pattern.inWord !== true && isWord(text.charCodeAt(start - 1))) continue;
      const credential = pattern.tail(text, end, start);
      if (
        credential !== undefined &&
        (pattern.plain === true || !isExample(text.slice(credential.start, credential.end)))
      )
        found.push({ kind: pattern.kind, ...credential });
    }
  });
  for (const each of discordTokens(text)) found.push(each);
  const keysOfAws = found.filter(({ kind }) => kind === 'aws-access-key');
  found.push(...secretHalves(text, keysOfAws));
  return separate(found);
}

interface Found extends CredentialPlace {
  readonly kind: string;
}

function* discordTokens(text: string): Generator<Found> {
  for (let stop = text.indexOf('.'); stop >= 0; stop = text.indexOf('.', stop + 1)) {
    const place = discordTokenAt(text, stop);
    if (place !== undefined && !isExample(text.slice(place.start, place.end))) yield { kind: 'discord', ...place };
  }
}

/** Forty characters of base64 around the name of a key: nothing else says that they are its secret half. */
function secretHalves(text: string, keys: readonly Found[]): Found[] {
  const halves: Found[] = [];
  let at = 0;
  for (const { start } of keys) {
    const to = Math.min(text.length, start + NEAR);
    for (at = Math.max(at, start - NEAR); at < to; ) {
      const end = base64(text, at, NEAR);
      if (end - at === 40 && isSecretHalf(text.slice(at, end))) halves.push({ kind: 'aws-secret-key', start: at, end });
      at = end + 1;
    }
  }
  return halves;
}

const isSecretHalf = (half: string): boolean => isMixed(half) && shannonBits(half) >= 4 && !isExample(half);

/** In order, without those that overlap one before them. */
function separate(found: readonly Found[]): readonly Credential[] {
  const credentials: Credential[] = [];
  let last = 0;
  for (const { kind, start, end } of found.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    if (start < last) continue;
    credentials.push({ kind, start, length: end - start });
    last = end;
  }
  return credentials;
}
