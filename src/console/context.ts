import type { JsonValue } from '../core/index.ts';
import type { Keeper } from '../keeper/index.ts';
import type { Receipts } from './seen.ts';

/** What every route works with. */
export interface ConsoleParts {
  /** A connection of an operator, which never asks for a call. */
  readonly keeper: Keeper;
  readonly receipts: Receipts;
}

/** One request that was let in. ATTACKER-CONTROLLED: `name` and `body`. */
interface Asked {
  /** The part of the path that the route leaves open. */
  readonly name: string;
  /** Null where there is none. */
  readonly body: JsonValue;
  /** The origin by which the console was called. */
  readonly origin: string;
}

export type Handler = (parts: ConsoleParts, asked: Asked) => Promise<JsonValue>;
