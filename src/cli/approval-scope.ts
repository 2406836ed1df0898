import { APPROVAL_LIMITS, type Scope } from '../approvals/index.ts';
import { SallyportError } from '../core/index.ts';
import { readDuration } from './duration.ts';

/** How a person writes how far a yes reaches. */
export interface ScopeFlags {
  /** `once`, `session`, `until`, or a number of times. */
  readonly scope?: string;
  /** How long the wider ones hold: `30m`. */
  readonly for?: string;
  /** Arguments that may be any. */
  readonly free?: readonly string[];
}

/** How long a wider yes holds that names no time, in milliseconds. */
const DEFAULT_MS = 3_600_000;

/** The scope that the flags name, from now on. What a call cannot have, the keeper refuses. @throws SallyportError USAGE */
export function readScopeFlags({ scope = 'once', for: time, free = [] }: ScopeFlags, now: number): Scope {
  if (scope === 'once') {
    if (time === undefined && free.length === 0) return { kind: 'once' };
    throw new SallyportError('USAGE', '--for and --free go with --scope session, until, or a number of times');
  }
  const wanted = {
    free: [...new Set(free)].sort(),
    until: now + (time === undefined ? DEFAULT_MS : readDuration(time)),
  };
  if (scope === 'session' || scope === 'until') return { kind: scope, ...wanted };
  const times = /^[0-9]{1,3}$/.test(scope) ? Number(scope) : 0;
  if (times >= 2 && times <= APPROVAL_LIMITS.uses) return { kind: 'times', times, ...wanted };
  throw new SallyportError('USAGE', `a scope is once, session, until, or a number from 2 to ${APPROVAL_LIMITS.uses}`);
}
