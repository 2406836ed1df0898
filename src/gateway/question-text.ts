import { escapeForTerminal, isJsonObject, type JsonObject, type JsonValue, SallyportError } from '../core/index.ts';

/** A question that no client is shown: what the server asks, as `the server asks WHY`. */
export const malformed = (why: string): SallyportError =>
  new SallyportError('RESULT_MALFORMED', `the server asks ${why}`);

/** An answer that does not go to the server, as `the answer WHY`. */
export const unfit = (why: string): SallyportError => new SallyportError('INPUT_SCHEMA_MISMATCH', `the answer ${why}`);

/**
 * A text that a person reads: on one line, what only a machine would see made visible, so that it cannot look like words of
 * ours. Null for none, and for one of more than `most` UTF-16 code units: half of what is asked is not shown.
 * ATTACKER-CONTROLLED: `value`.
 */
export function readableText(value: JsonValue | undefined, most: number): string | null {
  if (typeof value !== 'string' || value.length > most) return null;
  return escapeForTerminal(value).replace(/\s{2,}/gu, ' ');
}

/** True for a text that reads as it is: what a person chooses must be what is sent. */
export const isReadable = (value: JsonValue | undefined, most: number): value is string =>
  typeof value === 'string' && value.length <= most && value === escapeForTerminal(value);

/** Reads a field that may be absent: nothing, or `{ [name]: read }`. */
export function optional(
  from: JsonObject,
  name: string,
  read: (value: JsonValue) => JsonValue | null,
): Readonly<Record<string, JsonValue>> {
  const value = Object.hasOwn(from, name) ? from[name] : undefined;
  if (value === undefined) return {};
  const known = read(value);
  if (known === null) throw malformed(`with a field that it cannot have so: ${name}`);
  return { [name]: known };
}

/** A finite number, or null. */
export const finite = (value: JsonValue): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** The objects of a list of at most `most`, or null. */
export function objectsOf(value: JsonValue | undefined, most: number): readonly JsonObject[] | null {
  if (!Array.isArray(value) || value.length > most) return null;
  const objects = (value as readonly JsonValue[]).filter((item) => isJsonObject(item));
  return objects.length === value.length ? objects : null;
}
