import { SallyportError } from './errors.ts';
import { parseReference, type SecretReference } from './secret-reference.ts';

/** A part of a template: text that stands as it is, or a secret to put there. */
export type TemplatePart =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'secret'; readonly reference: SecretReference };

/** Characters of one template, and references in it. */
const MAX_CHARACTERS = 8_192;
const MAX_REFERENCES = 8;

const HOLE = '${';
const OPENING = '${secret:';

/** True for a text with something in it that must be read as a template. */
export const mentionsSecret = (text: string): boolean => text.includes(OPENING);

/**
 * Reads a template as "Bearer ${secret:aws-ssm:/prod/stripe/api-key}" into its parts, none of them empty. Each `${` must
 * open a whole reference: a slip such as `${secrets:…}` would otherwise be sent as it stands.
 * @throws SallyportError SECRET_REFERENCE_INVALID
 * @example
 * parseTemplate('Bearer ${secret:env:TOKEN}').length; // 2
 */
export function parseTemplate(text: string): readonly TemplatePart[] {
  if (text.length > MAX_CHARACTERS) throw invalid(`expected at most ${MAX_CHARACTERS} characters`);
  if (!text.isWellFormed() || text.includes('\0')) throw invalid('expected well-formed text without the character 0');
  const parts: TemplatePart[] = [];
  let at = 0;
  for (let open = text.indexOf(HOLE); open >= 0; open = text.indexOf(HOLE, at)) {
    if (!text.startsWith(OPENING, open)) throw invalid('each ${ must begin ${secret:REFERENCE}');
    const close = text.indexOf('}', open);
    if (close < 0) throw invalid('a ${secret: has no closing brace');
    pushLiteral(parts, text.slice(at, open));
    parts.push(Object.freeze({ kind: 'secret', reference: parseReference(text.slice(open + OPENING.length, close)) }));
    at = close + 1;
  }
  pushLiteral(parts, text.slice(at));
  if (referencesOf(parts).length > MAX_REFERENCES) throw invalid(`expected at most ${MAX_REFERENCES} references`);
  return Object.freeze(parts);
}

/** The references of a template, in the order in which they stand. */
const referencesOf = (parts: readonly TemplatePart[]): readonly SecretReference[] =>
  parts.flatMap((part) => (part.kind === 'secret' ? [part.reference] : []));

function pushLiteral(parts: TemplatePart[], text: string): void {
  if (text !== '') parts.push(Object.freeze({ kind: 'literal', text }));
}

const invalid = (why: string): SallyportError =>
  new SallyportError('SECRET_REFERENCE_INVALID', `a template with secrets: ${why}`);

/** A text with references in it, read. */
export interface SecretTemplate {
  readonly parts: readonly TemplatePart[];
  readonly references: readonly SecretReference[];
  readonly text: string;
}

/** As {@link parseTemplate}, with what is often asked of it. @throws SallyportError SECRET_REFERENCE_INVALID */
export function readSecretTemplate(text: string): SecretTemplate {
  const parts = parseTemplate(text);
  return Object.freeze({ parts, references: Object.freeze(referencesOf(parts)), text });
}
