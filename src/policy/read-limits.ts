import type { JsonObject } from '../core/index.ts';
import type { BreakerRule, Cost, LimitKind, LimitRule, LimitScope, NamedLimit } from './limits.ts';
import type { RulePlace } from './read-entries.ts';
import {
  addProblem,
  durationAt,
  objectAt,
  type PolicyReading,
  referTo,
  segment,
  sizeAt,
  textsAt,
  wordAt,
} from './reading.ts';

const SCOPES: readonly LimitScope[] = ['principal', 'session', 'tenant', 'tool'];
const KINDS: readonly LimitKind[] = ['calls', 'concurrent', 'bytes', 'spend'];
const MINUTE_MS = 60_000;

/** Reads `rateLimit:` of a tool. */
export function readRateLimit({ reading, id, pointer }: RulePlace, value: JsonObject): readonly LimitRule[] {
  const limit = objectAt(value, 'rateLimit');
  if (limit === null) return Object.freeze([]);
  const place = { reading, id: `${id}.rateLimit`, pointer: `${pointer}/rateLimit` };
  const most = limit['maxCallsPerMinute'];
  const key = 'maxCallsPerMinute';
  const perMinute: readonly LimitRule[] =
    typeof most === 'number'
      ? [{ kind: 'calls', max: most, windowMs: MINUTE_MS, per: 'principal', rule: referToKey(place, key) }]
      : [];
  return Object.freeze(
    [...perMinute, ...readMaxima(place, limit, perMinute.length > 0)].map((rule) => Object.freeze(rule)),
  );
}

/** Reads one entry under `limits:`. */
export function readNamedLimit(reading: PolicyReading, name: string, value: JsonObject): NamedLimit {
  const place = { reading, id: `limits.${name}`, pointer: `/limits${segment(name)}` };
  const tools = textsAt(value, 'tools');
  return Object.freeze({
    name,
    tools: tools === null ? null : Object.freeze([...tools]),
    limits: Object.freeze(readMaxima(place, value, false).map((rule) => Object.freeze(rule))),
  });
}

const referToKey = ({ reading, id, pointer }: RulePlace, key: string): LimitRule['rule'] =>
  referTo(reading, `${id}.${key}`, `${pointer}/${key}`, 'key');

/** `hasOther`: something else of the object limits already. */
function readMaxima(place: RulePlace, value: JsonObject, hasOther: boolean): LimitRule[] {
  const { reading, pointer } = place;
  const per = wordAt(SCOPES, value, 'per') ?? 'principal';
  const within = durationAt(reading, value, 'within', pointer);
  const found = KINDS.flatMap((kind): LimitRule[] => {
    const max = kind === 'bytes' ? sizeAt(reading, value, 'bytes', pointer) : value[kind];
    if (typeof max !== 'number') return [];
    if (kind !== 'concurrent' && within === null) {
      addProblem(reading, `${pointer}/${kind}`, `${kind} without within`, 'Write within: 1m (or another time)', 'key');
    }
    return [
      { kind, max, windowMs: kind === 'concurrent' ? 0 : (within ?? MINUTE_MS), per, rule: referToKey(place, kind) },
    ];
  });
  refuseIdle(place, value, found, hasOther);
  return found;
}

/** A limit that limits nothing, and a word that says nothing about what is limited. */
function refuseIdle({ reading, pointer }: RulePlace, value: JsonObject, found: LimitRule[], hasOther: boolean): void {
  if (found.length === 0 && !hasOther) {
    addProblem(reading, pointer, 'nothing is limited', 'Write one of calls, concurrent, bytes and spend', 'key');
  }
  if (value['within'] !== undefined && found.every(({ kind }) => kind === 'concurrent')) {
    addProblem(reading, `${pointer}/within`, 'within without calls, bytes or spend', 'Remove it', 'key');
  }
  if (value['per'] !== undefined && found.length === 0) {
    addProblem(reading, `${pointer}/per`, 'per without calls, concurrent, bytes or spend', 'Remove it', 'key');
  }
}

/** `cost:` of a tool; null where it says nothing. */
export function readCost(value: JsonObject): Cost | null {
  const stated = value['cost'];
  if (typeof stated === 'number') return stated;
  return typeof stated === 'string' ? Object.freeze({ argument: stated }) : null;
}

/** `breaker:` of a tool or a server. */
export function readBreaker({ reading, id, pointer }: RulePlace, value: JsonObject): BreakerRule | null {
  const stated = objectAt(value, 'breaker');
  if (stated === null) return null;
  const at = `${pointer}/breaker`;
  return Object.freeze({
    failures: typeof stated['failures'] === 'number' ? stated['failures'] : 1,
    withinMs: durationAt(reading, stated, 'within', at) ?? 0,
    pauseMs: durationAt(reading, stated, 'pause', at) ?? 0,
    rule: referTo(reading, `${id}.breaker`, at, 'key'),
  });
}
