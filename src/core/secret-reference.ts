import { SallyportError } from './errors.ts';
import { checkSecretPath, OPTIONS_OF, type ReferenceOption } from './secret-reference-forms.ts';
import { quoteForMessage } from './terminal.ts';

/** The places that can keep a secret. */
export const SECRET_SCHEMES = ['aws-ssm', 'aws-secretsmanager', 'vault', 'env', 'file', 'keystore', 'exec'] as const;
export type SecretScheme = (typeof SECRET_SCHEMES)[number];

/** What names one secret: never a value. Frozen; two with the same `text` name the same. */
export interface SecretReference {
  readonly scheme: SecretScheme;
  /** Without the scheme, `%20` and its like read. */
  readonly path: string;
  readonly version: string | null;
  readonly label: string | null;
  readonly region: string | null;
  readonly namespace: string | null;
  /** A key of the JSON object that the secret is, or a JSON Pointer into it. */
  readonly field: string | null;
  /** The reference in its one canonical form. */
  readonly text: string;
}

/** Characters of one reference. */
const MAX_CHARACTERS = 2_048;

/** What a reference may consist of: printable ASCII without what a shell, a template or JSON would read. */
const PLAIN = /^[A-Za-z0-9._~:/@+=,!*()[\]%&?#-]+$/;
const FORM = /^([a-z][a-z-]*):([^?#]+)(?:\?([^#]*))?(?:#(.+))?$/;
const VALUE = /^[A-Za-z0-9._/-]{1,256}$/;
const FIELD = /^[^\p{Cc}]{1,256}$/u;

/**
 * Reads one reference: `SCHEME:PATH?version=3#field`. What is not written exactly so is refused, so that no two parts of
 * Sallyport can read it differently.
 * @throws SallyportError SECRET_REFERENCE_INVALID
 * @example
 * parseReference('aws-ssm:/prod/stripe/api-key?version=3').version; // '3'
 */
export function parseReference(text: string): SecretReference {
  if (text.length > MAX_CHARACTERS) throw invalid(text, 'it is too long');
  const [, scheme, rawPath, query, rawField] = (PLAIN.test(text) ? FORM.exec(text) : null) ?? [];
  if (scheme === undefined || rawPath === undefined) throw invalid(text, 'expected SCHEME:PATH?version=N#field');
  if (!isScheme(scheme)) throw invalid(text, `expected one of ${SECRET_SCHEMES.join(', ')} before the colon`);
  const path = decode(rawPath, text);
  const trouble = checkSecretPath(scheme, path);
  if (trouble !== null) throw invalid(text, trouble);
  const options = readOptions(scheme, query, text);
  const field = rawField === undefined ? null : decode(rawField, text);
  if (field !== null && (scheme === 'env' || !FIELD.test(field))) throw invalid(text, 'this field cannot be named');
  if (scheme === 'vault' && field === null) throw invalid(text, 'a Vault secret has fields: add #NAME');
  return freeze({ scheme, path, field, ...options });
}

const isScheme = (text: string): text is SecretScheme => SECRET_SCHEMES.some((scheme) => scheme === text);

type Options = Pick<SecretReference, ReferenceOption>;

function readOptions(scheme: SecretScheme, query: string | undefined, text: string): Options {
  const options: Record<ReferenceOption, string | null> = { version: null, label: null, region: null, namespace: null };
  for (const pair of query === undefined ? [] : query.split('&')) {
    const [key = '', value = '', more] = pair.split('=');
    const check = OPTIONS_OF[scheme].get(key as ReferenceOption);
    if (check === undefined || more !== undefined)
      throw invalid(text, `${scheme} has no option ${quoteForMessage(key)}`);
    if (!VALUE.test(value) || !check.test(value)) throw invalid(text, `the option ${key} has no such value`);
    if (options[key as ReferenceOption] !== null) throw invalid(text, `the option ${key} stands twice`);
    options[key as ReferenceOption] = value;
  }
  if (options.version !== null && options.label !== null) throw invalid(text, 'name a version or a label, not both');
  return options;
}

/** Reads `%20` and its like. Slashes are never written so: there is one way to say where a path divides. */
function decode(part: string, text: string): string {
  if (/%(?![0-9A-F]{2})|%2F|%00/.test(part))
    throw invalid(text, 'a % is followed by two capital hexadecimal digits, not 2F');
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch {
    throw invalid(text, 'what is written with % is not UTF-8');
  }
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(decoded)) throw invalid(text, 'it has a character that cannot be seen');
  if (encode(decoded) !== part) throw invalid(text, `write ${encode(decoded)} for ${part}`);
  return decoded;
}

const encode = (part: string): string =>
  part.replace(/[^A-Za-z0-9._~:/@+=,!*()[\]-]/gu, (character) =>
    // encodeURIComponent leaves these as they are.
    character === "'" ? '%27' : encodeURIComponent(character),
  );

function freeze(parts: Omit<SecretReference, 'text'>): SecretReference {
  const options = (['version', 'label', 'region', 'namespace'] as const)
    .filter((key) => parts[key] !== null)
    .map((key) => `${key}=${parts[key]}`)
    .join('&');
  const field = parts.field === null ? '' : `#${encode(parts.field)}`;
  return Object.freeze({
    ...parts,
    text: `${parts.scheme}:${encode(parts.path)}${options === '' ? '' : `?${options}`}${field}`,
  });
}

// ATTACKER-CONTROLLED: what stands where a reference should may be a secret that somebody pasted, so no more of it is
// shown than its scheme.
const invalid = (text: string, why: string): SallyportError => {
  const scheme = /^[a-z-]{1,20}:/.exec(text)?.[0];
  return new SallyportError(
    'SECRET_REFERENCE_INVALID',
    `a secret reference${scheme === undefined ? '' : ` ${scheme}…`}: ${why}`,
  );
};
