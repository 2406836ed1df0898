import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import { directionOfApprovers } from './approvers.ts';
import { directionOfIsolation, directionOfLimit } from './confinement-changes.ts';
import { compareLimits, LIMIT_KEYS } from './limit-changes.ts';
import type { Policy } from './policy.ts';

/** What a change does: `may widen` is said of everything that is not known to narrow. */
export type ChangeDirection = 'widens' | 'narrows' | 'may widen';

/** One difference between two policies. */
export interface PolicyChange {
  readonly direction: ChangeDirection;
  /** Where: `tools.shell.allowedCommands`. */
  readonly place: string;
  /** What was there and what is there now, as JSON; null: nothing. */
  readonly before: string | null;
  readonly after: string | null;
  /** Line of the rule in the policy that is to come; null where it is in none. */
  readonly line: number | null;
}

/** Lists of what is allowed: an entry more widens. */
const ALLOWS = new Set([
  ...[
    'allowedPaths',
    'allowedCommands',
    'allowedEndpoints',
    'internalEndpoints',
    'methods',
    'egress',
    'allowSuspicious',
  ],
  ...['paths.read', 'paths.write'],
]);
/** Lists of what is denied or asked about: an entry more narrows, unless it begins with `!`, which takes another one back. */
const DENIES = new Set(['deniedPaths', 'deniedPatterns']);
/** Sections in which a whole entry opens something. */
const SECTIONS = ['tools', 'servers', 'principals'];

/**
 * What differs between the policy in force and one to come, for a person to read: nothing is decided from it. Entries of
 * lists one by one; of everything else the value.
 */
export function comparePolicies(before: Policy, after: Policy): readonly PolicyChange[] {
  const [from, to] = [objectOf(before.source), objectOf(after.source)];
  const changes = [...SECTIONS.flatMap((section) => compareSection(section, from, to)), ...compareRest(from, to)];
  return changes.map((change) => ({ ...change, line: lineOf(after, change.place) }));
}

type Difference = Omit<PolicyChange, 'line'>;

const objectOf = (value: JsonValue | undefined): JsonObject => (isJsonObject(value) ? value : {});

const keysOf = (...objects: readonly JsonObject[]): readonly string[] => [...new Set(objects.flatMap(Object.keys))];

const own = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

