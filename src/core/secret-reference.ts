import { SallyportError } from './errors.ts';
import { quoteForMessage } from './terminal.ts';

/** Where secrets come from. */
export const SECRET_SCHEMES = ['aws-ssm', 'aws-secretsmanager', 'vault', 'env', 'file', 'keystore', 'exec'] as const;
export type SecretScheme = (typeof SECRET_SCHEMES)[number];

/** A secret by its name: `aws-ssm:/prod/stripe/api-key?version=3#field`. Frozen; it says nothing of the value. */
export interface SecretReference {
  readonly scheme: SecretScheme;
  /** What stands behind the scheme: a path, a name, a variable. */
  readonly name: string;
  /** `?version=`; `null`: the newest. */
  readonly version: string | null;
  /** `?label=`: a label of AWS Systems Manager, a staging label of AWS Secrets Manager. */
  readonly label: string | null;
  /** `#field` of a secret that is JSON or has fields; `null`: all of it, or its only field. */
  readonly field: string | null;
  /** The reference as it is written; two references are one when their texts are. */
  readonly text: string;
}

/** A text with references in it, in order: `Bearer ${secret:vault:kv/ci#github}`. */
export interface SecretTemplate {
  readonly parts: readonly (string | SecretReference)[];
  readonly references: readonly SecretReference[];
  readonly text: string;
}

/** Characters of one reference, and of a text with references; references in one text. */
const MAX_REFERENCE = 2_048;
const MAX_TEMPLATE = 8_192;
const MAX_REFERENCES = 16;

const NAMES: Readonly<Record<SecretScheme, RegExp>> = {
  // AWS: letters, digits and `. - _ /`; an ARN has colons, and names a parameter of another account.
  'aws-ssm': /^(?:\/?[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.-]+)*|arn:aws[a-z-]*:ssm:[A-Za-z0-9:_./-]+)$/,
  'aws-secretsmanager': /^(?:[A-Za-z0-9/_+=.@-]+|arn:aws[a-z-]*:secretsmanager:[A-Za-z0-9:/_+=.@-]+)$/,
  // A mount and a path in it: no empty segments, nothing that leads elsewhere.
  vault: /^[A-Za-z0-9_.-]+(?:\/[A-Za-z0-9_.@ -]+)+$/,
  env: /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
  file: /^(?:\/[^/?#]+)+$/,
  keystore: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(?:\/[A-Za-z0-9][A-Za-z0-9._-]{0,63}){0,7}$/,
  // The name of a command that the operator configured, and the word that it is given.
  exec: /^[a-z0-9][a-z0-9-]{0,31}\/[^?#]+$/,
};

const isScheme = (text: string): text is SecretScheme => (SECRET_SCHEMES as readonly string[]).includes(text);

/**
 * Reads a reference. @throws SallyportError SECRET_REFERENCE with what is wrong with it
 * @example
 * readSecretReference('vault:kv/ci#github').field // 'github'
 */
export function readSecretReference(text: string): SecretReference {
  if (text.length > MAX_REFERENCE) throw unusable(text, `it has more than ${MAX_REFERENCE} characters`);
  if (!/^[\x20-\x7e]+$/.test(text) || text.trim() !== text)
    throw unusable(text, 'it has something else than printable ASCII');
  const [, scheme = '', rest = ''] = /^([a-z-]+):(.*)$/.exec(text) ?? [];
  if (!isScheme(scheme)) throw unusable(text, `it begins with none of ${SECRET_SCHEMES.join(', ')}`);
  const [before = '', field, ...more] = rest.split('#');
  if (more.length > 0 || field === '') throw unusable(text, 'its field is empty, or there are two');
  const [name = '', query, ...others] = before.split('?');
  if (others.length > 0) throw unusable(text, 'there are two question marks');
  if (!NAMES[scheme].test(name) || name.split('/').some((part) => part === '.' || part === '..'))
    throw unusable(text, `it names nothing that ${scheme} can have`);
  const { version, label } = readQuery(text, scheme, query);
  return Object.freeze({ scheme, name, version, label, field: field ?? null, text });
}

const VERSIONED: ReadonlySet<SecretScheme> = new Set(['aws-ssm', 'aws-secretsmanager', 'vault', 'keystore']);
const LABELLED: ReadonlySet<SecretScheme> = new Set(['aws-ssm', 'aws-secretsmanager']);

function readQuery(
  text: string,
  scheme: SecretScheme,
  query: string | undefined,
): { readonly version: string | null; readonly label: string | null } {
  const found: { version: string | null; label: string | null } = { version: null, label: null };
  for (const pair of query === undefined ? [] : query.split('&')) {
    const [, key, value] = /^(version|label)=([A-Za-z0-9_.-]{1,128})$/.exec(pair) ?? [];
    if (key === 'version' && VERSIONED.has(scheme) && found.version === null) found.version = value ?? null;
    else if (key === 'label' && LABELLED.has(scheme) && found.label === null) found.label = value ?? null;
    else throw unusable(text, `${scheme} takes ${takes(scheme)} behind the question mark`);
  }
  if (found.version !== null && found.label !== null) throw unusable(text, 'it names a version and a label');
  return found;
}

const takes = (scheme: SecretScheme): string =>
  LABELLED.has(scheme) ? 'version= or label=' : VERSIONED.has(scheme) ? 'version=' : 'nothing';

const unusable = (text: string, why: string): SallyportError =>
  new SallyportError('SECRET_REFERENCE', `the secret reference ${quoteForMessage(text, 120)} cannot be used: ${why}`);

/** Whether a text has the beginning of a reference in it. */
export const namesSecrets = (text: string): boolean => text.includes('${secret:');

/**
 * Reads a text in which references stand as `${secret:REFERENCE}`. @throws SallyportError SECRET_REFERENCE
 * @example
 * readSecretTemplate('Bearer ${secret:env:TOKEN}').references[0]?.name // 'TOKEN'
 */
export function readSecretTemplate(text: string): SecretTemplate {
  if (text.length > MAX_TEMPLATE) throw unusable(text, `the text has more than ${MAX_TEMPLATE} characters`);
  const parts: (string | SecretReference)[] = [];
  let from = 0;
  for (let at = text.indexOf('${secret:'); at >= 0; at = text.indexOf('${secret:', from)) {
    const end = text.indexOf('}', at);
    if (end < 0) throw unusable(text.slice(at), 'its closing brace is missing');
    if (at > from) parts.push(text.slice(from, at));
    parts.push(readSecretReference(text.slice(at + '${secret:'.length, end)));
    from = end + 1;
  }
  if (from < text.length) parts.push(text.slice(from));
  const references = parts.filter((part) => typeof part !== 'string');
  if (references.length > MAX_REFERENCES) throw unusable(text, `the text has more than ${MAX_REFERENCES} references`);
  return Object.freeze({ parts: Object.freeze(parts), references: Object.freeze(references), text });
}
