import { ISOLATION_LEVELS, type JsonValue } from '../core/index.ts';
import type { ChangeDirection } from './policy-changes.ts';

/** What a change of `isolation` does: fewer levels narrow; a level that is weaker than all before widens. */
export function directionOfIsolation(before: JsonValue | undefined, after: JsonValue | undefined): ChangeDirection {
  const [old, now] = [ranksOf(before), ranksOf(after)];
  if (old.length === 0 || now.length === 0) return 'may widen';
  if (now.every((rank) => old.includes(rank))) return now.length < old.length ? 'narrows' : 'may widen';
  if (Math.min(...now) < Math.min(...old)) return 'widens';
  return Math.min(...now) > Math.max(...old) ? 'narrows' : 'may widen';
}

/** INVARIANT: container stands beside bubblewrap: neither is stronger. */
const RANKS: Readonly<Record<string, number>> = Object.freeze({ ...ranks(), container: ranks()['bubblewrap'] ?? 0 });

function ranks(): Record<string, number> {
  return Object.fromEntries(ISOLATION_LEVELS.map((level, index) => [level, index]));
}

function ranksOf(value: JsonValue | undefined): readonly number[] {
  const stated = Array.isArray(value) ? value : [value];
  return stated.flatMap((level) => (typeof level === 'string' ? (RANKS[level] ?? []) : []));
}

/** What a change of one limit does; one that comes or goes stands against a default that may be the narrower. */
export function directionOfLimit(before: JsonValue | undefined, after: JsonValue | undefined): ChangeDirection {
  const [old, now] = [amountOf(before), amountOf(after)];
  if (old === null || now === null || old === now) return 'may widen';
  return now > old ? 'widens' : 'narrows';
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
  ...{ B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 },
};

function amountOf(value: JsonValue | undefined): number | null {
  if (typeof value === 'number') return value;
  const [, digits, unit = ''] = /^([0-9]{1,13})([A-Za-z]{1,3})$/.exec(typeof value === 'string' ? value : '') ?? [];
  const factor = UNITS[unit];
  return digits === undefined || factor === undefined ? null : Number(digits) * factor;
}
