import {
  escapePointer,
  ISOLATION_LEVELS,
  type IsolationLevel,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from '../core/index.ts';
import type { RuleReference } from './decision.ts';
import type { PlaceFinder, ProblemDraft } from './problems.ts';

/** What the reading of one policy shares. */
export interface PolicyReading {
  readonly places: PlaceFinder;
  readonly problems: ProblemDraft[];
  readonly warnings: ProblemDraft[];
}

/** A key as a segment of a JSON Pointer. */
export const segment = (key: string): string => `/${escapePointer(key)}`;

/** A rule reference with the line of a key or value; an object has no lines. */
export function referTo(reading: PolicyReading, id: string, pointer: string, part: 'key' | 'value'): RuleReference {
  const { line } = reading.places.find(pointer, part);
  return Object.freeze(line === 0 ? { id } : { id, file: reading.places.file, line });
}

export function addProblem(
  reading: PolicyReading,
  pointer: string,
  message: string,
  remedy: string,
  part: 'key' | 'value' = 'value',
): void {
  reading.problems.push({ pointer, part, message, remedy });
}

// Readers of values that the schema has already judged: what is of another type is as good as absent.
export const textAt = (object: JsonObject, key: string): string | null => {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return typeof value === 'string' ? value : null;
};

export const objectAt = (object: JsonObject, key: string): JsonObject | null => {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return isJsonObject(value) ? value : null;
};

export const listAt = (object: JsonObject, key: string): readonly JsonValue[] | null => {
  const value = Object.hasOwn(object, key) ? object[key] : undefined;
  return Array.isArray(value) ? value : null;
};

/** The objects of a list, or the one that stands there. */
export const objectsAt = (object: JsonObject, key: string): readonly JsonObject[] => {
  const value = object[key];
  return (Array.isArray(value) ? (value as readonly JsonValue[]) : [value]).filter((one) =>
    isJsonObject(one ?? null),
  ) as JsonObject[];
};

export const textsAt = (object: JsonObject, key: string): readonly string[] | null =>
  listAt(object, key)?.filter((item) => typeof item === 'string') ?? null;

/** The value as one of the words, or null. */
export const wordOf = <Word extends string>(words: readonly Word[], value: JsonValue | undefined): Word | null =>
  words.find((word) => word === value) ?? null;

export const wordAt = <Word extends string>(words: readonly Word[], object: JsonObject, key: string): Word | null =>
  wordOf(words, Object.hasOwn(object, key) ? object[key] : undefined);

/** `isolation:` as a list, best first; empty when it is not stated. */
export function isolationAt(object: JsonObject): readonly IsolationLevel[] {
  const value = object['isolation'];
  const stated = Array.isArray(value) ? value : [value];
  return Object.freeze(stated.flatMap((level) => wordOf(ISOLATION_LEVELS, level) ?? []));
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const LONGEST_MS = 24 * 3_600_000;

/** A duration such as `120s` in milliseconds, or null; above 24 hours is a problem. */
export function durationAt(reading: PolicyReading, object: JsonObject, key: string, pointer: string): number | null {
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,8})(ms|s|m|h)$/.exec(textAt(object, key) ?? '') ?? [];
  if (digits === '') return null;
  const milliseconds = Number(digits) * (UNITS[unit] ?? 1);
  if (milliseconds <= LONGEST_MS) return milliseconds;
  addProblem(reading, `${pointer}/${key}`, `${digits}${unit} is longer than 24 hours`, 'Write at most 24h');
  return null;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** Bytes of the largest message. */
const LARGEST_MESSAGE = 1_073_741_824;

/** A size such as `1MiB` in bytes, or null; above `most` (whole GiB) is a problem. */
export function sizeAt(
  reading: PolicyReading,
  object: JsonObject,
  key: string,
  pointer: string,
  most: number = LARGEST_MESSAGE,
): number | null {
  const [, digits = '', unit = ''] = /^([1-9][0-9]{0,12})(B|KiB|MiB|GiB)$/.exec(textAt(object, key) ?? '') ?? [];
  if (digits === '') return null;
  const bytes = Number(digits) * (SIZE_UNITS[unit] ?? 1);
  if (bytes <= most) return bytes;
  const gibibytes = most / LARGEST_MESSAGE;
  const message = `${digits}${unit} is more than ${gibibytes} GiB`;
  addProblem(reading, `${pointer}/${key}`, message, `Write at most ${gibibytes}GiB`);
  return null;
}
