import type { JsonValue } from './json.ts';

/**
 * The canonical form of a JSON value (RFC 8785): keys sorted by UTF-16 code units, no white space, numbers and strings
 * as ECMAScript writes them. Equal values have equal text, whoever wrote them.
 *
 * Takes values of {@link parseStrictJson} or {@link copyJson}: well-formed strings, finite numbers, no cycles.
 * @example
 * canonicalJson({ b: 1, a: [true, null] }); // '{"a":[true,null],"b":1}'
 */
export function canonicalJson(value: JsonValue): string {
  const sorted = withSortedKeys(value);
  return sorted === undefined ? writeMembers(value) : JSON.stringify(sorted);
}

/**
 * A copy that `JSON.stringify`, which is several times faster than {@link writeMembers}, writes canonically; undefined
 * where it would not. INVARIANT: an object keeps the order in which its keys were added, except for keys that look like
 * array indices, which come first; and `__proto__` is no key at all.
 */
function withSortedKeys(value: JsonValue): JsonValue | undefined {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(withSortedKeys);
    return items.includes(undefined) ? undefined : (items as JsonValue[]);
  }
  const object = value as { readonly [key: string]: JsonValue };
  const copy: Record<string, JsonValue> = {};
  for (const key of sortedKeys(object)) {
    const first = key.charCodeAt(0);
    const child = withSortedKeys(object[key] as JsonValue);
    if ((first >= 0x30 && first <= 0x39) || key === '__proto__' || child === undefined) return undefined;
    copy[key] = child;
  }
  return copy;
}

/** Most objects that reach this were written by our own hand, in order; looking is cheaper than sorting. */
export function sortedKeys(object: object): string[] {
  const keys = Object.keys(object);
  for (let at = 1; at < keys.length; at++) {
    if ((keys[at - 1] ?? '') > (keys[at] ?? '')) return keys.sort();
  }
  return keys;
}

function writeMembers(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(writeMembers).join(',')}]`;
  const object = value as { readonly [key: string]: JsonValue };
  const members = Object.keys(object)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${writeMembers(object[key] as JsonValue)}`);
  return `{${members.join(',')}}`;
}
