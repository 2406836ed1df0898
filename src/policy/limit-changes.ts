import { isJsonObject, type JsonObject, type JsonValue } from '../core/index.ts';
import { directionOfLimit } from './confinement-changes.ts';
import { DEFAULT_COST } from './limits.ts';
import type { ChangeDirection, PolicyChange } from './policy-changes.ts';

/** Keys of a rule that are compared here. */
export const LIMIT_KEYS: ReadonlySet<string> = new Set(['rateLimit', 'cost', 'breaker']);

type Difference = Omit<PolicyChange, 'line'>;

/** Where more is wider, and where more is narrower. */
const MAXIMA = new Set(['maxCallsPerMinute', 'calls', 'concurrent', 'bytes', 'spend', 'failures']);
const TIMES = new Set(['within', 'pause']);
/** From the narrowest: everybody together, …, each session by itself. */
const SCOPES = ['tool', 'tenant', 'principal', 'session'];

const show = (value: JsonValue | undefined): string | null => (value === undefined ? null : JSON.stringify(value));

/** What differs in `rateLimit`, `cost`, `breaker`, or a named limit (`named`). */
export function compareLimits(
  place: string,
  key: string,
  old: JsonValue | undefined,
  now: JsonValue | undefined,
): readonly Difference[] {
  if (show(old) === show(now)) return [];
  if (isJsonObject(old) && isJsonObject(now)) return compareKeys(place, key, old, now);
  const whole = { place, before: show(old), after: show(now) };
  if (key === 'cost') return [{ direction: directionOfCost(old, now), ...whole }];
  // A limit more holds besides all others.
  return [{ direction: old === undefined ? 'narrows' : now === undefined ? 'widens' : 'may widen', ...whole }];
}

function compareKeys(place: string, key: string, old: JsonObject, now: JsonObject): readonly Difference[] {
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  // A limit that becomes another kind of limit: which of its words opened something is nobody's to say.
  const isSame = key !== 'named' || old['per'] !== 'tool' || now['per'] === 'tool';
  return names.flatMap((name) => {
    const [was, is] = [own(old, name), own(now, name)];
    if (show(was) === show(is)) return [];
    const direction = isSame ? directionOfKey(key, name, was, is) : 'may widen';
    return [{ direction, place: `${place}.${name}`, before: show(was), after: show(is) }];
  });
}

const own = (object: JsonObject, key: string): JsonValue | undefined =>
  Object.hasOwn(object, key) ? object[key] : undefined;

function directionOfKey(
  key: string,
  name: string,
  was: JsonValue | undefined,
  is: JsonValue | undefined,
): ChangeDirection {
  if (name === 'per') return directionOfScope(key, was, is);
  if (name === 'tools') return directionOfTools(was, is);
  if (MAXIMA.has(name)) return was === undefined ? 'narrows' : is === undefined ? 'widens' : directionOfLimit(was, is);
  if (!TIMES.has(name) || was === undefined || is === undefined) return 'may widen';
  // The same maximum in a longer window, and a longer pause, allow less. Failures that count longer open sooner.
  return reverse(directionOfLimit(was, is));
}

const reverse = (direction: ChangeDirection): ChangeDirection =>
  direction === 'may widen' ? direction : direction === 'widens' ? 'narrows' : 'widens';

function directionOfScope(key: string, was: JsonValue | undefined, is: JsonValue | undefined): ChangeDirection {
  const [from, to] = [was ?? 'principal', is ?? 'principal'].map((scope) => SCOPES.indexOf(String(scope)));
  if (from === undefined || to === undefined || from < 0 || to < 0 || from === to) return 'may widen';
  // Of a limit that several tools share, `per: tool` gives each of them a count of its own.
  if (key === 'named' && Math.min(from, to) === 0) return 'may widen';
  return to > from ? 'widens' : 'narrows';
}

/** No list: every call is counted. */
function directionOfTools(was: JsonValue | undefined, is: JsonValue | undefined): ChangeDirection {
  if (was === undefined) return 'widens';
  if (is === undefined) return 'narrows';
  if (!Array.isArray(was) || !Array.isArray(is)) return 'may widen';
  if (was.every((name) => is.includes(name))) return 'narrows';
  return is.every((name) => was.includes(name)) ? 'widens' : 'may widen';
}

function directionOfCost(was: JsonValue | undefined, is: JsonValue | undefined): ChangeDirection {
  const [from, to] = [was ?? DEFAULT_COST, is ?? DEFAULT_COST];
  if (typeof from !== 'number' || typeof to !== 'number' || from === to) return 'may widen';
  return to < from ? 'widens' : 'narrows';
}
