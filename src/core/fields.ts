import { SallyportError } from './errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts';

/** Reads one field of a message, or throws INPUT_SCHEMA_MISMATCH. */
export type Reader<T> = (value: JsonValue | undefined, name: string) => T;

/** A reader for each field; those that a message may leave out read `undefined`. */
export type Readers<T> = { readonly [Field in keyof T]-?: Reader<T[Field] | OptionalOf<T, Field>> };
type OptionalOf<T, Field extends keyof T> = Record<never, never> extends Pick<T, Field> ? undefined : never;

const mismatch = (name: string, expected: string): SallyportError =>
  new SallyportError('INPUT_SCHEMA_MISMATCH', `expected ${expected} in the field ${name}`);

/** A text of at most `maxCharacters`. */
export const text =
  (maxCharacters: number): Reader<string> =>
  (value, name) => {
    if (typeof value === 'string' && value.length <= maxCharacters) return value;
    throw mismatch(name, `a text of at most ${maxCharacters} characters`);
  };

/** A whole number that is not negative. */
export const count: Reader<number> = (value, name) => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw mismatch(name, 'a whole number');
};

/** True or false. */
export const yesOrNo: Reader<boolean> = (value, name) => {
  if (typeof value === 'boolean') return value;
  throw mismatch(name, 'true or false');
};

export const object: Reader<JsonObject> = (value, name) => {
  if (isJsonObject(value)) return value;
  throw mismatch(name, 'an object');
};

export const list: Reader<readonly JsonValue[]> = (value, name) => {
  if (isList(value)) return value;
  throw mismatch(name, 'a list');
};

const isList = (value: JsonValue | undefined): value is readonly JsonValue[] => Array.isArray(value);

/** One of these words. */
export const oneOf =
  <Word extends string>(...words: readonly Word[]): Reader<Word> =>
  (value, name) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw mismatch(name, words.join(' or '));
  };

export const optional =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (value, name) =>
    value === undefined ? undefined : read(value, name);

/** An object with just these fields: one that is unknown is refused, one that is absent stays absent. */
export const shape = <T extends object>(readers: Readers<T>): Reader<T> => {
  const entries = Object.entries<Reader<unknown>>(readers);
  const known = new Set(entries.map(([field]) => field));
  return (value, name) => {
    const source = object(value, name);
    for (const field of Object.keys(source)) if (!known.has(field)) throw mismatch(name, 'no unknown field');
    const read = entries.map(([field, reader]) => [field, reader(source[field], `${name}.${field}`)] as const);
    // INVARIANT: each field was read by the reader that its type asks for.
    return Object.freeze(Object.fromEntries(read.filter(([, result]) => result !== undefined))) as T;
  };
};
