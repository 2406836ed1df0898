import { type CanonicalUrl, CREDENTIAL_HEADERS, type SecretTemplate } from '../core/index.ts';
import { type EndpointPattern, namesUrl } from './endpoint-entry.ts';
import type { HeaderValue } from './endpoint-headers.ts';
import type { Bound } from './endpoint-index.ts';

/** Where a secret stands in a request. */
export type SecretPlace =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  /** `Authorization: Basic`, of the whole text `user:password`. */
  | { readonly kind: 'basic' };

/** A secret that requests to a destination carry. */
export interface EndpointSecret {
  readonly place: SecretPlace;
  readonly template: SecretTemplate;
}

/** The secrets of a rule, by their destinations. */
export type BoundSecret = Bound<EndpointPattern> & { readonly secret: EndpointSecret };

/** The secrets that a request to this URL carries. */
export const secretsFor = (secrets: readonly BoundSecret[], url: CanonicalUrl): readonly EndpointSecret[] =>
  secrets.filter(({ pattern }) => namesUrl(pattern, url)).map(({ secret }) => secret);

/** The references of these secrets, each once. */
export const referencesOf = (secrets: readonly EndpointSecret[]): readonly string[] => [
  ...new Set(secrets.flatMap(({ template }) => template.references.map(({ text }) => text))),
];

/** What a secret is, for comparing two policies. */
export const secretKey = ({ place, template }: EndpointSecret): string =>
  JSON.stringify([place.kind, 'name' in place ? place.name : '', template.text]);

/**
 * The headers that a caller may set beside the secrets of a destination: none that is a credential, so that nobody speaks there as
 * somebody else.
 */
export function withoutCredentials(
  headers: ReadonlyMap<string, HeaderValue>,
  secrets: readonly EndpointSecret[],
): ReadonlyMap<string, HeaderValue> {
  if (secrets.length === 0) return headers;
  const own = new Set(secrets.flatMap(({ place }) => (place.kind === 'header' ? [place.name.toLowerCase()] : [])));
  return new Map([...headers].filter(([name]) => !own.has(name) && !CREDENTIAL_HEADERS.has(name) && name !== 'cookie'));
}
