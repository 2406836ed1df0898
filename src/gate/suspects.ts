import { guardValue } from './guard-result.ts';
import type { House } from './house.ts';
import type { ParsedCall } from './parse.ts';

/** Sessions that are remembered; beyond them every session counts as suspicious. */
const MAX_SESSIONS = 100_000;

/** The sessions in which the guard found instructions to the model, until they end. */
export interface Suspects {
  add(session: string): void;
  has(session: string): boolean;
  delete(session: string): void;
}

/** State: in memory, as long as the gate runs; no session outlives it. */
export function openSuspects(): Suspects {
  const sessions = new Set<string>();
  let isFull = false;
  return {
    add: (session) => {
      if (sessions.size < MAX_SESSIONS) sessions.add(session);
      else isFull = true;
    },
    has: (session) => isFull || sessions.has(session),
    delete: (session) => void sessions.delete(session),
  };
}

/** What is suspicious about a call: its session has read instructions to the model, or its arguments hold some. Null: nothing. */
export function suspicionOfCall(
  { suspects, guard }: House,
  session: string,
  { arguments: args }: ParsedCall,
): string | null {
  if (suspects.has(session)) return 'something in this session gave the model instructions';
  const clean = guardValue(guard, args);
  if (clean === args) return null;
  return clean === null
    ? 'its arguments give a model instructions'
    : 'its arguments have something in them that nobody sees';
}
