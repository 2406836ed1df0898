import type { CanonicalUrl } from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import type { EndpointPattern } from './endpoint-entry.ts';

/** An entry of the policy, read, with the place where it stands. */
export interface Bound<Pattern> {
  readonly pattern: Pattern;
  readonly text: string;
  readonly rule: RuleReference;
}

/** Entries by scheme, host and port. */
export type OriginIndex = ReadonlyMap<string, readonly Bound<EndpointPattern>[]>;

const originKey = (scheme: string, host: string, port: number): string => `${scheme} ${host} ${port}`;

export function indexByOrigin(entries: readonly Bound<EndpointPattern>[]): OriginIndex {
  const index = new Map<string, Bound<EndpointPattern>[]>();
  for (const entry of entries) {
    const { scheme, host, isWildcard, port } = entry.pattern;
    const key = originKey(scheme, isWildcard ? `*.${host}` : host, port);
    index.set(key, [...(index.get(key) ?? []), entry]);
  }
  return index;
}

/** The entries for the origin of a URL: those that name its host, then wildcards, the narrowest first. */
export function entriesFor(
  index: OriginIndex,
  { scheme, host, hostKind, port }: CanonicalUrl,
): readonly Bound<EndpointPattern>[] {
  const found = [...(index.get(originKey(scheme, host, port)) ?? [])];
  if (hostKind === 'address') return found;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
    found.push(...(index.get(originKey(scheme, `*${host.slice(dot)}`, port)) ?? []));
  }
  return found;
}
