import type { Clock, Principal } from '../core/index.ts';
import { type CallFacts, type CompiledPolicy, isRateLimited } from '../policy/index.ts';

/** A call that counts; taken back when it was not admitted after all. */
export interface CountedCall {
  takeBack(): void;
}

/** When calls were admitted, by principal and tool: what rate limits count. Bounded; kept for one minute. */
export interface CallHistory {
  /** Times of the calls of this principal and tool that still count, oldest first. */
  times(principal: Principal, tool: string, now: number): readonly number[];
  /** Counts a call made now. */
  add(principal: Principal, tool: string, now: number): CountedCall;
}

/** Longest window of a rate limit. */
const WINDOW_MS = 60_000;
/** Callers that are counted apart. */
const MAX_CALLERS = 4_096;
/** Callers beyond that share one count: the limit gets stricter for them, never looser. */
const OTHERS = 'others';

/** Opens an empty history. State: one list of times per caller and tool, owned here. */
export function openCallHistory(): CallHistory {
  const lists = new Map<string, number[]>();

  const listOf = (principal: Principal, tool: string, now: number): number[] => {
    const key = keyOf(principal, tool);
    const known = lists.get(key);
    if (known !== undefined) return forgetOld(known, now);
    if (lists.size >= MAX_CALLERS) dropIdle(lists, now);
    const name = lists.size >= MAX_CALLERS ? OTHERS : key;
    const list = lists.get(name) ?? [];
    lists.set(name, list);
    return forgetOld(list, now);
  };

  return Object.freeze({
    times: (principal: Principal, tool: string, now: number) => Object.freeze([...listOf(principal, tool, now)]),
    add: (principal: Principal, tool: string, now: number) => {
      const list = listOf(principal, tool, now);
      list.push(now);
      const takeBack = (): void => {
        const at = list.lastIndexOf(now);
        if (at >= 0) list.splice(at, 1);
      };
      return Object.freeze({ takeBack });
    },
  });
}

/** What counting a call takes. */
interface Counting {
  readonly clock: Clock;
  readonly history: CallHistory;
  compiled(): CompiledPolicy;
}

const isCounted = (counting: Counting, tool: string): boolean => isRateLimited(counting.compiled(), tool);

/** The facts with the time and the calls before this one, for a tool whose rule counts them. */
export function withHistory(counting: Counting, facts: CallFacts): CallFacts {
  const { tool, principal } = facts;
  if (!isCounted(counting, tool)) return facts;
  const now = milliseconds(counting.clock);
  return Object.freeze({ ...facts, now, history: counting.history.times(principal, tool, now) });
}

const UNCOUNTED: CountedCall = Object.freeze({ takeBack: () => undefined });

/** Counts a call that is about to be admitted. */
export const countCall = (counting: Counting, { tool, principal, now }: CallFacts): CountedCall =>
  isCounted(counting, tool) ? counting.history.add(principal, tool, now ?? milliseconds(counting.clock)) : UNCOUNTED;

/** The clock that never goes back: who sets the time sets no limit back. */
const milliseconds = (clock: Clock): number => clock.mono() / 1_000;

/** A session key that a client sends does not make it another caller. */
const keyOf = ({ tenant, user, agent }: Principal, tool: string): string => JSON.stringify([tenant, user, agent, tool]);

function forgetOld(list: number[], now: number): number[] {
  const first = list.findIndex((time) => time > now - WINDOW_MS);
  list.splice(0, first < 0 ? list.length : first);
  return list;
}

function dropIdle(lists: Map<string, number[]>, now: number): void {
  for (const [key, list] of lists) if (forgetOld(list, now).length === 0) lists.delete(key);
}
