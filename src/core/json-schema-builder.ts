import { SallyportError } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';
import { escapePointer } from './json-pointer.ts';
import type { SchemaNode } from './json-schema-node.ts';
import type { LinearPattern } from './linear-pattern.ts';

/** How a schema says it was written: the forms that only older drafts have are accepted from `legacy` and `undeclared`. */
export type Dialect = 'current' | 'legacy' | 'undeclared';

/** What the keywords of one schema object are read with. */
export interface Builder {
  readonly node: SchemaNode;
  readonly schema: JsonObject;
  readonly dialect: Dialect;
  /** The compiled schema at a path below this one. */
  child(...path: (string | number)[]): SchemaNode;
  pattern(source: string, keyword: string): LinearPattern;
  /** The compiled target of a reference, once everything is compiled. */
  reference(target: string): () => SchemaNode;
}

/** @throws SallyportError SCHEMA_INVALID */
export function refuseSchema(pointer: string, message: string): never {
  const where = pointer === '' ? 'the schema' : `the schema at ${pointer}`;
  throw new SallyportError('SCHEMA_INVALID', `${where}: ${message}`, { detail: { pointer } });
}

const refuseKeyword = (builder: Builder, keyword: string, expected: string): never =>
  refuseSchema(`${builder.node.pointer}/${escapePointer(keyword)}`, `${keyword} is ${expected}`);

/** The value of a keyword, or undefined when the schema has none. */
export const keyword = (builder: Builder, name: string): JsonValue | undefined =>
  Object.hasOwn(builder.schema, name) ? builder.schema[name] : undefined;

export function countKeyword(builder: Builder, name: string): number | undefined {
  const value = keyword(builder, name);
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  return refuseKeyword(builder, name, 'an integer of at least 0');
}

export function numberKeyword(builder: Builder, name: string): number | undefined {
  const value = keyword(builder, name);
  if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
  return refuseKeyword(builder, name, 'a number');
}

export function textKeyword(builder: Builder, name: string): string | undefined {
  const value = keyword(builder, name);
  if (value === undefined || typeof value === 'string') return value;
  return refuseKeyword(builder, name, 'a string');
}

export function booleanKeyword(builder: Builder, name: string): boolean | undefined {
  const value = keyword(builder, name);
  if (value === undefined || typeof value === 'boolean') return value;
  return refuseKeyword(builder, name, 'true or false');
}

export function listKeyword(builder: Builder, name: string): readonly JsonValue[] | undefined {
  const value = keyword(builder, name);
  if (value === undefined || Array.isArray(value)) return value;
  return refuseKeyword(builder, name, 'a list');
}

export function objectKeyword(builder: Builder, name: string): JsonObject | undefined {
  const value = keyword(builder, name);
  if (value === undefined || isJsonObject(value)) return value;
  return refuseKeyword(builder, name, 'an object');
}

export function namesKeyword(builder: Builder, name: string): readonly string[] | undefined {
  const list = listKeyword(builder, name);
  return list?.map((item) => (typeof item === 'string' ? item : refuseKeyword(builder, name, 'a list of strings')));
}

/** The schema under a keyword, or undefined. */
export const schemaKeyword = (builder: Builder, name: string): SchemaNode | undefined =>
  keyword(builder, name) === undefined ? undefined : builder.child(name);

/** The schemas in the list under a keyword, or undefined. */
export function schemaListKeyword(builder: Builder, name: string): readonly SchemaNode[] | undefined {
  const list = listKeyword(builder, name);
  if (list?.length === 0) return refuseKeyword(builder, name, 'a list with at least one schema');
  return list?.map((_, index) => builder.child(name, index));
}

/** The schemas of the object under a keyword, by key. */
export const schemaMapKeyword = (builder: Builder, name: string): ReadonlyMap<string, SchemaNode> =>
  new Map(Object.keys(objectKeyword(builder, name) ?? {}).map((key) => [key, builder.child(name, key)]));