const show = (value: JsonValue | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

function compareSection(section: string, from: JsonObject, to: JsonObject): readonly Difference[] {
  const [before, after] = [own(from, section), own(to, section)];
  if (section === 'principals' && (before === undefined) !== (after === undefined)) {
    // Callers that are not told apart may use everything.
    const direction = before === undefined ? 'narrows' : 'widens';
    return [{ direction, place: section, before: show(before), after: show(after) }];
  }
  return keysOf(objectOf(before), objectOf(after)).flatMap((name) => {
    const [old, now] = [own(objectOf(before), name), own(objectOf(after), name)];
    const place = `${section}.${name}`;
    if (old !== undefined && now !== undefined) return compareRule(place, objectOf(old), objectOf(now));
    const direction = old === undefined ? 'widens' : removalOf(section);
    return [{ direction, place, before: show(old), after: show(now) }];
  });
}

/** The rule of one tool can restrict others (paths that are withheld, endpoints), so that its end may open them. */
const removalOf = (section: string): ChangeDirection => (section === 'tools' ? 'may widen' : 'narrows');

function compareRule(place: string, before: JsonObject, after: JsonObject): readonly Difference[] {
  return keysOf(before, after).flatMap((key) => {
    const [old, now] = [own(before, key), own(after, key)];
    if (show(old) === show(now)) return [];
    if ((ALLOWS.has(key) || DENIES.has(key)) && isList(old ?? []) && isList(now ?? [])) {
      return compareList({ place: `${place}.${key}`, key }, old, now);
    }
    return compareValue(place, key, old, now);
  });
}

/** A key of a rule that is no list of entries. */
function compareValue(
  place: string,
  key: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  if (LIMIT_KEYS.has(key)) return compareLimits(`${place}.${key}`, key, old, now);
  if (key === 'limits' || key === 'paths') {
    const [before, after] = [objectOf(old), objectOf(now)];
    return keysOf(before, after).flatMap((inner) => {
      const [was, is] = [own(before, inner), own(after, inner)];
      const at = `${place}.${key}.${inner}`;
      if (show(was) === show(is)) return [];
      if (key === 'paths') return compareList({ place: at, key: `paths.${inner}` }, was, is);
      return [{ direction: directionOfLimit(was, is), place: at, before: show(was), after: show(is) }];
    });
  }
  return [
    { direction: directionOfValue(key, old, now), place: `${place}.${key}`, before: show(old), after: show(now) },
  ];
}

function directionOfValue(key: string, old: JsonValue | undefined, now: JsonValue | undefined): ChangeDirection {
  if (key === 'isolation') return directionOfIsolation(old, now);
  if (key === 'approvers') return directionOfApprovers(old, now);
  // Another package, version or argument is another program.
  if (key === 'package' || key === 'bin' || key === 'args') return 'widens';
  if (key === 'integrity') return old === undefined ? 'narrows' : 'widens';
  if (key === 'egressCredentials') return now === true ? 'widens' : 'narrows';
  return key === 'terminateTls' && old === true ? 'widens' : 'may widen';
}

const isList = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

function compareList(
  { place, key }: { readonly place: string; readonly key: string },
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  const [before, after] = [old ?? [], now ?? []];
  if (!isList(before) || !isList(after)) return [];
  // A list that comes or goes as a whole can stand in for another one.
  const isWhole = ALLOWS.has(key) && (old === undefined || now === undefined);
  if (isWhole) return [{ direction: 'may widen', place, before: show(old), after: show(now) }];
  const [had, has] = [new Set(before.map(show)), new Set(after.map(show))];
  const gone = [...had].filter((entry) => !has.has(entry));
  const come = [...has].filter((entry) => !had.has(entry));
  if (gone.length === 0 && come.length === 0)
    return [{ direction: 'may widen', place, before: show(old), after: show(now) }];
  return [
    ...come.map(
      (entry): Difference => ({ direction: directionOf(key, entry, true), place, before: null, after: entry }),
    ),
    ...gone.map(
      (entry): Difference => ({ direction: directionOf(key, entry, false), place, before: entry, after: null }),
    ),
  ];
}

function directionOf(key: string, entry: string | null, isAdded: boolean): ChangeDirection {
  const isException = entry?.startsWith('"!') === true;
  const opens = ALLOWS.has(key) !== isException;
  return opens === isAdded ? 'widens' : 'narrows';
}

function compareRest(from: JsonObject, to: JsonObject): readonly Difference[] {
  return keysOf(from, to)
    .filter((key) => !SECTIONS.includes(key))
    .flatMap((key): readonly Difference[] => {
      const [old, now] = [show(own(from, key)), show(own(to, key))];
      if (old === now) return [];
      if (key === 'limits') return compareNamed(objectOf(own(from, key)), objectOf(own(to, key)));
      if (key === 'defaults') return compareRule('defaults', objectOf(own(from, key)), objectOf(own(to, key)));
      const isEnforced = key === 'mode' && old === '"observe"';
      const isObserved = key === 'mode' && now === '"observe"';
      const direction = isEnforced ? 'narrows' : isObserved ? 'widens' : 'may widen';
      return [{ direction, place: key, before: old, after: now }];
    });
}

/** Limits that several tools share: one that comes narrows, one that goes widens. */
const compareNamed = (before: JsonObject, after: JsonObject): readonly Difference[] =>
  keysOf(before, after).flatMap((name) =>
    compareLimits(`limits.${name}`, 'named', own(before, name), own(after, name)),
  );

function lineOf({ tools, servers, principals }: Policy, place: string): number | null {
  const rules = [...tools, ...servers.values(), ...(principals ?? [])].map(({ rule }) => rule);
  return rules.find(({ id }) => place === id || place.startsWith(`${id}.`))?.line ?? null;
}

const MARK: Readonly<Record<ChangeDirection, string>> = {
  widens: 'WIDENS   ',
  'may widen': 'may widen',
  narrows: 'narrows  ',
};
const ORDER: readonly ChangeDirection[] = ['widens', 'may widen', 'narrows'];

/** One line a change, whole, what widens first. `file` is named with the line. Not yet escaped for a terminal. */
export const renderPolicyChanges = (changes: readonly PolicyChange[], file: string): readonly string[] =>
  ORDER.flatMap((wanted) => changes.filter(({ direction }) => direction === wanted)).map((change) => {
    const where = change.line === null ? '' : `  (${file}:${change.line})`;
    return `${MARK[change.direction]}  ${change.place}: ${describeChange(change)}${where}`;
  });

function describeChange({ before, after }: PolicyChange): string {
  if (before === null) return `added ${after ?? ''}`;
  return after === null ? `removed ${before}` : `${before} → ${after}`;
}
