import {
  assertNever,
  count,
  type JsonValue,
  list,
  object,
  oneOf,
  quoteForMessage,
  SallyportError,
  shape,
  text,
} from '../core/index.ts';
import type { Binding } from './binding.ts';
import { APPROVAL_LIMITS } from './limits.ts';

/**
 * How far a yes reaches. `once`: this call as it was shown. The others: calls of the same tool with the same values, except for
 * the arguments in `free`; in the session that asked, a number of times, or until a time. Times are milliseconds since the epoch.
 */
export type Scope =
  | { readonly kind: 'once' }
  | { readonly kind: 'session'; readonly free: readonly string[]; readonly until: number }
  | { readonly kind: 'times'; readonly free: readonly string[]; readonly times: number; readonly until: number }
  | { readonly kind: 'until'; readonly free: readonly string[]; readonly until: number };

const readFree = (value: JsonValue | undefined, where: string): readonly string[] =>
  Object.freeze([...new Set(list(value, where).map((item) => text(512)(item, where)))].sort());

/** A scope as it is sent. ATTACKER-CONTROLLED. @throws SallyportError INPUT_SCHEMA_MISMATCH */
export function readScope(value: JsonValue | undefined, where = 'scope'): Scope {
  const { kind } = object(value, where);
  switch (oneOf('once', 'session', 'times', 'until')(kind, `${where}.kind`)) {
    case 'once':
      return shape<{ kind: 'once' }>({ kind: oneOf('once') })(value, where);
    case 'session':
      return shape<Scope & { kind: 'session' }>({ kind: oneOf('session'), free: readFree, until: count })(value, where);
    case 'times':
      return shape<Scope & { kind: 'times' }>({ kind: oneOf('times'), free: readFree, times: count, until: count })(
        value,
        where,
      );
    default:
      return shape<Scope & { kind: 'until' }>({ kind: oneOf('until'), free: readFree, until: count })(value, where);
  }
}

/**
 * The scope, if this call can have it: ends within a day, opens at most 100 executions, and leaves open only arguments that the
 * person saw. @throws SallyportError APPROVAL_SCOPE
 */
export function checkScope(scope: Scope, binding: Binding, now: number): Scope {
  if (scope.kind === 'once') return scope;
  const unseen = scope.free.find((argument) => !Object.hasOwn(binding.arguments, argument));
  if (unseen !== undefined) throw wrong(`the call has no argument ${quoteForMessage(unseen)} that could be left open`);
  if (scope.until <= now || scope.until > now + APPROVAL_LIMITS.longestMs) {
    throw wrong('a yes ends in the future, within a day');
  }
  if (scope.kind === 'times' && (scope.times < 2 || scope.times > APPROVAL_LIMITS.uses)) {
    throw wrong(`a yes opens 2 to ${APPROVAL_LIMITS.uses} executions`);
  }
  return scope;
}

const wrong = (message: string): SallyportError => new SallyportError('APPROVAL_SCOPE', message);

/** Executions that it opens; null: as many as fit in its time. */
export function usesOf(scope: Scope): number | null {
  if (scope.kind === 'once') return 1;
  return scope.kind === 'times' ? scope.times : null;
}

/** When a grant of this scope ends, if it is given now. */
export const endOf = (scope: Scope, now: number): number =>
  scope.kind === 'once' ? now + APPROVAL_LIMITS.onceMs : scope.until;

/** One sentence: what a yes of this scope opens. Names are quoted and escaped. */
export function stateScope(scope: Scope, binding: Binding): string {
  const { tool, principal } = binding;
  const who = `${quoteForMessage(principal.agent)} for ${quoteForMessage(principal.user)}`;
  if (scope.kind === 'once') return `Runs this call once, exactly as shown; the yes ends after 10 minutes.`;
  const what = `${who} may call ${quoteForMessage(tool)} with ${valuesOf(scope.free)}, under this policy and definition`;
  const end = new Date(scope.until).toISOString();
  switch (scope.kind) {
    case 'session':
      return `${what}, without limit in the session that asks, until ${end}.`;
    case 'times':
      return `${what}, ${scope.times} times in all, from any session, until ${end}.`;
    case 'until':
      return `${what}, without limit and from any session, until ${end}.`;
    default:
      return assertNever(scope);
  }
}

const valuesOf = (free: readonly string[]): string =>
  free.length === 0
    ? 'the values shown'
    : `ANY value of ${free.map((argument) => quoteForMessage(argument)).join(', ')} and the other values as shown`;
